"""Numbers that are written as a whole: a concentration for each cluster, one constant (PCL, InstDisc)."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component, filled, writes
from sslgraph.ranges import Count, Positive


@component(source="arXiv:2005.04966, equation 12; arXiv:1805.01978, equation 8")
class Vector(nn.Module):
    """A vector that one write replaces, such as a temperature for each prototype.

    Reads:  all numbers, or those of these indices; `init` before the first write.
    Writes: `write`, all of them; rank 0's hold on all ranks.

    Settings:
        count: how many; filled from what is written.
        init: what each is before.
    """

    values: Tensor

    def __init__(self, *, count: Count | None = None, init: Positive = 1.0) -> None:
        super().__init__()
        self.register_buffer("values", torch.full((filled(count, "count", "what is written"),), float(init)))

    def forward(self, index: Int64[Tensor, "batch"] | None = None) -> Float[Tensor, "count"]:
        return self.values.clone() if index is None else self.values[index]

    @writes
    @torch.no_grad()
    def write(self, values: Float[Tensor, "count"]) -> None:
        """Replaces them all."""
        if values.shape != self.values.shape:
            raise ValueError(f"memory.vector holds {len(self.values)} and was written {len(values)}; write all of them")
        self.values.copy_(collectives.broadcast(values.to(self.values.dtype)))
