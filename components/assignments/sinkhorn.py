"""Sinkhorn: soft codes that use all prototypes equally over the batch (SwAV)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import Count, PositiveScalar


@component(
    source="arXiv:2006.09882, equations 3 and 4, and the listing in appendix A",
    title="Sinkhorn",
    role="codes",
    detached=("scores", "queue"),
    float32=True,
    spans_batch=True,
    older="queue",
    sane={"epsilon": (0.01, 0.2)},
)
class Sinkhorn(nn.Module):
    """Assigns images to prototypes under equal shares, for each view by itself and over the images of all ranks.

    Starting from exp(scores / epsilon), repeat: divide each prototype's column by its sum over all images, then each
    image's row by its sum over prototypes. Rows therefore sum to 1 exactly, and columns to images / prototypes nearly.
    Computed in logarithms, so that no score overflows; no gradient passes.

    The rows of a queue, which is the same on all ranks, take part in the shares and get no code; they do so once the
    queue is full, which shows in its last row: the scores of the zeros that a memory.view_queue starts with are all 0.

    Settings:
        epsilon: smoothness; towards 0 the codes become hard, no unit.
        iterations: rounds of both divisions.
    """

    def __init__(self, *, epsilon: PositiveScalar = 0.05, iterations: Count = 3) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.iterations = iterations

    def forward(
        self,
        scores: Float[Tensor, "views batch prototypes"],
        queue: Float[Tensor, "views size prototypes"] | None = None,
    ) -> Float[Tensor, "views batch prototypes"]:
        batch = scores.shape[1]
        rows = scores.detach() if queue is None else torch.cat([scores.detach(), queue.detach()], 1)
        logs, absent = rows / self.epsilon, _absent(rows, batch)
        for _ in range(self.iterations):
            logs = logs - _log_sum_over_images(logs.masked_fill(absent, -math.inf), batch)
            logs = logs - logs.logsumexp(2, keepdim=True)
        return logs[:, :batch].exp()


def _log_sum_over_images(logs: Tensor, batch: int) -> Tensor:
    """log sum exp over all ranks' images and, once, the queue that each of them holds whole: [views, 1, prototypes]."""
    mine, queued = logs[:, :batch].logsumexp(1, keepdim=True), logs[:, batch:].logsumexp(1, keepdim=True)
    return torch.cat([collectives.gather(mine[None]), queued[None]]).logsumexp(0)


def _absent(rows: Tensor, batch: int) -> Tensor:
    """Which rows do not count, [views, rows, 1]: the queue's, in views whose last row still is empty."""
    of_queue = torch.arange(rows.shape[1], device=rows.device) >= batch
    is_empty = (rows[:, -1] == 0).all(1)
    return (is_empty[:, None] & of_queue)[..., None]
