"""Makes one view a bag of equal views, so that a value meets each view of another bag (EsViT's small crops)."""

from jaxtyping import Shaped
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import Count


@component(source="definition", rows="same")
class Repeat(nn.Module):
    """[batch, ...] to [count, batch, ...].

    Settings:
        count: views that the bag has.
    """

    def __init__(self, *, count: Count) -> None:
        super().__init__()
        self.count = count

    def forward(self, value: Shaped[Tensor, "batch *shape"]) -> Shaped[Tensor, "views_repeated batch *shape"]:
        return value.expand(self.count, *value.shape)
