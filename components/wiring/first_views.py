"""The first views of a bag, such as the large crops of a multi-crop."""

from jaxtyping import Shaped
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import Count


@component(source="definition", rows="same")
class FirstViews(nn.Module):
    """bag[:count].

    Settings:
        count: views kept.
    """

    def __init__(self, *, count: Count = 2) -> None:
        super().__init__()
        self.count = count

    def forward(self, bag: Shaped[Tensor, "views batch *shape"]) -> Shaped[Tensor, "views_kept batch *shape"]:
        if len(bag) < self.count:
            raise ValueError(
                f"wiring.first_views keeps {self.count} views, and the bag has {len(bag)}; set count lower"
            )
        return bag[: self.count]
