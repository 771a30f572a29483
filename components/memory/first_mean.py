"""One number that the first step fixes: the normalising constant of noise-contrastive estimation (InstDisc, PIRL)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component, writes


@component(source="arXiv:1805.01978, section 3.2, on the constant Z", detached=("values",), spans_batch=True)
class FirstMean(nn.Module):
    """The mean, over the images of all ranks, of what the first write brings; it never changes again.

    Reads:  that mean; before the first write, the mean of the values at hand.
    Writes: `write`, the values of one step.
    """

    mean: Tensor
    is_fixed: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("is_fixed", torch.tensor(False))

    def forward(self, values: Float[Tensor, "batch"]) -> Float[Tensor, ""]:
        return torch.where(self.is_fixed, self.mean, self._mean_of(values))

    @writes
    @torch.no_grad()
    def write(self, values: Float[Tensor, "batch"]) -> None:
        """Fixes the mean, the first time."""
        self.mean.copy_(self(values))
        self.is_fixed.fill_(True)

    def _mean_of(self, values: Tensor) -> Tensor:
        return collectives.all_sum(values.to(self.mean.dtype).mean()) / collectives.ranks()
