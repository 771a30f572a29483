"""The mean of what the flow makes is the loss: any number that is to be small, or large with a negative weight."""

from jaxtyping import Float, Shaped
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component


@component(source="definition", kind="mean", weighed_by="where")
class Mean(nn.Module):
    """loss = mean over all numbers of the value, or over those of all ranks that `where` counts.

    A weight of -1 makes it large.
    """

    def forward(
        self, value: Float[Tensor, "*shape"], where: Shaped[Tensor, "*shape"] | None = None
    ) -> Float[Tensor, ""]:
        return collectives.mean_where(value, where)
