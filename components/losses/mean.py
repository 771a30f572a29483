"""The mean of what the flow makes is the loss: any number that is to be small, or large with a negative weight."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition", kind="mean")
class Mean(nn.Module):
    """loss = mean over all numbers of the value.   A weight of -1 makes it large."""

    def forward(self, value: Float[Tensor, "*shape"]) -> Float[Tensor, ""]:
        return value.mean()
