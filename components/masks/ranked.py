"""Ranked mask (AttMask): the patches with the highest scores are hidden, such as those that a teacher attends to."""

from typing import Literal, NamedTuple

from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import InnerShare


class Ranked(NamedTuple):
    """Which patches are seen, by rising score; where each patch stands in that order; which are hidden."""

    seen: Int64[Tensor, "batch kept"]
    restore: Int64[Tensor, "batch patches"]
    hidden: Bool[Tensor, "batch patches"]


@component(source="arXiv:2203.12719, section 3.2", role="mask", detached=("scores",))
class RankedMask(nn.Module):
    """Hides patches - int(patches * (1 - ratio)) of each image: those of the highest scores, or of the lowest.

    `wiring.mean` of a ViT's port `attention` is a score of each patch. No gradient passes.

    Settings:
        ratio: part of the patches that is hidden.
        hide: highest or lowest scores.
    """

    def __init__(self, *, ratio: InnerShare = 0.5, hide: Literal["highest", "lowest"] = "highest") -> None:
        super().__init__()
        self.ratio, self.hide = ratio, hide

    def forward(self, scores: Float[Tensor, "batch patches"]) -> Ranked:
        kept = int(scores.shape[1] * (1 - self.ratio))
        if kept == 0:
            raise ValueError(f"ratio {self.ratio} hides all {scores.shape[1]} patches; make it smaller")
        order = scores.detach().argsort(dim=1, descending=self.hide == "lowest", stable=True)
        restore = order.argsort(1)
        return Ranked(order[:, :kept], restore, restore >= kept)
