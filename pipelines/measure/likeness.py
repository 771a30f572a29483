"""How similar images are to an encoder: cosines of centred features, and the groups of near ones."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from networkx import Graph, connected_components
from torch import Tensor

CHUNK = 1024  # images compared with all others at a time

Rows = Float[Tensor, "images dim"]


def mean_of(features: Rows) -> Float[Tensor, "1 dim"]:
    """The mean of features of length 1, which all images share and which says nothing of any."""
    return F.normalize(features, dim=1).mean(0, keepdim=True)


def directions(features: Rows, mean: Float[Tensor, "1 dim"]) -> Rows:
    """Features of length 1, less a mean, of length 1 again: their products are cosines."""
    return F.normalize(F.normalize(features, dim=1) - mean, dim=1)


def groups(rows: Rows, above: float) -> Iterator[list[int]]:
    """Directions that a chain of cosines above this joins, in rising order; the largest group first.

    Each is compared with each, so the work grows with the square of their number.
    """
    pairs = Graph()
    for start in range(0, len(rows), CHUNK):
        near = (rows[start : start + CHUNK] @ rows.T > above).nonzero()
        pairs.add_edges_from((start + one, other) for one, other in near.tolist() if start + one < other)
    for group in sorted(connected_components(pairs), key=lambda some: (-len(some), min(some))):
        yield sorted(group)


def highest(rows: Rows, others: Rows) -> tuple[Float[Tensor, "images"], Int64[Tensor, "images"]]:
    """The cosine of each direction with the nearest of others, and which that is."""
    found = [(chunk @ others.T).max(1) for chunk in rows.split(CHUNK)]
    return torch.cat([one.values for one in found]), torch.cat([one.indices for one in found])
