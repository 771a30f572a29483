"""Counting: the whole has what its tiles have together, and another image has not."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component
from sslgraph.ranges import Positive


@component(
    source="arXiv:1708.06734, equation 3",
    title="counting",
    kind="regression",
    repels="samples",
    idea="a margin to another image's counts",
    spans_batch=True,
    sane={"margin": (1, 100)},
)
class Counting(nn.Module):
    """A bag of counts: of the whole image, then of each of its tiles.

        loss = mean over the batch of  |whole - sum|^2 + max(0, margin - |other - sum|^2)

    sum is over the tiles of an image; other is the whole of the next image of the global batch (the first follows the
    last). Squared lengths, not means over the numbers of a count; the gradient goes everywhere.

    Settings:
        margin: squared distance to the other image from which nothing pushes any more.
    """

    def __init__(self, *, margin: Positive = 10.0) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, counts: Float[Tensor, "views batch dim"]) -> Float[Tensor, ""]:
        whole, total = counts[0], counts[1:].sum(0)
        everyone, first = collectives.gather_with_gradient(whole), len(whole) * collectives.rank()
        other = everyone.roll(-1, 0)[first : first + len(whole)]
        return ((whole - total).square().sum(1) + (self.margin - (other - total).square().sum(1)).relu()).mean()

    def landmarks(self, counts: Float[Tensor, "views batch dim"]) -> dict[str, float]:  # noqa: ARG002
        """Counts that are all 0: the margin. Any other constant is worth more."""
        return {"collapsed": float(self.margin)}
