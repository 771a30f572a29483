"""The running mean of the teacher's outputs, which the loss takes off so that no prototype wins everywhere (DINO)."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component, filled, writes
from sslgraph.ranges import Count, ShareScalar


@component(source="arXiv:2104.14294, equation 4; arXiv:2111.07832, section 3.2, for patches", role="centre")
class Center(nn.Module):
    """An exponential moving average of a batch mean.

        center <- momentum * center + (1 - momentum) * mean over views, images, places and ranks of the raw logits

    Reads:  the centre, zeros before the first write.
    Writes: `update`, with the logits of one step; the loss of that step has seen the centre before it.

    Settings:
        momentum: weight of the old centre, from 0 to 1, no unit.
        dim: numbers in the centre; filled from the logits.
        gather: the mean over all ranks, or over this rank's images only.
    """

    center: Tensor

    def __init__(
        self,
        *,
        momentum: ShareScalar = 0.9,
        dim: Count | None = None,
        gather: Literal["all_ranks", "rank"] = "all_ranks",
    ) -> None:
        super().__init__()
        dim = filled(dim, "dim", "the logits")
        self.momentum = momentum
        self.gather = gather
        self.register_buffer("center", torch.zeros(dim))

    def forward(self) -> Float[Tensor, "dim"]:
        return self.center.clone()

    @writes
    @torch.no_grad()
    def update(self, logits: Float[Tensor, "views batch *places dim"]) -> None:
        """Moves the centre towards the mean of these logits."""
        mean = logits.to(self.center.dtype).flatten(0, -2).mean(0)
        if self.gather == "all_ranks":
            mean = collectives.all_sum(mean) / collectives.ranks()
        self.center.copy_(self.momentum * self.center + (1 - self.momentum) * mean)
