"""The latest keys, oldest out first (MoCo's queue)."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph import collectives
from sslgraph.component import component, filled, writes
from sslgraph.ranges import Count


@component(source="arXiv:1911.05722, section 3.2 and Algorithm 1", title="queue", role="queue")
class Fifo(nn.Module):
    """A queue of the last `size` rows that were pushed, each push taking the place of the oldest rows.

    Reads:  all rows, in the order of their places and not of their age.
    Writes: `push`, the rows of one step; a step's rows must divide the size, so that every batch in it is whole.

    Settings:
        size: rows held.
        dim: numbers in a row; filled from the rows pushed.
        init: what it holds before: random rows of unit length (they act as negatives from the first step on), or zeros.
        gather: whose rows are pushed: those of all ranks, in rank order (all queues are then equal), or this rank's.
    """

    rows: Tensor
    pointer: Tensor

    def __init__(
        self,
        *,
        size: Count = 65536,
        dim: Count | None = None,
        init: Literal["random", "zeros"] = "random",
        gather: Literal["all_ranks", "rank"] = "all_ranks",
    ) -> None:
        super().__init__()
        dim = filled(dim, "dim", "what is pushed")
        self.size = size
        self.gather = gather
        rows = normalize(torch.randn(size, dim), dim=1) if init == "random" else torch.zeros(size, dim)
        self.register_buffer("rows", rows)
        self.register_buffer("pointer", torch.zeros((), dtype=torch.int64))

    def bounds(self) -> dict[str, tuple[int, int]]:
        """What the whole numbers that it holds may be: the place of the next row."""
        return {"pointer": (0, self.size - 1)}

    def forward(self) -> Float[Tensor, "size dim"]:
        return self.rows.clone()

    @writes
    @torch.no_grad()
    def push(self, rows: Float[Tensor, "batch dim"]) -> None:
        """Overwrites the oldest rows with these."""
        new = collectives.gather(rows) if self.gather == "all_ranks" else rows
        if self.size % len(new):
            raise ValueError(
                f"memory.fifo holds {self.size} rows and was pushed {len(new)} at once, which does not divide it; "
                f"set size to a multiple of {len(new)}"
            )
        places = (self.pointer + torch.arange(len(new), device=new.device)) % self.size
        self.rows.index_copy_(0, places, new.to(self.rows.dtype))
        self.pointer.copy_((self.pointer + len(new)) % self.size)
