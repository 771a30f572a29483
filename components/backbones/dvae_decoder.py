"""The decoder of DALL-E's discrete VAE: codes of the places of a grid become an image."""

import math

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count

from .dvae_encoder import Bottleneck, convolution


@component(source="arXiv:2102.12092, appendix A.1; openai/DALL-E, dall_e/decoder.py", title="dVAE", role="decoder")
class DvaeDecoder(nn.Module):
    """Shares of codes [batch, places, codes] to a map of `out` channels, the mirror of backbones.dvae_encoder.

    A linear layer reads a vector for each code; then groups of blocks of width 8 w, 4 w, 2 w, w, each but
    the last followed by a doubling (each pixel four times); a ReLU and a 1 x 1 convolution.

    Settings:
        width: channels of the last group, a multiple of 4.
        groups: groups; the side of a place is 2 to the power of groups - 1.
        blocks: in a group.
        book: length of a code's vector.
        out: channels of the map: 6 for a place and a scale of each colour (losses.logit_laplace).
        codes: how many there are; filled from what arrives.
    """

    def __init__(
        self,
        *,
        width: Count = 256,
        groups: Count = 4,
        blocks: Count = 2,
        book: Count = 128,
        out: Count = 6,
        codes: Count | None = None,
    ) -> None:
        super().__init__()
        codes = filled(codes, "codes")
        if width % 4:
            raise ValueError(f"a block has a quarter of its width inside, and {width} is no multiple of 4; set width")
        gain = 1 / (groups * blocks) ** 2
        self.book = nn.Linear(codes, book)
        nn.init.normal_(self.book.weight, std=1 / math.sqrt(codes))
        nn.init.zeros_(self.book.bias)
        self.layers = nn.Sequential()
        dim = book
        for group in reversed(range(groups)):
            for _ in range(blocks):
                self.layers.append(Bottleneck(dim, width << group, (1, 3, 3, 3), gain))
                dim = width << group
            if group:
                self.layers.append(nn.Upsample(scale_factor=2, mode="nearest"))
        self.layers.extend([nn.ReLU(), convolution(dim, out, 1)])

    def forward(self, shares: Float[Tensor, "batch places codes"]) -> Float[Tensor, "batch out rows columns"]:
        side = math.isqrt(shares.shape[1])
        if side**2 != shares.shape[1]:
            raise ValueError(f"{shares.shape[1]} places are no square; make the view of the encoder square")
        grid = self.book(shares).transpose(1, 2).unflatten(2, (side, side))
        return self.layers(grid)  # type: ignore[no-any-return]
