"""Frequencies: an image's coarse or its fine structure alone, by a Fourier transform (masked frequency modelling)."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import draws
from sslgraph.component import component
from sslgraph.draws import Draw
from sslgraph.ranges import Positive, Share

Images = Float[Tensor, "batch channels height width"]


@component(source="arXiv:2206.07706, section 3.2")
class Frequencies(nn.Module):
    """out = F^-1(mask F(x)) of each channel,   mask = 1 where sqrt(u^2 + v^2) < radius (low), or where it is not (high)

    F is the Fourier transform of the image, u and v are cycles per image, down and across. low + high is the image. It
    is a step of an augmentation, and an op: `low: {use: augment.frequencies, keep: low}` and `low(x)` is a target
    without fine structure. High frequencies have mean 0, so a step that keeps them stands behind colours.

    Settings:
        keep: low, high, or either: each image one of both, with equal chances (masked frequency modelling).
        radius: cycles per image up to which a frequency is low; 16 makes 77 % of the frequencies of 32 pixels low, and
            1.6 % of those of 224.
        p: probability; other images stay as they are.
    """

    def __init__(
        self, *, keep: Literal["low", "high", "either"] = "low", radius: Positive = 16.0, p: Share = 1.0
    ) -> None:
        super().__init__()
        self.keep, self.radius, self.p = keep, radius, p

    def forward(self, images: Images, draw: Draw) -> Images:
        touched, is_low = draws.uniform(draw, 2).to(images.device).unbind(1)
        height, width = images.shape[2:]
        down = torch.fft.fftfreq(height, 1 / height, device=images.device)
        across = torch.fft.rfftfreq(width, 1 / width, device=images.device)
        low = torch.hypot(down[:, None], across) < self.radius
        wanted = is_low < {"low": 1.0, "high": 0.0, "either": 0.5}[self.keep]
        kept = (low == wanted[:, None, None])[:, None]
        made: Tensor = torch.fft.irfft2(torch.fft.rfft2(images.float()) * kept, s=(height, width)).to(images.dtype)
        return made.where((touched < self.p)[:, None, None, None], images)
