"""Keeps one colour channel of each patch and puts noise for the others, so that colour can't tell places."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, integers, normal, substream
from sslgraph.ranges import Count, NotNegative


@component(
    source="arXiv:1505.05192, section 3.1 (colour dropping); arXiv:1905.09272, section 3", title="colour dropping"
)
class DropColours(nn.Module):
    """Of each patch one channel stays, drawn for the patch; the others become normal noise around its mean.

    The deviation of the noise is `noise` times that of the channel that stays. Patches come image by image.

    Settings:
        grid: patches of an image in a row and in a column.
        noise: in deviations of the channel that stays (the paper 0.01).
    """

    def __init__(self, *, grid: Count = 6, noise: NotNegative = 0.01) -> None:
        super().__init__()
        self.grid = grid
        self.noise = noise

    def forward(
        self, patches: Float[Tensor, "rows channels height width"], draw: Draw
    ) -> Float[Tensor, "rows channels height width"]:
        each = self.grid**2
        draw = draw[: len(patches) // each]  # copies of it for the other patches come behind
        kept = integers(substream(draw, 0), each, patches.shape[1]).flatten()
        channel = patches[torch.arange(len(patches), device=patches.device), kept][:, None]
        deviation, mean = torch.std_mean(channel, (2, 3), correction=0, keepdim=True)
        noise = normal(substream(draw, 1), each * patches[0].numel()).to(patches.dtype).reshape(patches.shape)
        others = mean + self.noise * deviation * noise
        is_kept = torch.arange(patches.shape[1], device=patches.device) == kept[:, None]
        return torch.where(is_kept[..., None, None], patches, others)
