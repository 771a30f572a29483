"""Encoded pictures, decoded when they are asked for or held decoded; a broken one gives way to the next."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

import numpy as np
import torch
import torchvision  # noqa: F401  its import registers torch.ops.image
from jaxtyping import Int64, UInt8
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from sslgraph.errors import SslgraphError

Picture = UInt8[Tensor, "3 height width"]
Item = TypeVar("Item")
# Pictures whose sizes are compared before all are decoded, and pictures decoded at a time.
PROBED = 16
CHUNK = 1024
# Every tenth image of a set that has no test part of its own is held out as one.
HELD_OUT = 10
# No camera makes more; a few kilobytes can claim as many, and would fill the memory when decoded.
MOST_PIXELS = 178_000_000
PNG = b"\x89PNG\r\n\x1a\n"


class Album:
    """Pictures loaded on threads when asked for, or once for all if they share a size and fit in `memory` GiB."""

    def __init__(
        self, *, count: int, load: Callable[[int], Picture], name: Callable[[int], str], memory: float
    ) -> None:
        self.count, self.memory = count, memory
        self.broken: dict[int, str] = {}
        self._load, self._name = load, name

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of all pictures, if they are held."""
        return None if self._pixels is None else (self._pixels.shape[2], self._pixels.shape[3])

    def read(self, indices: Int64[Tensor, "batch"]) -> tuple[Tensor | list[Tensor], Int64[Tensor, "batch"]]:
        """The pictures at these indices, each broken one replaced by the next good one, and the indices really read."""
        pixels = self._pixels  # before asking what is broken: decoding everything finds out
        wanted = [self._good(i) for i in indices.tolist()]
        if pixels is not None:
            really = torch.tensor(wanted, dtype=torch.long)
            return pixels[really], really
        found = self._tried(wanted)
        while missing := [row for row, picture in enumerate(found) if picture is None]:
            for row in missing:
                wanted[row] = self._good(wanted[row])
            for row, picture in zip(missing, self._tried([wanted[row] for row in missing]), strict=True):
                found[row] = picture
        return [picture for picture in found if picture is not None], torch.tensor(wanted, dtype=torch.long)

    @cached_property
    def _pixels(self) -> UInt8[Tensor, "images 3 height width"] | None:
        shapes = {picture.shape for picture in self._tried(range(min(PROBED, self.count))) if picture is not None}
        if len(shapes) != 1 or self.count * (shape := shapes.pop()).numel() > self.memory * 2**30:
            return None
        held = torch.zeros((self.count, *shape), dtype=torch.uint8)
        for start in range(0, self.count, CHUNK):
            for row, picture in enumerate(self._tried(range(start, min(start + CHUNK, self.count))), start):
                if picture is not None and picture.shape != shape:
                    return None
                if picture is not None:
                    held[row] = picture
        return held

    def _tried(self, indices: Sequence[int]) -> list[Picture | None]:
        with ThreadPoolExecutor(torch.get_num_threads()) as threads:
            return list(threads.map(self._attempt, indices))

    def _attempt(self, index: int) -> Picture | None:
        try:
            return self._load(index)
        except (OSError, ValueError) as reason:
            self.broken[index] = f"{self._name(index)}: {reason}"
            return None

    def _good(self, index: int) -> int:
        if len(self.broken) == self.count:
            example = next(iter(self.broken.values()))
            raise SslgraphError(f"none of the {self.count} images can be read, for example {example}")
        while index in self.broken:
            index = (index + 1) % self.count
        return index


def decode(data: bytes) -> Picture:
    """An encoded image as RGB, upright; raises ValueError or OSError with the reason if it can't be read."""
    if data and (pixels := _pixels_claimed(data)) > MOST_PIXELS:
        raise ValueError(
            f"it claims {pixels / 1e6:.0f} million pixels, and {MOST_PIXELS // 10**6} million are the most"
        )
    # Two to three times as fast as Pillow. The op itself, since torchvision's Python door to it warns at every call.
    # It knows no rotation tag of WebP files, and is asked for nothing that it would refuse.
    if data and not (data[:4] == b"RIFF" and b"EXIF" in data) and (data[:8] != PNG or _is_whole(data)):
        try:
            image: Tensor = torch.ops.image.decode_image(torch.frombuffer(bytearray(data), dtype=torch.uint8), 3, True)
        except RuntimeError:
            return _with_pillow(data)
        image = image[0] if image.ndim == 4 else image  # the first frame of an animation
        return (image.int() // 257).to(torch.uint8) if image.dtype == torch.uint16 else image
    return _with_pillow(data)


def _pixels_claimed(data: bytes) -> int:
    """Height times width as the file's head says; 0 where there is no telling."""
    if data[:8] == PNG:
        return int.from_bytes(data[16:20], "big") * int.from_bytes(data[20:24], "big")
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return int.from_bytes(data[6:8], "little") * int.from_bytes(data[8:10], "little")
    if data[:2] == b"\xff\xd8":
        return _of_jpeg(data)
    try:
        with Image.open(io.BytesIO(data)) as image:  # reads the head only
            return image.width * image.height
    except Image.DecompressionBombError:
        return MOST_PIXELS + 1
    except Exception:  # Pillow's readers raise anything on bytes that are none of theirs; decoding will tell
        return 0


def _is_whole(png: bytes) -> bool:
    """Whether all checksums of a PNG are right and its pixels inflate: torchvision 0.29 dies of some that do not."""
    at, inflate, view = 8, zlib.decompressobj(), memoryview(png)
    try:
        while at + 12 <= len(png):
            kind, end = png[at + 4 : at + 8], at + 12 + int.from_bytes(png[at : at + 4], "big")
            if end > len(png) or zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(png[end - 4 : end], "big"):
                return False
            if kind == b"IDAT":
                inflate.decompress(view[at + 8 : end - 4], 3 * 8 * MOST_PIXELS)
            if kind == b"IEND":
                return inflate.eof
            at = end
    except zlib.error:
        return False
    return False


def _of_jpeg(data: bytes) -> int:
    """The size that stands in the frame header of a JPEG, found by going from marker to marker."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 5 : at + 7], "big") * int.from_bytes(data[at + 7 : at + 9], "big")
        at += 1 if marker == 0xFF else 2 if 0xD0 <= marker <= 0xD8 else 2 + length
    return 0


def limited(items: list[Item], limit: int | None) -> list[Item]:
    """The first so many, or all."""
    if limit is not None and limit < 1:
        raise SslgraphError(f"limit: {limit} leaves no images; ask for 1 or more, or leave it out for all of them")
    return items[:limit]


def _with_pillow(data: bytes) -> Picture:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return picture_of(ImageOps.exif_transpose(image))
    except UnidentifiedImageError:
        raise ValueError("not an image" if data else "an empty file") from None
    except Exception as reason:  # its readers raise anything on damaged bytes
        raise ValueError(str(reason) or type(reason).__name__) from reason


def picture_of(image: Image.Image) -> Picture:
    """A Pillow image of any colour mode as an RGB tensor."""
    if image.mode.startswith("I"):  # sixteen bits, which Pillow would clip at 255
        image = Image.fromarray((np.asarray(image).astype(np.int64) // 257).clip(0, 255).astype(np.uint8))
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).contiguous()


def held_out(items: Sequence[Item], split: str, where: str) -> list[Item]:
    """Every tenth item is the test split, the others are the train split."""
    if split == "test" and len(items) < HELD_OUT:
        raise SslgraphError(
            f"{where} has {len(items)} images and no test split; {HELD_OUT} are needed to hold out every tenth"
        )
    return [item for i, item in enumerate(items) if (i % HELD_OUT == HELD_OUT - 1) == (split == "test")]
