"""Measures on a few rows of features whether a net still distinguishes images."""

from __future__ import annotations

from functools import lru_cache

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn.functional import normalize

from sslgraph import draws

ROWS = 256  # looked at, of however many there are


def rows_of(features: Tensor) -> Float[Tensor, "rows dim"]:
    """At most ROWS rows, drawn fairly: of tokens [B, T, D] and maps [B, D, H, W] every place is a row."""
    if features.ndim == 4:
        features = features.movedim(1, -1)
    rows = features.flatten(0, -2)
    return rows.float() if len(rows) <= ROWS else rows[_fair(len(rows)).to(rows.device)].float()


@lru_cache(64)
def _fair(count: int) -> Int64[Tensor, "rows"]:
    return draws.fair(count, ROWS)


def vitals(rows: Float[Tensor, "rows dim"]) -> dict[str, Tensor]:
    """Values of 0 dimensions, and the matrix whose eigenvalues give the effective rank; nothing waits for the device.

    std:    of rows of unit length, mean over features, times sqrt(dim); 1 if directions are uniform, 0 if all are one
            (arXiv:2011.10566, figure 2).
    cosine: mean over pairs of different rows; 1 if all are one.
    gram:   rows.T rows or rows rows.T, whichever is smaller, over its mean eigenvalue; see `effective_rank`.
    """
    count, dim = rows.shape
    unit = normalize(rows, dim=1)
    cosine = (unit.sum(0).square().sum() - unit.square().sum()) / max(count * (count - 1), 1)
    gram = rows.T @ rows if dim < count else rows @ rows.T
    gram = gram / gram.diagonal().mean().clamp_min(1e-30)
    return {"std": unit.std(0, correction=0).mean() * dim**0.5, "cosine": cosine, "gram": gram}


def pair(one: Float[Tensor, "rows dim"], other: Float[Tensor, "rows dim"]) -> dict[str, Tensor]:
    """Alignment and uniformity (arXiv:2005.10242, equations 1 and 2) of two views of the same images.

    align:   mean squared distance of the two, both of unit length; 0 at best, 2 if they have nothing in common.
    uniform: log of the mean of exp(-2 distance^2) over pairs of different images; 0 if all are one, -4 if spread.
    """
    one, other = normalize(one, dim=1), normalize(other, dim=1)
    distance = (2 - 2 * one @ one.T).clamp_min(0)
    apart = ~torch.eye(len(one), dtype=torch.bool, device=one.device)
    return {
        "align": (one - other).square().sum(1).mean(),
        "uniform": torch.where(apart, (-2 * distance).exp(), 0)
        .sum()
        .div(max(apart.shape[0] * (apart.shape[0] - 1), 1))
        .log(),
    }


def effective_rank(gram: Float[Tensor, "n n"]) -> float:
    """exp of the entropy of the singular values' shares: RankMe (arXiv:2210.02885) of these rows, without its epsilon.

    From 1, if all rows are multiples of one, to min(rows, dim). Not centred: constant rows give 1, whatever noise.
    """
    if not bool(gram.isfinite().all()):
        return float("nan")
    values = torch.linalg.eigvalsh(gram.double()).clamp_min(0).sqrt()
    # The matrix is exact to 1e-7 of its largest eigenvalue, so below the root of that there is nothing but rounding.
    values = values[values > values.max() * 1e-3]
    shares = values / values.sum()
    return float((-(shares * shares.log()).sum()).exp()) if len(values) else 0.0
