"""Some of the features, in a row: the first ones of DirectCLR, the slices of a Matryoshka."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.ranges import Count, Whole


@component(source="definition; arXiv:2110.09348, section 5; arXiv:2507.14137, section 3.2", title="features")
class Channels(nn.Module):
    """`count` features from `start` on: of the last axis of rows and tokens, of the channels of a map.

    Settings:
        count: features kept.
        start: the first of them, counted from 0.
    """

    def __init__(self, *, count: Count, start: Whole = 0) -> None:
        super().__init__()
        self.count, self.start = count, start

    def forward(self, features: Float[Tensor, "batch *shape"]) -> Float[Tensor, "batch *kept"]:
        axis = 1 if features.dim() == 4 else features.dim() - 1
        there, end = features.shape[axis], self.start + self.count
        if end > there:
            asked = f"features {self.start} to {end - 1} are asked for"
            raise ValueError(f"{asked}, and there are {there}; set count lower")
        return features.narrow(axis, self.start, self.count)
