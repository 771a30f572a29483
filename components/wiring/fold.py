"""Makes the parts of an image samples of the batch, so that a network sees each alone."""

from jaxtyping import Shaped
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition")
class Fold(nn.Module):
    """[batch, parts, ...] to [batch * parts, ...], image by image; wiring.unfold leads back."""

    def forward(self, parts: Shaped[Tensor, "batch parts *shape"]) -> Shaped[Tensor, "rows *shape"]:
        return parts.flatten(0, 1)
