"""Measures of an encoder without labels, from the spectrum of its features. None of them is an accuracy."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

EPSILON = 1e-7  # of the papers, in the shares
FIT = (11, 100)  # the eigenvalues that alpha-ReQ fits, counted from 1
RIDGE = 1e-4  # LiDAR's, on the scatter within images


def rankme(features: Float[Tensor, "images dim"]) -> float:
    """RankMe (arXiv:2210.02885, equation 1): exp of the entropy of the singular values' shares; 0 for zeros.

    Not centred, as in the paper: with a mean far from zero it falls. From 1 to min(images, dim) and a little above, for
    its epsilon. It depends on the number of images (Gaussian features of 512 dimensions give 412 with 512 images and
    504 with 4,096) and compares encoders of one method and one width only; noise has the highest rank of all.
    """
    values = _squares(features.double()).sqrt()
    total = values.sum()
    return float(_exp_entropy(values / total)) if total > 0 else 0.0


def alpha_req(features: Float[Tensor, "images dim"]) -> float | None:
    """alpha-ReQ (Agrawal et al. 2022): the decay alpha of the covariance's eigenvalues, lambda_j ~ j^-alpha.

    A line through log lambda on log j for j = 11 to 100, weighted by 1 / j. Near 1 goes with good features; far below
    it they are white or noise, far above it collapsed. None with fewer than 100 eigenvalues above zero. With about as
    many images as dimensions it comes out too low (0.94 for a true 1 with 1,000 images of 512 dimensions).
    """
    first, last = FIT
    centred = features.double() - features.double().mean(0)
    values = _squares(centred) / max(len(features) - 1, 1)
    if len(values) < last or values[last - 1] <= values[0] * 1e-12:
        return None
    order = torch.arange(first, last + 1, dtype=torch.float64)
    x, y, weight = order.log(), values[first - 1 : last].log(), 1 / order
    x, y = x - (weight * x).sum() / weight.sum(), y - (weight * y).sum() / weight.sum()
    return float(-(weight * x * y).sum() / (weight * x * x).sum())


def signal(features: Float[Tensor, "images views dim"]) -> float | None:
    """How far images are apart over how far views of one image are: mean squares of distances from the mean.

    With q views of each, views that have nothing in common give about 1 / q; LiDAR can't tell those from perfect ones.
    None if all views of all images are one, as those of a collapsed encoder.
    """
    rows = features.double()
    centres = rows.mean(1)
    within = (rows - centres[:, None]).square().sum() / (rows.shape[0] * (rows.shape[1] - 1))
    between = (centres - centres.mean(0)).square().sum() / (rows.shape[0] - 1)
    return float(between / within) if within > 0 else float("inf") if between > 0 else None


def lidar(features: Float[Tensor, "images views dim"]) -> float:
    """LiDAR (arXiv:2312.04000): RankMe of the scatter between images, measured by that between views of one image.

    `features` are those of several views (the paper: 50) of each of some images (1,000), grouped by image. From 1 to
    min(dim, images - 1). It knows no scale: views that have nothing in common give nearly the highest value, as
    perfect ones do; read it beside `signal`. It depends on the augmentation and on both numbers.
    """
    rows = features.double()
    images, views, dim = rows.shape
    centres = rows.mean(1)
    between = centres - centres.mean(0)
    within = (rows - centres[:, None]).flatten(0, 1)
    scatter = within.T @ within / (images * (views - 1)) + RIDGE * torch.eye(dim, dtype=torch.float64)
    values, vectors = torch.linalg.eigh(scatter)
    whitened = between @ (vectors * values.rsqrt())
    spread = _squares(whitened)
    return float(_exp_entropy(spread / spread.sum())) if spread.sum() > 0 else 0.0


def _squares(rows: Tensor) -> Tensor:
    """The squares of the singular values, largest first: eigenvalues of the smaller of the two products."""
    product = rows.T @ rows if rows.shape[1] < rows.shape[0] else rows @ rows.T
    try:
        values: Tensor = torch.linalg.eigvalsh(product)
    except RuntimeError:  # rows that are all alike: what rounding leaves of them has no order
        values = torch.linalg.eigvalsh(product + 1e-12 * product.diagonal().mean() * torch.eye(len(product)))
    return values.flip(0).clamp_min(0)


def _exp_entropy(shares: Tensor) -> Tensor:
    shares = shares + EPSILON
    return (-(shares * shares.log()).sum()).exp()
