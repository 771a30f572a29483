"""Takes the tokens at given places: of each image its own (I-JEPA's targets)."""

from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition")
class Take(nn.Module):
    """out[b, ..., :] = tokens[b, places[b, ...], :]"""

    def forward(
        self, tokens: Float[Tensor, "batch patches dim"], places: Int64[Tensor, "batch *some"]
    ) -> Float[Tensor, "batch *some dim"]:
        index = places.flatten(1)[..., None].expand(-1, -1, tokens.shape[2])
        return tokens.gather(1, index).view(*places.shape, tokens.shape[2])
