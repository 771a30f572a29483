"""The rows of a queue or a table that are nearest to each row, nearest first (MoCHi's hard negatives, All4One)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph.component import component
from sslgraph.errors import SettingError
from sslgraph.ranges import Count


@component(source="arXiv:2010.01028, section 4.1; arXiv:2303.09417, section 3", detached=("rows", "others"))
class Neighbours(nn.Module):
    """The `count` rows of others with the largest cosines, of unit length; no gradient passes.

    Settings:
        count: neighbours of each row.
    """

    def __init__(self, *, count: Count) -> None:
        super().__init__()
        self.count = count

    def forward(
        self, rows: Float[Tensor, "batch dim"], others: Float[Tensor, "size dim"]
    ) -> Float[Tensor, "batch count dim"]:
        if len(others) < self.count:
            problem = f"{len(others)} rows have no {self.count} neighbours"
            raise SettingError(self, "count", len(others), problem)
        unit = normalize(others.detach().to(rows.dtype), dim=1)
        return unit[(normalize(rows.detach(), dim=1) @ unit.T).topk(self.count).indices]
