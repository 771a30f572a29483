"""Makes the parts of an image samples of the batch, so that a network sees each alone."""

from jaxtyping import Shaped
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition", folds="parts")
class Fold(nn.Module):
    """[batch, parts, ...] to [batch * parts, ...], image by image: all parts of the first one come first.

    wiring.unfold leads back. The rows of a bag (copies, wiring.repeat) stand view by view, all images of the first view
    first, so that a loss of rows does not pair them with these: wiring.parts_as_views makes such a bag of the parts.
    """

    def forward(self, parts: Shaped[Tensor, "batch parts *shape"]) -> Shaped[Tensor, "rows *shape"]:
        return parts.flatten(0, 1)
