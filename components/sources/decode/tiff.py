"""TIFF images that Pillow reads in eight bits or not at all: more bits, signs, fractions, any number of channels."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MOST_PAGES, MOST_SAMPLES = 64, 2**29
ALPHA = {1, 2}  # extra samples that are transparency

Array = NDArray[Any]


class TiffError(ValueError):
    """A whole file that is not read, with the reason as it is said."""


def numbers_in(data: bytes) -> Array | None:
    """Height x width x channels of the first image; None if Pillow reads all that it has."""
    with _pages(data) as pages:
        page = next(pages)
        bits, channels = np.max(page.bitspersample), page.samplesperpixel
        is_plain = bits <= 8 and channels in (1, 3, 4) and np.max(page.sampleformat) == 1
        return None if is_plain else _read(page)


def channels_of_pages(data: bytes) -> Array | None:
    """The pages of a file as channels, as microscopes write them; None for one page, or pages that have channels."""
    with _pages(data) as pages:
        found = [_read(page) for page, _ in zip(pages, range(MOST_PAGES), strict=False) if page.samplesperpixel == 1]
    if len({(one.shape, one.dtype) for one in found}) > 1:
        raise ValueError("its pages differ in size or kind, so they are no channels of one image")
    return np.concatenate(found, axis=2) if len(found) > 1 else None


def has_alpha(data: bytes) -> bool:
    """Whether the file says that a channel is transparency."""
    with _pages(data) as pages:
        return bool(ALPHA & {int(kind) for kind in next(pages).extrasamples})


@contextmanager
def _pages(data: bytes) -> Iterator[Iterator[Any]]:
    """The pages of a file; ValueError if it is damaged."""
    import tifffile

    logging.getLogger(tifffile.__name__).setLevel(logging.CRITICAL)  # it tells of each odd field of each file
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            yield iter(file.pages)
    except TiffError:
        raise
    except Exception as reason:  # it raises anything on damaged bytes
        raise ValueError(f"a damaged TIFF file ({reason or type(reason).__name__})") from reason


def _read(page: Any) -> Array:
    from tifffile import TIFF

    if page.size > MOST_SAMPLES:
        raise TiffError(f"it claims {page.size:,} samples, which is too many")
    if page.compression not in TIFF.DECOMPRESSORS:
        raise TiffError(f"its compression {int(page.compression)} is not known: save it with deflate")
    found: Array = page.asarray()
    if not found.size:
        raise TiffError("it has no pixels")
    found = np.moveaxis(found, 0, -1) if page.axes.startswith("S") else found
    return found if page.axes.count("S") else found[..., None]
