"""Cosine regression (BYOL): a prediction points where the target points."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph.component import component


@component(
    source="arXiv:2006.07733, equation 2",
    kind="cosine distance",
    affine_in="cos(prediction, target)",
    agrees=("prediction", "target"),
)
class CosineRegression(nn.Module):
    """Squared distance of the two directions.

        loss = mean over the batch of  | p / |p| - t / |t| |^2  =  2 - 2 cos(p, t)

    From 0 (equal directions) over 2 (at right angles) to 4 (opposite). BYOL adds the two directions of its two views.
    """

    def forward(self, prediction: Float[Tensor, "batch dim"], target: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]:
        cosine = (normalize(prediction, dim=1) * normalize(target, dim=1)).sum(1)
        return (2 - 2 * cosine).mean()

    def landmarks(self, prediction: Float[Tensor, "batch dim"], target: Float[Tensor, "batch dim"]) -> dict[str, float]:
        """Unrelated directions cost 2; a constant output costs nothing, so a value of 0 is no success by itself."""
        return {"chance": 2.0, "collapsed": 0.0}
