"""The rows of a queue or a table that are nearest to each row, nearest first (MoCHi's hard negatives, All4One)."""

from typing import NamedTuple

from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph.component import component
from sslgraph.errors import SettingError
from sslgraph.ranges import Count


class Near(NamedTuple):
    """The neighbours, of unit length, and where they stand among the others: wiring.look_up reads other rows there."""

    rows: Float[Tensor, "batch count dim"]
    indices: Int64[Tensor, "batch count"]


@component(source="arXiv:2010.01028, section 4.1; arXiv:2303.09417, section 3", detached=("rows", "others"))
class Neighbours(nn.Module):
    """The `count` rows of others with the largest cosines, nearest first; no gradient passes.

    Settings:
        count: neighbours of each row.
    """

    def __init__(self, *, count: Count) -> None:
        super().__init__()
        self.count = count

    def forward(self, rows: Float[Tensor, "batch dim"], others: Float[Tensor, "size dim"]) -> Near:
        if len(others) < self.count:
            problem = f"{len(others)} rows have no {self.count} neighbours"
            raise SettingError(self, "count", len(others), problem)
        unit = normalize(others.detach().to(rows.dtype), dim=1)
        indices = (normalize(rows.detach(), dim=1) @ unit.T).topk(self.count).indices
        return Near(unit[indices], indices)
