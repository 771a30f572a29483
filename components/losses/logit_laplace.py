"""Logit-Laplace: the likelihood of pixels that never leave their range (dVAE)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component

# Pixels in 0..1 are squeezed to MARGIN..1 - MARGIN, because the logit of 0 and 1 is not finite.
MARGIN = 0.1
# What pixels outside 0..1 are brought to, so that no logit is infinite.
LEAST = 0.01


@component(source="arXiv:2102.12092, appendix A.3, equation 2", title="logit-Laplace", kind="negative log-likelihood")
class LogitLaplace(nn.Module):
    """The mean over all numbers of  log(2 b) + log(x (1 - x)) + |logit(x) - m| / b,   in nats

    x = 0.8 image + 0.1 for an image in 0..1. The prediction has m for each channel, then log b for each: the place and
    the scale of a Laplace distribution of logit(x), which makes sigmoid(m) the pixel that is painted. The value is that
    of a density, so it may be below 0. The view must not be normalised: pixels far outside 0..1 are cut off.
    """

    def forward(
        self, prediction: Float[Tensor, "batch twice rows columns"], image: Float[Tensor, "batch channels rows columns"]
    ) -> Float[Tensor, ""]:
        place, log_scale = _halves(prediction, image)
        x = ((1 - 2 * MARGIN) * image + MARGIN).clamp(LEAST, 1 - LEAST)
        costs = log_scale + (2 * x * (1 - x)).log() + (x.logit() - place).abs() * (-log_scale).exp()
        return costs.mean()

    def monitors(
        self, prediction: Float[Tensor, "batch twice rows columns"], image: Float[Tensor, "batch channels rows columns"]
    ) -> dict[str, Tensor]:
        """How far the painted pixels are from those of the image, on average, in 0..1."""
        place, _ = _halves(prediction.float(), image)
        painted = ((place.sigmoid() - MARGIN) / (1 - 2 * MARGIN)).clamp(0, 1)
        return {"pixel_error": (painted - image.float()).abs().mean()}


def _halves(prediction: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
    if prediction.shape[1] != 2 * image.shape[1]:
        raise ValueError(
            f"an image of {image.shape[1]} channels needs a prediction of {2 * image.shape[1]}, a place and a scale of "
            f"each, and it has {prediction.shape[1]}; set the decoder's out"
        )
    place, log_scale = torch.chunk(prediction, 2, 1)
    return place, log_scale
