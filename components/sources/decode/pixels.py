"""Pixels that are more than bytes: which of their numbers is black and which is white."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sslgraph.errors import SslgraphError

Array = NDArray[Any]
Range = Sequence[float] | Literal["auto"] | None

MOST_CHANNELS = 16  # that an image may give
SAMPLE = 32  # images whose numbers say the range
SHARES = (0.1, 99.9)  # per cent of the numbers that lie below black and below white, by "auto"
TWELVE, SIXTEEN = 2**12, 2**16
# 16-bit images that reach so far use all their bits.
BRIGHT = 2**14
KINDS = {"12": "16-bit numbers", "16": "16-bit numbers", "i": "whole numbers", "f": "fractions"}


class Scaling:
    """Brings such pixels to 0..255 by one range for all images of a set: a stated one, or one that is found.

    `wanted` is [black, white]; "auto", from the numbers of some images, for each kind of number apart; or None: 16 bits
    that are used whole are scaled by 65,535, and all else is refused, for it would become black or white in silence.
    `channels` are those that are taken where there are more. `sample` gives some images as they are stored, the
    same ones for every split. Sixteen-bit images that stay below 4,096 are twelve-bit ones if a third or more of all
    are; else they are dark.
    """

    def __init__(
        self, wanted: Range, sample: Callable[[], Iterable[Array]] = tuple, where: str = "its file",
        channels: Sequence[int] | None = None,
    ) -> None:  # fmt: skip
        if channels is not None and (not 2 <= len(channels) <= MOST_CHANNELS or min(channels) < 0):
            raise SslgraphError(
                f"channels: {list(channels)} names {len(channels)}; name 2 to {MOST_CHANNELS} of them, counted from 0"
            )
        if wanted is not None and wanted != "auto" and (len(wanted) != 2 or not wanted[0] < wanted[1]):
            raise SslgraphError(f"range: {wanted} is no range; write [black, white], such as [0, 4095], or auto")
        self.wanted, self.sample, self.where, self.channels = wanted, sample, where, channels
        self._measured: dict[str, tuple[float, float, float, float]] | None = None
        self._lock = threading.Lock()

    def bytes_of(self, image: Array) -> NDArray[np.uint8]:
        """The same image in bytes."""
        if image.dtype == np.uint8:
            return image
        black, white = self.bounds(image)
        shares = (image.astype(np.float64) - black) / (white - black)
        scaled: NDArray[np.uint8] = (np.nan_to_num(shares, nan=0.0).clip(0, 1) * 255).round().astype(np.uint8)
        return scaled

    def bounds(self, image: Array) -> tuple[float, float]:
        """Which numbers of this image's kind are black and white."""
        if self.wanted is not None and self.wanted != "auto":
            return float(self.wanted[0]), float(self.wanted[1])
        low, high, least, most = self._found(image)
        if self.wanted == "auto":
            return (low, high) if high > low else (low, low + 1)
        if image.dtype == np.uint16 and (most >= BRIGHT or not image.any()):
            return 0.0, SIXTEEN - 1.0
        if image.dtype == np.uint16:
            least, white = 0.0, float(2 ** int(most).bit_length() - 1)
        elif least >= -1 and most <= 1:
            least, white = -1.0 if least < 0 else 0.0, 1.0
        elif least >= 0 and most <= 255:
            least, white = 0.0, 255.0
        else:
            white = most
        raise SslgraphError(
            f"{self.where}: its images hold {KINDS[_kind(image)]} ({image.dtype}) up to {most:g}, and nothing says\n"
            f"  which are black and white: set data.range: [{least:g}, {white:g}], or data.range: auto"
        )

    def _found(self, image: Array) -> tuple[float, float, float, float]:
        with self._lock:
            if self._measured is None:
                self._measured = _measured(self.sample())
        kind = _kind(image)
        if kind == "12" and "12" not in self._measured and "16" in self._measured:
            kind = "16"
        return self._measured.get(kind) or _measured([image])[_kind(image)]


def _measured(images: Iterable[Array]) -> dict[str, tuple[float, float, float, float]]:
    """Of each kind of number: black, white, the least and the greatest, over all images of the kind."""
    numbers: dict[str, list[Array]] = {}
    for image in images:
        if image.dtype != np.uint8:
            there = image[np.isfinite(image)].ravel()
            numbers.setdefault(_kind(image), []).append(there[:: max(1, there.size // 2**18)])
    low, high = len(numbers.get("12", ())), len(numbers.get("16", ()))
    if high and 2 * low < high:
        numbers["16"] += numbers.pop("12", [])
    found = {}
    for kind, pieces in numbers.items():
        values = np.concatenate(pieces)
        if values.size:
            black, white = np.percentile(values, SHARES)
            found[kind] = (float(black), float(white), float(values.min()), float(values.max()))
    return found


def _kind(image: Array) -> str:
    if image.dtype.kind == "f":
        return "f"
    if image.dtype != np.uint16:
        return "i"
    return "12" if image.size and int(image.max()) < TWELVE else "16"
