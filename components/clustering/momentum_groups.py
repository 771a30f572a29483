"""Groups that move to the features of each batch before these are told apart by them (SMoG)."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.functional import normalize, one_hot

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import ShareScalar


class Moved(NamedTuple):
    """The groups after this batch, of unit length; the group that each row joined."""

    groups: Float[Tensor, "size dim"]
    labels: Int64[Tensor, "batch"]


@component(
    source="arXiv:2207.06167, equations 3 and 4", title="momentum groups", detached=("groups",), spans_batch=True
)
class MomentumGroups(nn.Module):
    """group[k] = unit(momentum * group[k] + (1 - momentum) * mean of the rows that join k)

    A row joins the group with the largest dot product, or the one that `labels` says. A group that no row of any rank
    joins stays. The gradient passes to the rows of all ranks, through the groups that they moved.

    Settings:
        momentum: weight of the old group, from 0 to 1, no unit.
    """

    def __init__(self, *, momentum: ShareScalar = 0.99) -> None:
        super().__init__()
        self.momentum = momentum

    def forward(
        self,
        features: Float[Tensor, "batch dim"],
        groups: Float[Tensor, "size dim"],
        labels: Int64[Tensor, "batch"] | None = None,
    ) -> Moved:
        old = groups.detach().to(features.dtype)
        joined = (features.detach() @ old.T).argmax(1) if labels is None else labels
        member = one_hot(joined, len(old)).to(features.dtype)
        counts = collectives.all_sum(member.sum(0))[:, None]
        means = collectives.all_sum_with_gradient(member.T @ features) / counts.clamp(min=1)
        moved = torch.where(counts > 0, normalize(self.momentum * old + (1 - self.momentum) * means, dim=1), old)
        return Moved(moved, joined)
