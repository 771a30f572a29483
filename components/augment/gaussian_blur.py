"""Gaussian blur: fine detail smoothed away, for some of the samples."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph.component import component
from sslgraph.draws import Draw, words

from .chance import checked, chosen
from .resample import reflected

# Keeps the matrices of a batch near the processor's caches.
_CHUNK = 32


@component(source="arXiv:2002.05709, appendix A; torchvision.transforms.v2.GaussianBlur")
class GaussianBlur(nn.Module):
    """A true Gaussian of standard deviation sigma ~ U(sigma), one for each sample, over the mirrored image:

        w_t ~ exp(-t^2 / (2 sigma^2)) for |t| <= radius, sum 1, along both axes

    as two banded matrix products, on the chosen samples only: how many, changes from batch to batch.

    Settings:
        sigma: least and greatest standard deviation, pixels.
        kernel: taps, an odd number; None is the papers' tenth of the image's height, made odd: 23 for 224, 3 for 32.
        p: probability, or a list with one for each copy of a bag.
    """

    is_fusible = False

    def __init__(
        self,
        *,
        sigma: tuple[float, float] = (0.1, 2.0),
        kernel: int | None = None,
        p: float | list[float] = 0.5,
    ) -> None:
        super().__init__()
        if not 0 < sigma[0] <= sigma[1]:
            raise ValueError(f"sigma goes from a small to a large standard deviation, both above 0, not {sigma}")
        if kernel is not None and kernel % 2 == 0:
            raise ValueError(f"a kernel of {kernel} taps has no middle; write an odd number")
        self.sigma = sigma
        self.kernel = kernel
        self.p = checked(p)

    def plan(self, draw: Draw) -> tuple[Int64[Tensor, "blurred"], Float[Tensor, "blurred"]]:
        """Which samples are blurred, and how much."""
        numbers = words(draw, 2)
        rows = torch.nonzero(chosen(numbers[:, 0], self.p))[:, 0]
        low, high = self.sigma
        return rows, (low + (high - low) * (numbers[rows, 1] >> 8).double() * 2.0**-24).float()

    def in_words(self, rows: Int64[Tensor, "blurred"], sigma: Float[Tensor, "blurred"]) -> dict[int, tuple[str, ...]]:
        """The standard deviation of each sample that is blurred."""
        return {row: (f"blur {value:.2f} px",) for row, value in zip(rows.tolist(), sigma.tolist(), strict=True)}

    def forward(
        self,
        images: Float[Tensor, "batch 3 height width"],
        rows: Int64[Tensor, "blurred"],
        sigma: Float[Tensor, "blurred"],
    ) -> Float[Tensor, "batch 3 height width"]:
        radius = (images.shape[2] // 10 if self.kernel is None else self.kernel) // 2
        if radius >= min(images.shape[2:]):
            raise ValueError(f"a blur of {2 * radius + 1} taps is wider than the mirrored image of {images.shape[2:]}")
        if not len(rows):
            return images
        images = images.clone()
        for some, deviations in zip(rows.split(_CHUNK), sigma.split(_CHUNK), strict=True):
            images[some] = _blurred(images[some], deviations, radius)
        return images


def _blurred(images: Tensor, sigma: Tensor, radius: int) -> Tensor:
    count, channels, height, width = images.shape
    down = blur_matrix(sigma, radius, height)
    across = down if height == width else blur_matrix(sigma, radius, width)
    lines = torch.bmm(images.reshape(count, channels * height, width), across.transpose(1, 2))
    return torch.matmul(down[:, None], lines.view(count, channels, height, width))


def blur_matrix(sigma: Float[Tensor, "rows"], radius: int, size: int) -> Float[Tensor, "rows size size"]:
    """One banded matrix a sample, the mirroring at the border folded in."""
    steps = torch.arange(-radius, radius + 1, device=sigma.device)
    weights = torch.softmax(-0.5 * (steps / sigma[:, None]) ** 2, 1)
    # Denormal tails make the products ten times slower on a CPU and change no value.
    weights = torch.where(weights < 1e-12, 0.0, weights)
    position = reflected(torch.arange(size, device=sigma.device)[:, None] + steps, size)
    matrix = torch.zeros(len(sigma), size, size, device=sigma.device)
    return matrix.scatter_add_(2, position.expand(len(sigma), -1, -1), weights[:, None].expand(-1, size, -1))
