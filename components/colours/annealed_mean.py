"""Annealed mean: one colour from scores of the 313 classes, between their mean (dull) and their mode (patchy)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sslgraph.component import component
from sslgraph.ranges import PositiveScalar

from .bins import table
from .lab import Lab, to_rgb


@component(source="arXiv:1603.08511, equation 5", float32=True)
class AnnealedMean(nn.Module):
    """ab = sum_q softmax(logits / temperature)[q] centre[q], for pictures: no method needs it to learn.

    Settings:
        temperature: 1 gives the mean, towards 0 the mode; no unit.
    """

    centres: Tensor

    def __init__(self, *, temperature: PositiveScalar = 0.38) -> None:
        super().__init__()
        self.temperature = temperature
        self.register_buffer("centres", table(), persistent=False)

    def forward(self, logits: Float[Tensor, "batch rows columns 313"]) -> Float[Tensor, "batch 2 rows columns"]:
        shares = torch.softmax(logits / self.temperature, -1)
        return (shares @ self.centres.to(shares.dtype)).movedim(-1, 1)


def painted(
    image: Float[Tensor, "batch 3 height width"], scores: Float[Tensor, "batch rows columns 313"]
) -> dict[str, Tensor]:
    """An image in 0..1, its lightness alone, and that with the colours that the scores say."""
    lightness = Lab().to(image.device)(image).lightness
    told = interpolate(AnnealedMean().to(image.device)(scores.float()), image.shape[2:], mode="bilinear")
    grey = to_rgb(lightness, torch.zeros_like(told))
    return {"image": image, "seen": grey, "painted": to_rgb(lightness, told)}
