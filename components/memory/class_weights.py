"""How much each class counts: rare ones more, by the shares of classes seen so far (colorization's rebalancing)."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component, filled, writes
from sslgraph.ranges import Count, Share


@component(source="arXiv:1603.08511, section 2.2 (class rebalancing), its prior counted along the way")
class ClassWeights(nn.Module):
    """weight[q] = c / ((1 - uniform) share[q] + uniform / classes), c such that what was seen weighs 1 in the mean.

    share is that of class q in all that was added. The authors count it beforehand.

    Reads:  the weight of each label; 0 for negative labels, which are none. All alike before the first write.
    Writes: `add`, the shares of classes at each place, on all ranks; grey images add nothing.

    Settings:
        uniform: part of the even distribution in the mixture: 1 weighs all classes alike.
        classes: filled from what is added.
    """

    counts: Tensor

    def __init__(self, *, uniform: Share = 0.5, classes: Count | None = None) -> None:
        super().__init__()
        classes = filled(classes, "classes", "what is added")
        self.uniform = uniform
        self.register_buffer("counts", torch.zeros(classes, dtype=torch.float64))

    def weights(self) -> Float[Tensor, "classes"]:
        """Of every class."""
        shares = self.counts / self.counts.sum().clamp_min(1e-12)
        even = 1 / len(shares)
        raw = 1 / ((1 - self.uniform) * shares + max(self.uniform, 1e-6) * even)
        seen = (shares * raw).sum()
        return torch.where(seen > 0, raw / seen.clamp_min(1e-12), torch.ones_like(raw))

    def forward(self, labels: Int64[Tensor, "batch *places"]) -> Float[Tensor, "batch *places"]:
        return torch.where(labels < 0, 0, self.weights()[labels.clamp_min(0)]).float()

    @writes
    @torch.no_grad()
    def add(self, shares: Float[Tensor, "batch rows columns classes"]) -> None:
        """Counts the classes of a batch."""
        self.counts += collectives.all_sum(shares.double().sum((0, 1, 2)))
