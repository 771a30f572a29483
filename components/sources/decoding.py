"""Encoded images of any kind as RGB, upright; damaged ones are told by a ValueError, before they fill the memory."""

from __future__ import annotations

import io
import zlib

import numpy as np
import torch
import torchvision  # noqa: F401  its import registers torch.ops.image
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

# Files with these endings are images; others are counted as left out.
SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".ppm",
    ".pgm", ".pbm", ".pnm", ".avif", ".jp2", ".j2k", ".jpx", ".tga", ".ico", ".pcx", ".mpo",
)  # fmt: skip
Picture = UInt8[Tensor, "3 height width"]
# No camera makes more; a few kilobytes can claim as many, and would fill the memory when decoded.
MOST_PIXELS = 178_000_000
JPEG = b"\xff\xd8"
PNG = b"\x89PNG\r\n\x1a\n"


def decode(data: bytes, at_least: int | None = None) -> Picture:
    """An encoded image as RGB, upright; raises ValueError or OSError with the reason if it can't be read.

    With `at_least` a JPEG comes at a half, a quarter or an eighth of its size, as long as its shorter side keeps so
    many pixels: a function of its bytes alone. libjpeg then leaves out the transform's high frequencies, which costs
    less than making all pixels and averaging them, and a sixteenth of the memory at a quarter.
    """
    if data and (pixels := _pixels_claimed(data)) > MOST_PIXELS:
        raise ValueError(
            f"it claims {pixels / 1e6:.0f} million pixels, and {MOST_PIXELS // 10**6} million are the most"
        )
    if at_least is not None and data[:2] == JPEG and min(_size_of_jpeg(data)) >= 2 * at_least:
        return _with_pillow(data, at_least)  # torchvision's decoder has no door to it
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


def is_image(data: bytes) -> bool:
    """Whether bytes begin as an image does."""
    try:
        with Image.open(io.BytesIO(data)) as image:  # reads the head only
            return image.width > 0
    except Exception:  # Pillow's readers raise anything on bytes that are none of theirs
        return False


def _pixels_claimed(data: bytes) -> int:
    """Height times width as the file's head says; 0 where there is no telling."""
    if data[:8] == PNG:
        return int.from_bytes(data[16:20], "big") * int.from_bytes(data[20:24], "big")
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return int.from_bytes(data[6:8], "little") * int.from_bytes(data[8:10], "little")
    if data[:2] == JPEG:
        height, width = _size_of_jpeg(data)
        return height * width
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


def _size_of_jpeg(data: bytes) -> tuple[int, int]:
    """Height and width that stand in the frame header of a JPEG, found by going from marker to marker."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
        at += 1 if marker == 0xFF else 2 if 0xD0 <= marker <= 0xD8 else 2 + length
    return 0, 0


def _with_pillow(data: bytes, at_least: int | None = None) -> Picture:
    try:
        with Image.open(io.BytesIO(data)) as image:
            if at_least is not None:
                image.draft(None, (at_least, at_least))
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
