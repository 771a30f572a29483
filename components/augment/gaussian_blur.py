"""Gaussian blur: fine detail smoothed away, for some of the samples."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from sslgraph.component import component
from sslgraph.draws import Draw, words
from sslgraph.ranges import Odd, Positives, Share

from . import native
from .chance import checked, chosen
from .planes import on_rows
from .resample import reflected


@component(source="arXiv:2002.05709, appendix A; torchvision.transforms.v2.GaussianBlur")
class GaussianBlur(nn.Module):
    """A true Gaussian of standard deviation sigma ~ U(sigma), one for each sample, over the mirrored image:

        w_t ~ exp(-t^2 / (2 sigma^2)) for |t| <= radius, sum 1, along both axes

    in place, on the chosen samples only: how many, changes from batch to batch.

    Settings:
        sigma: least and greatest standard deviation, pixels.
        kernel: taps, an odd number; None is the papers' tenth of the image's height, made odd: 23 for 224, 3 for 32.
        p: probability, or a list with one for each copy of a bag.
    """

    def __init__(
        self, *, sigma: Positives = (0.1, 2.0), kernel: Odd | None = None, p: Share | list[Share] = 0.5
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
        images: Float[Tensor, "batch channels height width"],
        rows: Int64[Tensor, "blurred"],
        sigma: Float[Tensor, "blurred"],
    ) -> Float[Tensor, "batch channels height width"]:
        radius = (images.shape[2] // 10 if self.kernel is None else self.kernel) // 2
        if radius >= min(images.shape[2:]):
            raise ValueError(f"a blur of {2 * radius + 1} taps is wider than the mirrored image of {images.shape[2:]}")
        weights = _weights(sigma, radius)
        if images.device.type != "cpu":
            return on_rows(images, rows, lambda planes, which: _by_matrices(planes, weights[which]))
        if native.blur(images, rows, weights):
            return images
        return on_rows(images, rows, lambda planes, which: _by_sums(planes, weights[which]))


def _weights(sigma: Float[Tensor, "rows"], radius: int) -> Float[Tensor, "rows weights"]:
    """From the middle outwards; both sides are alike."""
    steps = torch.arange(radius + 1, device=sigma.device)
    weights = torch.exp(-0.5 * (steps / sigma[:, None].double()) ** 2)
    weights = weights / (2 * weights.sum(1, keepdim=True) - weights[:, :1])
    # What is smaller than half a rounding step changes no value, and no neighbour is looked at for it.
    return torch.where(weights < 2.0**-26, 0.0, weights).float()


def _by_sums(planes: Tensor, weights: Tensor) -> None:
    """In the order of pixels.c: the middle, then pairs from within outwards; along lines, then along columns."""
    radius, count = weights.shape[1] - 1, planes.shape[1]
    shares = weights.T[:, :, None, None]
    reach = int(weights.count_nonzero(1).max())
    for axis, border in ((3, [radius, radius, 0, 0]), (2, [0, 0, radius, radius])):
        size = planes.shape[axis]
        wide = functional.pad(planes.flatten(0, 1)[:, None], border, mode="reflect")
        wide = wide.view(len(planes), count, *wide.shape[2:])
        torch.mul(wide.narrow(axis, radius, size), shares[0], out=planes)
        for t in range(1, reach):
            pair = wide.narrow(axis, radius - t, size) + wide.narrow(axis, radius + t, size)
            pair *= shares[t]
            planes += pair


def _by_matrices(planes: Tensor, weights: Tensor) -> None:
    """As two matrix products, which a GPU likes best: bands alone would be fewer sums, and many more launches."""
    channels, count, height, width = planes.shape
    down = blur_matrix(weights, height)
    across = down if height == width else blur_matrix(weights, width)
    lines = planes.transpose(0, 1).reshape(count, channels * height, width)
    narrow = torch.bmm(lines, across.mT).view(count, channels, height, width)
    planes.copy_(torch.matmul(down[:, None], narrow).transpose(0, 1))


def blur_matrix(weights: Float[Tensor, "rows weights"], size: int) -> Float[Tensor, "rows size size"]:
    """One banded matrix a sample, the mirroring at the border folded in."""
    radius = weights.shape[1] - 1
    steps = torch.arange(-radius, radius + 1, device=weights.device)
    position = reflected(torch.arange(size, device=weights.device)[:, None] + steps, size)
    matrix = torch.zeros(len(weights), size, size, device=weights.device)
    both = weights[:, steps.abs()]
    return matrix.scatter_add_(2, position.expand(len(weights), -1, -1), both[:, None].expand(-1, size, -1))
