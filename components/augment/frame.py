"""Where a view looks: a rectangle of the source, its resampling and its mirroring, as whole numbers for each sample.

Geometric steps only move a frame; no pixel is touched until `resample` runs it. So a crop, a resize and a flip that
follow each other cost one resampling, and the box of a view is known without looking at its pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

Pixels = Int64[Tensor, "rows"]


@dataclass(frozen=True)
class Axis:
    """One axis of a frame, in pixels: `length` source pixels from `start` on become `grid` pixels, of which the view
    sees `size` from `offset` on; an offset beyond the grid sees it mirrored at its border, without the border twice.
    """

    source: Pixels
    start: Pixels
    length: Pixels
    grid: Pixels
    offset: Pixels
    size: Pixels

    @staticmethod
    def whole(source: Pixels) -> Axis:
        """All of the source, as it is."""
        return Axis(source, torch.zeros_like(source), source, source, torch.zeros_like(source), source)

    def cropped(self, offset: Pixels, size: Pixels) -> Axis:
        """`size` pixels of what is seen now, from `offset` on."""
        return replace(self, offset=self.offset + offset, size=size)

    def moved(self, by: Pixels) -> Axis:
        """So many pixels further, in whole pixels of the source; no further than there is something to see."""
        inner = (self.offset + by).clamp(self.offset.clamp_max(0), (self.grid - self.size).maximum(self.offset))
        outer = (self.start + (by * self.length / self.grid).round().long()).clamp_min(0)
        is_whole = self.size == self.grid  # all that was resampled is seen, so the window of the source moves
        start = torch.where(is_whole, outer.minimum(self.source - self.length), self.start)
        return replace(self, start=start, offset=torch.where(is_whole, self.offset, inner))

    def resized(self, size: Pixels) -> Axis:
        """What is seen now on `size` pixels; only right where the grid is still the source's own."""
        return Axis(self.source, self.start + self.offset, self.size, size, torch.zeros_like(size), size)

    def edges(self) -> tuple[Float64[Tensor, "rows"], Float64[Tensor, "rows"]]:
        """First and last edge of what is seen, as fractions of the source."""
        step = self.length.double() / self.grid
        first = self.start + self.offset * step
        return first / self.source, (first + self.size * step) / self.source

    def of(self, rows: slice) -> Axis:
        """The same axis for some of the samples."""
        values = (self.source, self.start, self.length, self.grid, self.offset, self.size)
        return Axis(*(value[rows] for value in values))


@dataclass(frozen=True)
class Frame:
    """What each view of a batch sees of its source. `before` holds an earlier resampling that could not be merged."""

    rows: Axis
    columns: Axis
    flip: Bool[Tensor, "rows"]
    interpolation: str = "bilinear"
    is_cropped: bool = False
    is_padded: bool = False
    is_resampled: bool = False
    before: Frame | None = None

    @staticmethod
    def whole(heights: Pixels, widths: Pixels) -> Frame:
        """All of every image, as it is."""
        return Frame(Axis.whole(heights), Axis.whole(widths), torch.zeros_like(heights, dtype=torch.bool))

    def __len__(self) -> int:
        return len(self.flip)

    def mirrored(self, where: Bool[Tensor, "rows"]) -> Frame:
        """Left and right exchanged for the samples `where` says so."""
        return replace(self, flip=self.flip ^ where)

    def cropped(self, top: Pixels, left: Pixels, height: Pixels, width: Pixels) -> Frame:
        """A rectangle of what is seen now."""
        left = torch.where(self.flip, self.columns.size - left - width, left)
        rows, columns = self.rows.cropped(top, height), self.columns.cropped(left, width)
        return replace(self, rows=rows, columns=columns, is_cropped=True)

    def moved(self, down: Pixels, right: Pixels) -> Frame:
        """What lies so many pixels of the view further down and right, as far as the image goes."""
        return replace(self, rows=self.rows.moved(down), columns=self.columns.moved(right))

    def padded_crop(self, top: Pixels, left: Pixels, height: Pixels, width: Pixels) -> Frame:
        """A rectangle that may reach beyond what is seen now, whose mirror image continues it there."""
        ready = self.settled() if self.is_cropped else self
        return replace(ready.cropped(top, left, height, width), is_padded=True)

    def resized(self, height: Pixels, width: Pixels, interpolation: str) -> Frame:
        """What is seen now, on another number of pixels."""
        ready = self.settled() if self.is_resampled or self.is_padded else self
        rows, columns = ready.rows.resized(height), ready.columns.resized(width)
        return replace(
            ready, rows=rows, columns=columns, interpolation=interpolation, is_cropped=False, is_resampled=True
        )

    def settled(self) -> Frame:
        """A fresh frame over what is seen now: two resamplings of one image are not one."""
        return replace(Frame.whole(self.rows.size, self.columns.size), before=self)

    def box(self) -> Float[Tensor, "rows 4"]:
        """Left, top, right, bottom of what is seen, as fractions of the first source; mirroring leaves it in place."""
        return torch.stack(self._edges(), 1).float()

    def is_mirrored(self) -> Bool[Tensor, "rows"]:
        """Whether left and right are exchanged, with regard to the first source."""
        return self.flip ^ self.before.is_mirrored() if self.before else self.flip

    def of(self, rows: slice) -> Frame:
        """The same frame for some of the samples."""
        before = self.before.of(rows) if self.before else None
        return replace(
            self, rows=self.rows.of(rows), columns=self.columns.of(rows), flip=self.flip[rows], before=before
        )

    def _edges(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        (top, bottom), (left, right) = self.rows.edges(), self.columns.edges()
        if self.before is None:
            return left, top, right, bottom
        flip = self.before.is_mirrored()
        left, right = torch.where(flip, 1 - right, left), torch.where(flip, 1 - left, right)
        outer_left, outer_top, outer_right, outer_bottom = self.before._edges()
        width, height = outer_right - outer_left, outer_bottom - outer_top
        return (
            outer_left + left * width,
            outer_top + top * height,
            outer_left + right * width,
            outer_top + bottom * height,
        )
