"""The latest features of each view, newest first (SwAV's queue)."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component, filled, writes
from sslgraph.ranges import Count, Whole


@component(source="arXiv:2006.09882, section 4.1 and appendix A, on small batches", title="queue", role="queue")
class ViewQueue(nn.Module):
    """A queue for each view of a bag; it steadies the codes of a batch with fewer images than prototypes.

    It holds the rows of all ranks, in the order of the global batch, and is the same on all of them. The authors' code
    splits as many rows over the ranks: the shares that assignments.sinkhorn computes are equal.

    Reads:  a bag of all rows, newest first. They are zeros before `start_epoch`, and the last one is until the queue
            is full; assignments.sinkhorn leaves the queue aside until then.
    Writes: `push`, the features of one step, for each view.

    Settings:
        size: rows held for each view, of all ranks together.
        start_epoch: the epoch from which it is read, counted from 0: features of the first epochs steady nothing.
        views: views held; filled from the features pushed.
        dim: numbers in a row; filled from the features pushed.
    """

    rows: Tensor

    def __init__(
        self, *, size: Count = 3840, start_epoch: Whole = 0, views: Count | None = None, dim: Count | None = None
    ) -> None:
        super().__init__()
        views = filled(views, "views", "what is pushed")
        dim = filled(dim, "dim", "what is pushed")
        self.size, self.start_epoch = size, start_epoch
        self.register_buffer("rows", torch.zeros(views, size, dim))

    def forward(self, clock: Int64[Tensor, "3"]) -> Float[Tensor, "views size dim"]:
        return self.rows * (clock[1] >= self.start_epoch)

    @writes
    @torch.no_grad()
    def push(self, features: Float[Tensor, "views batch dim"]) -> None:
        """Puts these in front; the oldest fall out at the end."""
        # Ranks are gathered along the rows, which stand behind the views here.
        features = collectives.gather(features.transpose(0, 1)).transpose(0, 1)
        batch = features.shape[1]
        if batch > self.size:
            raise ValueError(
                f"memory.view_queue holds {self.size} rows and was pushed {batch} at once; set size to {batch} or more"
            )
        kept = self.rows[:, : self.size - batch]
        self.rows.copy_(torch.cat([features.to(self.rows.dtype), kept], 1))
