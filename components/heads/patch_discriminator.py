"""Patch discriminator: is this patch of an image real, or painted by the decoder?"""

from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count

from .context_decoder import initialise, stage_widths


@component(source="arXiv:1604.07379, section 3.2, in the form of the authors' inpainting code", role="discriminator")
class PatchDiscriminator(nn.Module):
    """One logit for each patch, of its being real: no sigmoid here, losses.binary has it.

    Convolutions 4 x 4 of stride 2 with BatchNorm (but the first) and leaky ReLU of slope 0.2 down to 4 x 4, then one
    over that whole map. It sees the bare patch: given the surroundings, it would look at the seam only. Real and
    painted patches go through it in two calls, so that each kind has its own batch statistics.

    Settings:
        width: channels after the first convolution.
        channels: of the patch; filled from what arrives.
        size: side of the patch in pixels, a power of 2 from 8; filled from what arrives.
    """

    def __init__(self, *, width: Count = 64, channels: Count | None = None, size: Count | None = None) -> None:
        super().__init__()
        channels = filled(channels, "channels")
        size = filled(size, "size")
        layers: list[nn.Module] = []
        for leaving in stage_widths(size, width):
            is_first = not layers
            layers.append(nn.Conv2d(channels, leaving, 4, 2, 1, bias=is_first))
            layers += [nn.LeakyReLU(0.2)] if is_first else [nn.BatchNorm2d(leaving), nn.LeakyReLU(0.2)]
            channels = leaving
        self.halvings = nn.Sequential(*layers)
        self.judge = nn.Conv2d(channels, 1, 4)
        initialise(self)

    def forward(self, image: Float[Tensor, "batch channels size size"]) -> Float[Tensor, "batch"]:
        return self.judge(self.halvings(image)).flatten()  # type: ignore[no-any-return]
