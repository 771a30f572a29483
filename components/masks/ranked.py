"""Ranked mask (AttMask): the patches with the highest scores are hidden, such as those that a teacher attends to."""

from typing import Literal, NamedTuple

from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, each
from sslgraph.ranges import ShareOfEach


class Ranked(NamedTuple):
    """Which patches are seen, by rising score; where each patch stands in that order; which are hidden."""

    seen: Int64[Tensor, "batch kept"]
    restore: Int64[Tensor, "batch patches"]
    hidden: Bool[Tensor, "batch patches"]


@component(source="arXiv:2203.12719, section 3.2", role="mask", shows="mask", detached=("scores",))
class RankedMask(nn.Module):
    """Hides patches - int(patches * (1 - ratio)) of each image: those of the highest scores, or of the lowest.

    `wiring.mean` of a ViT's port `attention` is a score of each patch. No gradient passes.

    Settings:
        ratio: part of the patches that is hidden; may be each image's own draw (AttMask: {uniform: [0.1, 0.5], p: 0.5})
            or a schedule. `seen` needs one number: images with more and with fewer make it empty.
        hide: highest or lowest scores.
    """

    def __init__(self, *, ratio: ShareOfEach = 0.5, hide: Literal["highest", "lowest"] = "highest") -> None:
        super().__init__()
        self.ratio, self.hide = ratio, hide

    def forward(self, scores: Float[Tensor, "batch patches"], draw: Draw) -> Ranked:
        patches = scores.shape[1]
        kept = int(patches * (1 - self.ratio)) if isinstance(self.ratio, float) else 0
        if kept == 0 and isinstance(self.ratio, float):
            raise ValueError(f"ratio {self.ratio} hides all {patches} patches; make it smaller")
        first_hidden = (patches * (1 - each(draw, self.ratio))).floor().clamp_min(1)
        order = scores.detach().argsort(dim=1, descending=self.hide == "lowest", stable=True)
        restore = order.argsort(1)
        return Ranked(order[:, :kept], restore, restore >= first_hidden[:, None])
