"""The outlines of sources.shapes: how far each point lies outside a shape of about unit radius, negative inside."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Plane = Float[Tensor, "batch pixels"]
Field = Callable[[Plane, Plane], Plane]


def _polygon(u: Plane, v: Plane, sides: int, apothem: float) -> Plane:
    """A regular polygon with a corner at the top."""
    turns = [2 * math.pi * (k + 0.5) / sides for k in range(sides)]
    return torch.stack([math.sin(turn) * u + math.cos(turn) * v for turn in turns]).amax(0) - apothem


def _box(u: Plane, v: Plane, width: float, height: float) -> Plane:
    return torch.maximum(u.abs() - width, v.abs() - height)


def _disc(u: Plane, v: Plane, radius: float) -> Plane:
    return torch.hypot(u, v) - radius


def _star(u: Plane, v: Plane) -> Plane:
    radius, fold = torch.hypot(u, v), math.pi / 5
    angle = ((torch.atan2(u, v) + fold) % (2 * fold) - fold).abs()
    # The edge from a tip at distance 1 to a notch at distance 0.42, with its outward normal.
    across, along = 0.42 * math.sin(fold), 1 - 0.42 * math.cos(fold)
    return ((radius * angle.cos() - 1) * across + radius * angle.sin() * along) / math.hypot(across, along)


def _heart(u: Plane, v: Plane) -> Plane:
    u, v = u.abs(), v + 0.1
    point = (u + v.abs()) / math.sqrt(2) - 0.6
    return torch.minimum(point, _disc(u - 0.424, v - 0.424, 0.6))


def _arrow(u: Plane, v: Plane) -> Plane:
    head = torch.maximum(-u, 0.78 * (u - 0.9) + 0.62 * v.abs())
    return torch.minimum(head, _box(u + 0.4, v, 0.5, 0.22))


OUTLINES: dict[str, Field] = {
    "circle": lambda u, v: _disc(u, v, 0.8),
    "square": lambda u, v: _box(u, v, 0.7, 0.7),
    "triangle": lambda u, v: _polygon(u, v + 0.15, 3, 0.5),
    "star": _star,
    "cross": lambda u, v: torch.minimum(_box(u, v, 0.27, 0.9), _box(u, v, 0.9, 0.27)),
    "ring": lambda u, v: _disc(u, v, 0.68).abs() - 0.2,
    "crescent": lambda u, v: torch.maximum(_disc(u, v, 0.85), -_disc(u - 0.4, v, 0.68)),
    "hexagon": lambda u, v: _polygon(u, v, 6, 0.75),
    "heart": _heart,
    "arrow": _arrow,
}
