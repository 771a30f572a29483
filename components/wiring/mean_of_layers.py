"""Averages what several layers of a network give for the same places (data2vec's targets)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component


@component(source="arXiv:2202.03555, section 3.3", rows="raw")
class MeanOfLayers(nn.Module):
    """[batch, layers, places, dim] to [batch, places, dim]."""

    def forward(self, layers: Float[Tensor, "batch layers places dim"]) -> Float[Tensor, "batch places dim"]:
        if layers.shape[1] == 0:
            raise ValueError("there are no layers to average; set layers: of the net that gives them")
        return layers.mean(1)
