"""Keeps one colour channel of each patch and puts noise for the others, so that colour can't tell places."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, integers, normal, substream
from sslgraph.ranges import NotNegative


@component(
    source="arXiv:1505.05192, section 3.1 (colour dropping); arXiv:1905.09272, section 3", title="colour dropping"
)
class DropColours(nn.Module):
    """Of each patch one channel stays, drawn for the patch; the others become normal noise around its mean.

    The deviation of the noise is `noise` times that of the channel that stays.

    Settings:
        noise: in deviations of the channel that stays (the paper 0.01).
    """

    def __init__(self, *, noise: NotNegative = 0.01) -> None:
        super().__init__()
        self.noise = noise

    def forward(
        self, patches: Float[Tensor, "rows channels height width"], draw: Draw
    ) -> Float[Tensor, "rows channels height width"]:
        kept = integers(substream(draw, 0), 1, patches.shape[1])[:, 0]
        channel = patches[torch.arange(len(patches), device=patches.device), kept][:, None]
        deviation, mean = torch.std_mean(channel, (2, 3), correction=0, keepdim=True)
        noise = normal(substream(draw, 1), patches[0].numel()).to(patches.dtype).reshape(patches.shape)
        others = mean + self.noise * deviation * noise
        is_kept = torch.arange(patches.shape[1], device=patches.device) == kept[:, None]
        return torch.where(is_kept[..., None, None], patches, others)
