"""The row of a queue or a table that is nearest to each row (NNCLR)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph.component import component


@component(
    source="arXiv:2104.14548, equation 3",
    title="nearest neighbour",
    detached=("rows", "others"),
    idea="nearest neighbours as positives",
)
class Nearest(nn.Module):
    """others[argmax_n cos(row, others[n])], of unit length; no gradient passes."""

    def forward(
        self, rows: Float[Tensor, "batch dim"], others: Float[Tensor, "size dim"]
    ) -> Float[Tensor, "batch dim"]:
        unit = normalize(others.detach().to(rows.dtype), dim=1)
        return unit[(normalize(rows.detach(), dim=1) @ unit.T).argmax(1)]
