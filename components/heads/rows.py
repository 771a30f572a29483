"""Trained rows: vectors that a gradient moves and that no image makes (AdCo's negatives, queries, prototypes)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import Count, Positive


@component(source="arXiv:2011.08435, section 3.2", title="trained rows", role="rows", rows="raw")
class Rows(nn.Module):
    """The rows themselves: a flow calls it without an input, n: l2(bank()).

    Settings:
        count: rows.
        dim: their width, for example that of the head whose features they meet: $nets.g.out.
        std: deviation of their normal numbers at the start.
    """

    def __init__(self, *, count: Count, dim: Count, std: Positive = 1.0) -> None:
        super().__init__()
        self.std = std
        self.rows = nn.Parameter(torch.randn(count, dim) * std)

    def forward(self) -> Float[Tensor, "count dim"]:
        return self.rows

    def reset(self) -> None:
        """Fresh rows in place, from torch's generator: whoever calls it seeds that alike on all ranks."""
        nn.init.normal_(self.rows, std=self.std)
