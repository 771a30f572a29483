"""Encoded pictures, decoded when they are asked for or held decoded; a broken one gives way to the next."""

from __future__ import annotations

import io
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
    # Two to three times as fast as Pillow. The op itself, since torchvision's Python door to it warns at every call.
    # It knows no rotation tag of WebP files, and is asked for nothing that it would refuse.
    if data and not (data[:4] == b"RIFF" and b"EXIF" in data):
        try:
            image: Tensor = torch.ops.image.decode_image(torch.frombuffer(bytearray(data), dtype=torch.uint8), 3, True)
        except RuntimeError:
            return _with_pillow(data)
        image = image[0] if image.ndim == 4 else image  # the first frame of an animation
        return (image.int() // 257).to(torch.uint8) if image.dtype == torch.uint16 else image
    return _with_pillow(data)


def limited(items: list[Item], limit: int | None) -> list[Item]:
    """The first so many, or all."""
    if limit is not None and limit < 1:
        raise SslgraphError(f"limit: {limit} leaves no images; ask for 1 or more, or leave it out for all of them")
    return items[:limit]


def _with_pillow(data: bytes) -> Picture:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return picture_of(ImageOps.exif_transpose(image))
    except (SyntaxError, EOFError, Image.DecompressionBombError) as reason:
        raise ValueError(str(reason)) from reason
    except UnidentifiedImageError:
        raise ValueError("not an image" if data else "an empty file") from None


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
