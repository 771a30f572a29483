"""The 313 classes of colour that sRGB can show: corners of the 10 x 10 squares of the ab plane that it touches."""

from __future__ import annotations

from functools import cache
from itertools import product

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from .lab import Lab

STEP = 10
# An image with no |a| or |b| above it is grey: it has no colours to learn from.
GREY = 5.0

Point = tuple[float, float]


@cache
def centres() -> tuple[tuple[int, int], ...]:
    """(a, b) of every class, a ascending, then b ascending; the same 313 as in the authors' table.

    A square counts if it meets the convex hull of all colours' (a, b); its four corners are classes.
    """
    hull = _hull(_edges())
    squares = [(a, b) for a, b in product(range(-110, 110, STEP), range(-120, 120, STEP)) if _meets(hull, a, b)]
    return tuple(sorted({(a + i, b + j) for a, b in squares for i, j in product((0, STEP), repeat=2)}))


def table() -> Float[Tensor, "classes 2"]:
    """The centres as a tensor."""
    return torch.tensor(centres(), dtype=torch.float32)


def at_places(values: Float[Tensor, "batch dim height width"], rows: int, columns: int) -> Tensor:
    """The pixel in the middle of each place of a smaller map, not the mean: that would fade colours. Features last."""
    middle = [
        torch.arange(places, device=values.device) * side // places + side // (2 * places)
        for places, side in ((rows, values.shape[2]), (columns, values.shape[3]))
    ]
    return values[:, :, middle[0][:, None], middle[1]].movedim(1, -1)


def distances(ab: Float[Tensor, "batch rows columns 2"], table: Float[Tensor, "classes 2"]) -> Tensor:
    """Squared distances to all centres, up to the part that is the same for all: |centre|^2 - 2 ab . centre."""
    return table.square().sum(1) - 2 * ab @ table.T


def without_grey(
    labels: Int64[Tensor, "batch rows columns"], ab: Float[Tensor, "batch rows columns 2"], ignore: int = -100
) -> Int64[Tensor, "batch rows columns"]:
    """The labels, with `ignore` on all places of images that are grey."""
    is_grey = (ab.abs() <= GREY).flatten(1).all(1)
    return torch.where(is_grey[:, None, None], ignore, labels)


def refuse_grey(images: list[Tensor], part: str) -> None:
    """ValueError if all of these images, bytes or 0..1, have three equal channels."""
    if all(bool((image[0] == image[1]).all() and (image[1] == image[2]).all()) for image in images):
        looked = f"all {len(images)} images that were looked at are grey"
        raise ValueError(f"{part} learns from colours, and {looked}; give images in colour")


def _edges() -> list[Point]:
    """(a, b) of the colours on the edges of the RGB cube, which span the hull of all."""
    steps = [i / 255 for i in range(256)]
    ends = [rgb for axis in range(3) for ends in product((0.0, 1.0), repeat=2) for step in steps
            for rgb in [(*ends[:axis], step, *ends[axis:])]]  # fmt: skip
    with torch.device("cpu"):
        ab = Lab()(torch.tensor(ends, dtype=torch.float64).T[None, :, None]).ab[0, :, 0].T
    return [(a, b) for a, b in ab.tolist()]


def _hull(points: list[Point]) -> list[Point]:
    """Counter-clockwise corners of the convex hull (monotone chain)."""
    found: list[Point] = []
    for some in (sorted(points), sorted(points, reverse=True)):
        chain: list[Point] = []
        for point in some:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        found += chain[:-1]
    return found


def _turn(one: Point, other: Point, third: Point) -> float:
    return (other[0] - one[0]) * (third[1] - one[1]) - (other[1] - one[1]) * (third[0] - one[0])


def _meets(hull: list[Point], a: float, b: float) -> bool:
    """Whether a closed square meets the hull: no side of either keeps them apart."""
    corners = [(a + i, b + j) for i, j in product((0, STEP), repeat=2)]
    beside = (max(x for x, _ in hull) < a or min(x for x, _ in hull) > a + STEP
              or max(y for _, y in hull) < b or min(y for _, y in hull) > b + STEP)  # fmt: skip
    sides = zip(hull, [*hull[1:], hull[0]], strict=True)
    return not beside and all(any(_turn(one, other, corner) >= 0 for corner in corners) for one, other in sides)
