"""Negative cosine (SimSiam): a prediction points where the other view's projection points."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph import collectives
from sslgraph.component import component


@component(
    source="arXiv:2011.10566, equation 1",
    kind="cosine distance",
    affine_in="cos(prediction, target)",
    agrees=("prediction", "target"),
    weighed_by="where",
)
class NegativeCosine(nn.Module):
    """Minus the cosine of prediction and target.

        loss = mean over the batch of  - p.t / (|p| |t|)

    From -1 (equal directions) to 1 (opposite). The stop-gradient on the target stands in the flow, where it is seen;
    SimSiam's two losses weigh one half each. With `where` it is the mean over the rows that count, on all ranks.
    """

    def forward(
        self,
        prediction: Float[Tensor, "batch dim"],
        target: Float[Tensor, "batch dim"],
        where: Shaped[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, ""]:
        costs = -(normalize(prediction, dim=1) * normalize(target, dim=1)).sum(1)
        return collectives.mean_where(costs, where)

    def landmarks(
        self,
        prediction: Float[Tensor, "batch dim"],
        target: Float[Tensor, "batch dim"],
        where: Shaped[Tensor, "batch"] | None = None,
    ) -> dict[str, float]:
        """Unrelated directions cost 0; a constant output reaches the best value, -1."""
        return {"chance": 0.0, "collapsed": -1.0}
