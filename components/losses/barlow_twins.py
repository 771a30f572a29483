"""Barlow Twins: each feature agrees with itself across two views, and with no other feature."""
# ruff: noqa: ARG002 - landmarks take the ports of forward and may need the shape of one only

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import NotNegative

# What BatchNorm adds to the variance: a constant feature then correlates 0 with everything instead of 0 / 0.
EPSILON = 1e-5


@component(
    source="arXiv:2103.03230, equations 1 and 2",
    title="Barlow Twins",
    kind="cross-correlation",
    agrees=("one", "other"),
    repels="features",
    idea="redundancy reduction",
    spans_batch=True,
    remedies={"few directions": "features repeat each other; raise redundancy: 0.0051 is published (arXiv:2103.03230)"},
)
class BarlowTwins(nn.Module):
    """Redundancy reduction between two views of the same images.

    With C[i, j] the correlation, over the global batch, of feature i of one view with feature j of the other:

        loss = sum_i (1 - C[i, i])^2  +  redundancy * sum_{i != j} C[i, j]^2

    Zero at best; the number of features for constant ones. Features come unnormalised: each is standardised over the
    global batch here. The value is the same on all ranks, and so is its gradient (the authors' code loses 1 / ranks).

    Settings:
        redundancy: weight of the second term, no unit (the paper's lambda).
    """

    def __init__(self, *, redundancy: NotNegative = 5e-3) -> None:
        super().__init__()
        self.redundancy = redundancy

    def forward(self, one: Float[Tensor, "batch dim"], other: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]:
        images = _images(one)
        if images < 2:
            raise ValueError("losses.barlow_twins compares features over a batch, and this batch has 1 image")
        product = _standardised(one).T @ _standardised(other)
        correlation = collectives.all_sum_with_gradient(product) / images
        agreement = correlation.diagonal()
        # The whole square minus its diagonal: cheaper than masking a dim x dim matrix.
        redundancy = correlation.square().sum() - agreement.square().sum()
        return (1 - agreement).square().sum() + self.redundancy * redundancy

    def landmarks(self, one: Float[Tensor, "batch dim"], other: Float[Tensor, "batch dim"]) -> dict[str, float]:
        """Unrelated views: a correlation has mean 0 and mean square 1 / (images - 1). Constant features: all are 0."""
        dim, noise = one.shape[1], 1 / max(_images(one) - 1, 1)
        return {"chance": dim * (1 + noise) + self.redundancy * dim * (dim - 1) * noise, "collapsed": float(dim)}


def _standardised(features: Tensor) -> Tensor:
    """Mean 0 and variance 1 (biased, as BatchNorm's) of each feature over the images of all ranks."""
    images = _images(features)
    centred = features - collectives.all_sum_with_gradient(features.sum(0)) / images
    variance = collectives.all_sum_with_gradient(centred.square().sum(0)) / images
    return centred * (variance + EPSILON).rsqrt()


def _images(features: Tensor) -> int:
    return len(features) * collectives.ranks()
