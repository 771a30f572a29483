"""Dense classifier: a class for each place of a map, perhaps of a map enlarged before (colorization, split-brain)."""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count, Several, Whole


@component(source="arXiv:1603.08511, figure 2 (conv8); arXiv:1611.09842, section 4.1, with one dense layer")
class DenseClassifier(nn.Module):
    """Doublings (transposed 4 x 4 convolution of stride 2, BatchNorm, ReLU), then scores at each place, classes last.

    Without doublings a 1 x 1 convolution, BatchNorm and ReLU stand in their place.

    Settings:
        out: classes.
        doublings: times that the sides of the map double.
        width: channels before the scores.
        dim: channels of the map; filled from what arrives.
    """

    def __init__(self, *, out: Several, doublings: Whole = 0, width: Count = 256, dim: Count | None = None) -> None:
        super().__init__()
        dim = filled(dim, "dim")
        first: nn.Module = nn.ConvTranspose2d(dim, width, 4, 2, 1, bias=False)
        if doublings == 0:
            first = nn.Conv2d(dim, width, 1, bias=False)
        more = [nn.ConvTranspose2d(width, width, 4, 2, 1, bias=False) for _ in range(doublings - 1)]
        self.layers = nn.Sequential(
            *(nn.Sequential(layer, nn.BatchNorm2d(width), nn.ReLU(inplace=True)) for layer in (first, *more))
        )
        self.scores = nn.Conv2d(width, out, 1)

    def forward(self, map: Float[Tensor, "batch dim rows columns"]) -> Float[Tensor, "batch tall wide out"]:
        return self.scores(self.layers(map)).movedim(1, -1)  # type: ignore[no-any-return]
