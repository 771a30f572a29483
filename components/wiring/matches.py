"""Which places of two views of an image are most alike: pairs of places, the nearest ones only (VICRegL)."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.errors import SettingError
from sslgraph.ranges import Count


class Pairs(NamedTuple):
    """For each pair the place in the one view and the place in the other; wiring.take reads what lies there."""

    here: Int64[Tensor, "batch count"]
    there: Int64[Tensor, "batch count"]


@component(source="arXiv:2210.01571, section 3.2", detached=("one", "other"))
class Matches(nn.Module):
    """there[i] = argmin_j |one[i] - other[j]|, for the `count` places i where that distance is least

    Given features it matches what looks alike; given masks.cell_places, what lies at one place of the image. Pairs
    stand in the order of their places here, so that parts as views compare like places of many images.

    Settings:
        count: pairs of each image.
    """

    def __init__(self, *, count: Count) -> None:
        super().__init__()
        self.count = count

    @torch.no_grad()
    def forward(self, one: Float[Tensor, "batch places dim"], other: Float[Tensor, "batch places_other dim"]) -> Pairs:
        if self.count > one.shape[1]:
            raise SettingError(self, "count", one.shape[1], f"a view of {one.shape[1]} places has no {self.count}")
        least, there = torch.cdist(one, other).min(2)
        here = least.topk(self.count, largest=False).indices.sort(1).values
        return Pairs(here, there.gather(1, here))
