"""Swapped prediction (SwAV): each view predicts the cluster code of another view of its image."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import PositiveScalar

Pairs = Literal["different_views", "same_view", "all"]


@component(
    source="arXiv:2006.09882, equations 1 and 2, and section 3.2 for more than two crops",
    title="swapped prediction",
    kind="cross-entropy",
    sane={"temperature": (0.03, 1.0)},
)
class SwAV(nn.Module):
    """Cross-entropy between a view's code and the prediction made from another view.

        loss = mean over codes i, mean over views v != i, mean over the batch of
               - sum_k code[i, k] log softmax_k(scores[v] / temperature)

    Code i belongs to view i of `scores`; the views behind the last code (small crops) only predict.

    Settings:
        pairs: which view predicts which code: all but its own (SwAV), only its own, or all, where codes are those of
            views that are not among the scores (MSN).
        temperature: divides the scores of the prediction (not of the code), no unit.
    """

    def __init__(self, *, pairs: Pairs = "different_views", temperature: PositiveScalar = 0.1) -> None:
        super().__init__()
        self.pairs: Pairs = pairs
        self.temperature = temperature

    def forward(
        self, scores: Float[Tensor, "views batch prototypes"], codes: Float[Tensor, "views_coded batch prototypes"]
    ) -> Float[Tensor, ""]:
        return soft_cross_entropy(codes, scores / self.temperature, pairs=self.pairs)

    def landmarks(
        self, scores: Float[Tensor, "views batch prototypes"], codes: Float[Tensor, "views_coded batch prototypes"]
    ) -> dict[str, float]:
        """Uniform predictions, and equally images that all score alike: the log of the number of prototypes."""
        uniform = math.log(scores.shape[-1])
        return {"chance": uniform, "collapsed": uniform}

    def monitors(
        self, scores: Float[Tensor, "views batch prototypes"], codes: Float[Tensor, "views_coded batch prototypes"]
    ) -> dict[str, Tensor]:
        """How sharp predictions and codes are (1: uniform), and how many prototypes the predictions use in effect."""
        says, codes = (scores.float() / self.temperature).softmax(-1).flatten(0, 1), codes.float().flatten(0, 1)
        whole = math.log(says.shape[1])
        return {
            "prediction_entropy": entropy(says).mean() / whole,
            "code_entropy": entropy(codes).mean() / whole,
            "prototypes_used": entropy(says.mean(0)).exp(),
        }


def entropy(shares: Tensor) -> Tensor:
    """- sum p log p over the last axis."""
    return -(shares * shares.clamp_min(1e-30).log()).sum(-1)


def soft_cross_entropy(targets: Tensor, logits: Tensor, *, pairs: Pairs) -> Tensor:
    """Mean over the pairs (target view, predicting view) and the batch of - sum_k target_k log softmax(logits)_k."""
    # One matrix product over (image, class) holds the cross-entropies of all pairs of views.
    likelihood = targets.flatten(1) @ logits.log_softmax(-1).flatten(1).T / targets.shape[1]
    chosen = _chosen(pairs, likelihood)
    count = _count(pairs, len(targets), len(logits))
    if count == 0:
        raise ValueError(
            f"pairs: {pairs} finds no pair among {len(targets)} target and {len(logits)} predicting views; "
            "give it more views or other pairs"
        )
    return -(likelihood * chosen).sum() / count


def _chosen(pairs: Pairs, table: Tensor) -> Tensor:
    same = torch.eye(*table.shape, device=table.device, dtype=table.dtype)
    return {"different_views": 1 - same, "same_view": same, "all": torch.ones_like(same)}[pairs]


def _count(pairs: Pairs, targets: int, views: int) -> int:
    same = min(targets, views)
    return {"different_views": targets * views - same, "same_view": same, "all": targets * views}[pairs]
