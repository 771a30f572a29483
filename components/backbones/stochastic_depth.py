"""Stochastic depth of transformers, drawn for each sample: which terms of which blocks are skipped."""

from jaxtyping import Float
from torch import Tensor

from sslgraph.draws import Draw, uniform


def kept_terms(draw: Draw | None, rates: Float[Tensor, "depth"]) -> Float[Tensor, "batch depth 2"]:
    """Factors of each block's two terms: 0 for a skipped one, 1 / (1 - rate) for a kept one."""
    if draw is None:
        raise ValueError("drop_path is drawn for each sample: give the port draw, or set drop_path: 0")
    chances = uniform(draw, 2 * len(rates)).unflatten(1, (-1, 2))
    rates = rates[:, None]
    keep: Tensor = (chances >= rates).to(rates.dtype) / (1 - rates)
    return keep
