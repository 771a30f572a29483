"""Toy parts for tests of the graph: small enough to compute by hand."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from sslgraph.component import Scalar, component, writes
from sslgraph.draws import Draw, uniform


@component(source="toy")
class Dense(nn.Module):
    """One matrix, all ones at the start."""

    def __init__(self, *, out: int, dim: int | None = None) -> None:
        super().__init__()
        assert dim is not None
        self.weight = nn.Parameter(torch.ones(out, dim))

    def forward(self, features: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch out"]:
        return features @ self.weight.T


class Seen(NamedTuple):
    pooled: Float[Tensor, "batch dim"]
    map: Float[Tensor, "batch dim rows columns"]


@component(source="toy")
class Eye(nn.Module):
    """Scales an image by one weight; gives its mean per channel and the image itself."""

    def __init__(self, *, channels: int | None = None) -> None:
        super().__init__()
        assert channels is not None
        self.scale = nn.Parameter(torch.ones(channels))

    def forward(self, image: Float[Tensor, "batch channels height width"]) -> Seen:
        scaled = image * self.scale[:, None, None]
        return Seen(scaled.mean((2, 3)), scaled)


@component(source="toy")
class Square(nn.Module):
    """Mean squared distance of two values, divided by a temperature."""

    def __init__(self, *, temperature: Scalar = 1.0) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, one: Float[Tensor, "batch dim"], other: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]:
        return (one - other).square().mean() / self.temperature

    def landmarks(self, one: Tensor, other: Tensor) -> dict[str, float]:  # noqa: ARG002
        return {"collapsed": 0.0}


@component(source="toy", detached=("center",))
class Bag(nn.Module):
    """Spread of a bag around a centre: mean over views, batch and features of the squared distance."""

    def forward(self, rows: Float[Tensor, "views batch dim"], center: Float[Tensor, "dim"]) -> Float[Tensor, ""]:
        return (rows - center.detach()).square().mean()


@component(source="toy")
class Mean(nn.Module):
    """The mean of all rows ever written."""

    def __init__(self, *, dim: int | None = None) -> None:
        super().__init__()
        assert dim is not None
        self.register_buffer("total", torch.zeros(dim))
        self.register_buffer("count", torch.zeros(()))

    def forward(self) -> Float[Tensor, "dim"]:
        return self.total / self.count.clamp(min=1)

    @writes
    def add(self, rows: Float[Tensor, "batch dim"]) -> None:
        self.total += rows.sum(0)
        self.count += len(rows)


@component(source="toy")
class Noise(nn.Module):
    """Adds a uniform number to each row, drawn by sample."""

    def forward(self, rows: Float[Tensor, "batch dim"], draw: Draw) -> Float[Tensor, "batch dim"]:
        return rows + uniform(draw, 1).to(rows.dtype)


@component(source="toy")
class Table(nn.Module):
    """A number per image."""

    def __init__(self, *, images: int | None = None) -> None:
        super().__init__()
        assert images is not None
        self.register_buffer("labels", torch.zeros(images, dtype=torch.int64))

    def forward(self, index: Int64[Tensor, "batch"]) -> Int64[Tensor, "batch"]:
        return self.labels[index]

    @writes
    def write(self, labels: Int64[Tensor, "images"]) -> None:
        self.labels.copy_(labels)


@component(source="toy")
class Thumbnail(nn.Module):
    """The image with 8 x 8 pixels, in one row."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, image: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch dim"]:
        return self.scale * adaptive_avg_pool2d(image, 8).flatten(1)
