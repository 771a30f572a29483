"""What embedded images are drawn with: planes of coordinates, colours, strokes, waves; a row for each image."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from .outlines import Field, Plane

Index = Int64[Tensor, "batch"]
Column = Float[Tensor, "batch 1"]


def grid(count: int, side: int) -> tuple[Plane, Plane]:
    """Pixel centres from -1 to 1, x to the right and y up, one row an image."""
    line = (torch.arange(side) + 0.5) * 2 / side - 1
    y, x = torch.meshgrid(-line, line, indexing="ij")
    return x.flatten().expand(count, -1), y.flatten().expand(count, -1)


def over(below: Tensor, paint: Tensor, coverage: Plane) -> Float[Tensor, "batch 3 pixels"]:
    """Paint where it covers, what is below elsewhere."""
    return torch.lerp(below, paint, coverage[:, None])


def rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Float[Tensor, "batch 3 1"]:
    """The colour of a hue counted in turns, with saturation and value from 0 to 1."""
    sector = (torch.tensor([5.0, 3.0, 1.0]) + 6 * hue[:, None]) % 6
    drop = saturation[:, None] * torch.minimum(sector, 4 - sector).clamp(0, 1)
    return (value[:, None] * (1 - drop))[:, :, None]


def wave(x: Plane, y: Plane, turn: Column, phase: Column, pitch: Column | float) -> Plane:
    """A sine of `pitch` periods a unit; direction in half turns, phase in turns."""
    along = (math.pi * turn).cos() * x + (math.pi * turn).sin() * y
    return (2 * math.pi * (pitch * along + phase)).sin()


def stroke(x: Plane, y: Plane, start: Float[Tensor, "batch 2"], reach: Float[Tensor, "batch 2"]) -> Plane:
    """Distance from the segment that leaves `start` by `reach`."""
    across, along = x - start[:, :1], y - start[:, 1:]
    length = reach.square().sum(1, keepdim=True) + 1e-6
    share = ((across * reach[:, :1] + along * reach[:, 1:]) / length).clamp(0, 1)
    return torch.hypot(across - share * reach[:, :1], along - share * reach[:, 1:])


def by_kind(kind: Index, fields: Sequence[Field], u: Plane, v: Plane) -> Plane:
    """Row i by the field that kind[i] numbers."""
    out = torch.zeros_like(u)
    for number, field in enumerate(fields):
        rows = (kind == number).nonzero()[:, 0]
        out[rows] = field(u[rows], v[rows])
    return out
