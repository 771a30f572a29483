"""Cosine regression (BYOL): a prediction points where the target points."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph import collectives
from sslgraph.component import component


@component(
    source="arXiv:2006.07733, equation 2",
    kind="cosine distance",
    affine_in="cos(prediction, target)",
    agrees=("prediction", "target"),
    weighed_by="where",
)
class CosineRegression(nn.Module):
    """Squared distance of the two directions.

        loss = mean over the batch of  | p / |p| - t / |t| |^2  =  2 - 2 cos(p, t)

    From 0 (equal directions) over 2 (at right angles) to 4 (opposite). BYOL adds the two directions of its two views.
    With `where` it is the mean over the rows that count, on all ranks; 0 if none do.
    """

    def forward(
        self,
        prediction: Float[Tensor, "batch dim"],
        target: Float[Tensor, "batch dim"],
        where: Shaped[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, ""]:
        costs = 2 - 2 * (normalize(prediction, dim=1) * normalize(target, dim=1)).sum(1)
        return collectives.mean_where(costs, where)

    def landmarks(
        self,
        prediction: Float[Tensor, "batch dim"],
        target: Float[Tensor, "batch dim"],
        where: Shaped[Tensor, "batch"] | None = None,
    ) -> dict[str, float]:
        """Unrelated directions cost 2; a constant output costs nothing, so a value of 0 is no success by itself."""
        return {"chance": 2.0, "collapsed": 0.0}
