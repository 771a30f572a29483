"""Gram anchoring: the patches of an image keep the likeness to one another that an older net saw (DINOv3)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import mse_loss, normalize

from sslgraph.component import component


@component(
    source="arXiv:2508.10104, equation 2; facebookresearch/dinov3, gram_loss.py",
    title="Gram",
    kind="squared distance of likenesses",
    agrees=("prediction", "target"),
    idea="Gram anchoring",
)
class Gram(nn.Module):
    """loss = mean over images and pairs (i, j) of (cos(p[i], p[j]) - cos(t[i], t[j]))^2,   i and j tokens of one image

    Only the angles between the tokens of an image count: turning all of them together costs nothing, so features may
    still move. Widths of the two may differ, their numbers of tokens may not. Zero at best.
    """

    def forward(
        self, prediction: Float[Tensor, "batch tokens dim"], target: Float[Tensor, "batch tokens dim_target"]
    ) -> Float[Tensor, ""]:
        mine, theirs = normalize(prediction, dim=-1), normalize(target, dim=-1)
        return mse_loss(mine @ mine.mT, theirs @ theirs.mT)
