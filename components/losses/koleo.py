"""KoLeo: each feature keeps away from the nearest other one, so that features spread over the sphere (DINOv2)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph import collectives
from sslgraph.component import component

EPSILON = 1e-8


@component(
    source="arXiv:1806.03198, equation 4; arXiv:2304.07193, section 4; facebookresearch/dinov2, koleo_loss.py",
    title="KoLeo",
    kind="log distance to the nearest",
    repels="samples",
    idea="spread to the nearest neighbour",
    spans_batch=True,
)
class KoLeo(nn.Module):
    """loss = - mean over views and images of log(|z[i] - z[nearest i] + 1e-8| + 1e-8),   z of unit length

    The nearest is of the same view, among the images of all ranks; the authors look on one GPU only, and add up two
    views where this takes their mean. Orthogonal features give -log(sqrt(2)); equal ones of 16 numbers 16.81.
    """

    def forward(self, features: Float[Tensor, "views batch dim"]) -> Float[Tensor, ""]:
        if features.shape[1] * collectives.ranks() < 2:
            raise ValueError("the nearest other feature needs two images in a batch; make the batch larger")
        mine = normalize(features, dim=-1, eps=EPSILON)
        every = collectives.gather_with_gradient(mine.transpose(0, 1).contiguous()).transpose(0, 1)
        with torch.no_grad():
            near = mine @ every.transpose(1, 2)
            own = torch.arange(mine.shape[1], device=mine.device)
            near[:, own, own + collectives.rank() * len(own)] = -2.0
            index = near.argmax(-1, keepdim=True).expand_as(mine)
        apart = (mine - every.gather(1, index) + EPSILON).norm(dim=-1)
        loss: Tensor = -(apart + EPSILON).log().mean()
        return loss
