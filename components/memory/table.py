"""A table that is written as a whole: centroids, concentrations, a normalising constant (PCL, InstDisc)."""

from typing import Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component, filled, writes
from sslgraph.ranges import Count


@component(source="arXiv:2005.04966, section 3.2; arXiv:1805.01978, section 3.2, for a single constant")
class Table(nn.Module):
    """Rows of numbers that one write replaces.

    Reads:  all rows, or those of these indices; zeros, ones or random rows of unit length before the first write.
    Writes: `write`, the whole table; rank 0's holds on all ranks.

    Settings:
        rows: rows of the table; filled from what is written.
        dim: numbers in a row; filled from what is written.
        init: what it holds before.
    """

    values: Tensor

    def __init__(
        self, *, rows: Count | None = None, dim: Count | None = None, init: Literal["zeros", "ones", "random"] = "zeros"
    ) -> None:
        super().__init__()
        rows, dim = filled(rows, "rows", "what is written"), filled(dim, "dim", "what is written")
        start = {"zeros": torch.zeros, "ones": torch.ones, "random": torch.randn}[init](rows, dim)
        self.register_buffer("values", nn.functional.normalize(start, dim=1) if init == "random" else start)

    def forward(self, index: Int64[Tensor, "batch"] | None = None) -> Float[Tensor, "rows dim"]:
        return self.values.clone() if index is None else self.values[index]

    @writes
    @torch.no_grad()
    def write(self, values: Float[Tensor, "rows dim"]) -> None:
        """Replaces the whole table."""
        if values.shape != self.values.shape:
            raise ValueError(
                f"memory.table holds {list(self.values.shape)} and was written {list(values.shape)}; write all of it"
            )
        self.values.copy_(collectives.broadcast(values.to(self.values.dtype)))
