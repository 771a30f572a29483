"""Ten patterns that fill the image: embedded data from which methods without negatives learn in minutes, too."""

from __future__ import annotations

import math
from typing import Unpack

import torch
import torch.nn.functional as F
from jaxtyping import Int64, UInt8
from torch import Tensor

from sslgraph.component import component
from sslgraph.ranges import Count

from .albums.drawn import Drawn, DrawnSettings
from .canvas.canvas import Column, by_kind, grid, rgb
from .canvas.outlines import Field, Plane

Index = Int64[Tensor, "batch"]
POINTS = 36  # of cells
APART = 0.15  # least difference in brightness of an image's two colours
FINE = 2  # points a side of each pixel: edges are soft
NOISE = 0.07


def _folded(t: Plane) -> Plane:
    return (t % 1 - 0.5).abs() * 2


# How much of the first colour there is at a point of the plane, whose unit is one period.
FIELDS: dict[str, Field] = {
    "stripes": lambda u, _: (u % 1 < 0.5).float(),
    "checks": lambda u, v: (u.floor() + v.floor()) % 2,
    "dots": lambda u, v: (torch.hypot(u % 1 - 0.5, v % 1 - 0.5) < 0.33).float(),
    "grid": lambda u, v: ((u % 1 < 0.22) | (v % 1 < 0.22)).float(),
    "bricks": lambda u, v: (((u / 2 + v.floor() % 2 / 2) % 1 < 0.12) | (v % 1 < 0.22)).float(),
    "waves": lambda u, v: ((u + 0.35 * (2 * math.pi * v).sin()) % 1 < 0.5).float(),
    "rings": lambda u, v: (torch.hypot(u, v) % 1 < 0.5).float(),
    "zigzag": lambda u, v: ((u + _folded(v)) % 1 < 0.5).float(),
    "plaid": lambda u, v: ((u % 1 < 0.5).float() + (v % 1 < 0.5).float()) / 2,
}
PATTERNS = (*FIELDS, "cells")


@component(source="own")
class Patterns(Drawn):
    """Images whose class is a pattern, with angle, pitch, colours, light and noise drawn independently of it.

    Every crop shows the pattern, so two views of an image agree on it and on little else. In `sources.shapes` they may
    agree on a smooth background. Image i is a function of (seed, split, i) alone.

    Settings:
        images, test_images: how many images each split has.
    """

    kind = "patterns"

    def __init__(
        self, *, images: Count = 10_000, test_images: Count = 2_000, size: Count = 40, **shared: Unpack[DrawnSettings]
    ) -> None:
        super().__init__(size=size, **shared)
        everyone = torch.arange(images if self.split == "train" else test_images)
        self.choose(self._pattern(everyone), PATTERNS)

    def render(self, indices: Index) -> UInt8[Tensor, "batch 3 height width"]:
        """These images, drawn anew: the pattern in two colours, light over it, noise over all."""
        x, y = grid(len(indices), FINE * self.side)
        covered = self._covered(indices, x / 2, y / 2)
        inverted = self.uniform(indices, "inverted", 1) < 0.5
        first, second = self._colours(indices)
        image = torch.lerp(second, first, torch.where(inverted, 1 - covered, covered)[:, None])
        slope = self.uniform(indices, "light", 2) - 0.5
        image = image * (1 + slope[:, :1] * x / 2 + slope[:, 1:] * y / 2)[:, None]
        image = F.avg_pool2d(image.view(-1, 3, FINE * self.side, FINE * self.side), FINE)
        noise = self.uniform(indices, "noise", 3 * self.side**2).view_as(image)
        return ((image + NOISE * (2 * noise - 1)).clamp(0, 1) * 255).round().to(torch.uint8)

    def _pattern(self, indices: Index) -> Index:
        return self.one_of(indices, "pattern", len(PATTERNS))

    def _covered(self, indices: Index, x: Plane, y: Plane) -> Plane:
        """How much of the first colour each point has."""
        turn, pitch, aspect, right, up = self.uniform(indices, "viewpoint", 5).split(1, dim=1)
        angle, pitch, aspect = 2 * math.pi * turn, 3 + 3.5 * pitch, 0.8 + 0.45 * aspect
        u = (angle.cos() * x + angle.sin() * y) * pitch * aspect + right
        v = (angle.cos() * y - angle.sin() * x) * pitch / aspect + up
        kind = self._pattern(indices)
        covered = by_kind(kind, [*FIELDS.values(), lambda u, _: 0 * u], u, v)
        rows = (kind == PATTERNS.index("cells")).nonzero()[:, 0]
        covered[rows] = self._cells(indices[rows], x[rows], y[rows], pitch[rows])
        return covered

    def _cells(self, indices: Index, x: Plane, y: Plane, pitch: Column) -> Plane:
        """The walls between the regions of points: where the two nearest ones are about equally far."""
        across, along = (1.4 * self.uniform(indices, f"points {axis}", POINTS) - 0.7 for axis in "xy")
        far = torch.hypot(x[:, :, None] - across[:, None], y[:, :, None] - along[:, None])
        is_there = torch.arange(POINTS) < (0.8 * pitch.square()).floor() + 3
        nearest, which = far.masked_fill_(~is_there[:, None], math.inf).min(2)
        next_ = far.scatter_(2, which[:, :, None], math.inf).amin(2)
        return (next_ - nearest < 0.06).float()

    def _colours(self, indices: Index) -> tuple[Tensor, Tensor]:
        """Two colours of an image, the second moved away in brightness where they are too near."""
        r = self.uniform(indices, "colours", 6)
        first = rgb(r[:, 0], 0.1 + 0.8 * r[:, 1], 0.15 + 0.85 * r[:, 2])
        second = rgb(r[:, 3], 0.1 + 0.8 * r[:, 4], 0.15 + 0.85 * r[:, 5])
        brightness = first.mean(1, keepdim=True)
        is_near = (brightness - second.mean(1, keepdim=True)).abs() < APART
        moved = torch.where(brightness < 0.5, second + 0.5 * (1 - second), 0.4 * second)
        return first, torch.where(is_near, moved, second)
