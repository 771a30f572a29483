"""Encoded images of any kind as RGB, or as the channels that are named, upright.

Damaged ones are told by a ValueError, before they fill the memory.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import torch
import torchvision  # noqa: F401  its import registers torch.ops.image
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError
from torch import Tensor

from . import heif
from .mistaken import said_of
from .pixels import MOST_CHANNELS, Scaling
from .tiff import HEADS, channels_of_pages, has_alpha, numbers_in

# Files with these endings are images; others are counted as left out.
SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".ppm",
    ".pgm", ".pbm", ".pnm", ".avif", ".jp2", ".j2k", ".jpx", ".tga", ".ico", ".pcx", ".mpo",
    *(heif.ENDINGS if heif.is_there() else ()),
)  # fmt: skip
warnings.filterwarnings("ignore", module=r"PIL\.")  # what is too large or too damaged is refused below
Picture = UInt8[Tensor, "channels height width"]
Deep = NDArray[Any]  # height x width, or height x width x channels
# No camera makes more; a few kilobytes can claim as many, and would fill the memory when decoded.
MOST_PIXELS = 178_000_000
# Programs that draw images write all their settings into them; a text may be as large as pixels may.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = MOST_PIXELS
COLOURS = 3
RGB, RGB_ALPHA = 3, 4  # torchvision's names for what it makes
DEEP_MODES = {"RGB": RGB, "RGBA": RGB_ALPHA, "LA": RGB_ALPHA}  # of Pillow, for PNG files of sixteen bits
JPEG = ("JPEG", "MPO")
# What tells the height and width of a JPEG's frame.
FRAME = re.compile(rb"\xff(?=[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf]\0.[\x08\x0c](..)(..))", re.DOTALL)


def decode(data: bytes, at_least: int | None = None, scaling: Scaling | None = None) -> Picture:
    """An encoded image as RGB or with the channels that are named, upright.

    Raises ValueError or OSError with the reason if it can't be read.

    With `at_least` a JPEG comes at a half, a quarter or an eighth of its size, as long as its shorter side keeps so
    many pixels: a function of its bytes alone. libjpeg then leaves out the transform's high frequencies, which costs
    less than making all pixels and averaging them, and a sixteenth of the memory at a quarter. Pixels of more than
    eight bits are scaled by `scaling`; transparent ones lie on white.
    """
    found, scaling = _decoded(data, at_least), scaling or Scaling(None)
    if scaling.channels is not None and data.startswith(HEADS) and (pages := channels_of_pages(data)) is not None:
        found = pages
    if not isinstance(found, np.ndarray) and (scaling.channels is None or len(scaling.channels) == COLOURS):
        return found if isinstance(found, Tensor) else picture_of(found)
    return pictured(_as_stored(found), scaling, has_alpha=not data.startswith(HEADS) or has_alpha(data))


def pictured(image: Deep, scaling: Scaling, *, has_alpha: bool = False) -> Picture:
    """Numbers of height x width x channels as a picture; without channels they are grey."""
    image, channels = (image[:, :, None] if image.ndim == 2 else image), scaling.channels
    if channels is None or len(channels) == COLOURS:
        return _as_rgb(scaling.bytes_of(_taken(image, channels, has_alpha=has_alpha)))
    return torch.from_numpy(np.ascontiguousarray(scaling.bytes_of(_named(image, channels)).transpose(2, 0, 1)))


def numbers_of(data: bytes) -> Deep | None:
    """The pixels of an encoded image as they are stored, if they are more than bytes."""
    try:
        found = _decoded(data)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, np.ndarray) else None


def _decoded(data: bytes, at_least: int | None = None) -> Picture | Image.Image | Deep:
    """A finished picture, a Pillow image that has to become one, or numbers that have to be scaled (height first)."""
    if data.startswith(HEADS) and (numbers := numbers_in(data)) is not None:
        return numbers
    heif.prepare(data)
    try:
        with Image.open(io.BytesIO(data)) as image:
            _refuse_many(image.width * image.height)
            if image.format in JPEG and at_least is not None and min(image.size) >= 2 * at_least:
                image.draft(None, (at_least, at_least))  # torchvision's decoder has no door to it
            elif image.format in JPEG and (picture := _with_torchvision(data, RGB)) is not None:
                return picture  # two to three times as fast
            image.load()
            if image.format == "PNG" and data[24] > 8 and image.mode in DEEP_MODES:  # Pillow cuts them to bytes
                deep = _with_torchvision(data, DEEP_MODES[image.mode])
                return image if deep is None else deep.permute(1, 2, 0).numpy()
            found = ImageOps.exif_transpose(image)
    except Image.DecompressionBombError as bomb:
        _refuse_many(*map(int, re.findall(r"\d+", str(bomb))[:1]))
        raise ValueError(str(bomb)) from bomb
    except UnidentifiedImageError:
        if data.startswith(b"\xff\xd8"):
            return _unopened_jpeg(data)
        raise ValueError(said_of(data) or "not an image") from None
    except Exception as reason:  # its readers raise anything on damaged bytes
        raise ValueError(str(reason) or type(reason).__name__) from reason
    is_scaled = data[:1] == b"P"  # Pillow brings a .pgm file's own white to 65,535
    if found.mode.startswith("I;16") or (found.mode in ("I", "F") and not is_scaled):
        pixels = np.asarray(found)
        return pixels.astype(np.uint16) if image.format == "PNG" or found.mode.startswith("I;16") else pixels
    return found


def _with_torchvision(data: bytes, mode: int) -> Tensor | None:
    """Channels, height and width; None if it refuses the file. Its Python door would warn at every call."""
    with suppress(RuntimeError):
        found: Tensor = torch.ops.image.decode_image(torch.frombuffer(bytearray(data), dtype=torch.uint8), mode, True)
        return found
    return None


def _unopened_jpeg(data: bytes) -> Tensor:
    """A JPEG that Pillow does not open for a segment beside its pixels, such as a cut profile of colours."""
    sizes = [int.from_bytes(height, "big") * int.from_bytes(width, "big") for height, width in FRAME.findall(data)]
    _refuse_many(max(sizes, default=0))
    if (picture := _with_torchvision(data, RGB)) is None:
        raise ValueError("a damaged JPEG file")
    return picture


def _refuse_many(pixels: int) -> None:
    if pixels > MOST_PIXELS:
        most = f"{MOST_PIXELS // 10**6} million are the most"
        raise ValueError(f"it claims {pixels / 1e6:.0f} million pixels, and {most}")


def is_image(data: bytes) -> bool:
    """Whether bytes begin as an image does."""
    heif.prepare(data)
    try:
        with Image.open(io.BytesIO(data)) as image:  # reads the head only
            return image.width > 0
    except Exception:  # Pillow's readers raise anything on bytes that are none of theirs
        return False


def picture_of(image: Image.Image) -> Picture:
    """A Pillow image of any colour mode as an RGB tensor; transparent pixels lie on white, as a page shows them."""
    try:
        if image.mode.startswith("I"):  # sixteen bits, which Pillow would clip at 255
            image = Image.fromarray((np.asarray(image).astype(np.int64) // 257).clip(0, 255).astype(np.uint8))
        if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
            over = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).contiguous()
    except Exception as reason:
        raise ValueError(str(reason) or type(reason).__name__) from reason


def _taken(image: Deep, channels: Sequence[int] | None, *, has_alpha: bool) -> Deep:
    """The channels that are asked for, or all of them if they are grey or colours, with or without transparency."""
    there = image.shape[2]
    if channels is not None and there > 1:
        return _named(image, channels)
    if there > 4 or (there in (2, 4) and not has_alpha):
        several = list(range(min(there, MOST_CHANNELS)))
        raise ValueError(
            f"it has {there} channels; name those to take: data.channels: {several}"
            f"{' for all' if there <= MOST_CHANNELS else ''}{', or three such as [2, 1, 0]' if there > 2 else ''}"
        )
    return image


def _named(image: Deep, channels: Sequence[int]) -> Deep:
    """These channels of height x width x channels."""
    if max(channels) >= (there := image.shape[2]):
        raise ValueError(f"it has {there} channels, counted from 0, and data.channels asks for {max(channels)}")
    return image[:, :, list(channels)]


def _as_stored(found: Picture | Image.Image | Deep) -> Deep:
    """Any decoded image as height x width x channels, none of them changed."""
    if isinstance(found, Tensor):
        return found.permute(1, 2, 0).numpy()
    if isinstance(found, Image.Image):
        return np.asarray(found.convert("RGB") if found.mode in ("P", "1") else found)
    return found


def _as_rgb(image: NDArray[np.uint8]) -> Picture:
    """Grey or RGB, or either with a channel of transparency, of height x width x channels."""
    if image.shape[2] in (2, 4):
        alpha = image[:, :, -1:].astype(np.int64)
        image = ((image[:, :, :-1] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    image = np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
