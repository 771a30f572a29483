"""Toy parts that show in which order, over which rows and on which views something was done."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.component import component, writes


@component(source="toy")
class Chance(nn.Module):
    """One matrix of random numbers, with a layer of its own to freeze."""

    def __init__(self, *, out: int, dim: int | None = None) -> None:
        super().__init__()
        assert dim is not None
        self.last = nn.Linear(dim, out, bias=False)

    def forward(self, features: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch out"]:
        return self.last(features)


@component(source="toy")
class First(nn.Module):
    """The first number of the first row."""

    def forward(self, rows: Float[Tensor, "images dim"]) -> Float[Tensor, "1"]:
        return rows[0, :1]


@component(source="toy")
class LessMean(nn.Module):
    """Takes the mean over the rows away, as BatchNorm does: shows which rows were together in one call."""

    def forward(self, rows: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        return rows - rows.mean(0)


@component(source="toy")
class Swap(nn.Module):
    """The views of a bag in the opposite order."""

    def forward(self, bag: Float[Tensor, "views batch dim"]) -> Float[Tensor, "views batch dim"]:
        return bag.flip(0)


@component(source="toy")
class OverViews(nn.Module):
    """The mean over the views of a bag: one row for each image."""

    def forward(self, bag: Float[Tensor, "views batch dim"]) -> Float[Tensor, "batch dim"]:
        return bag.mean(0)


@component(source="toy")
class Journal(nn.Module):
    """A number to which a write adds the sum of its rows, and which another write doubles: their order shows."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("total", torch.zeros(1))

    def forward(self) -> Float[Tensor, "1"]:
        return self.total.clone()

    @writes
    def add(self, rows: Float[Tensor, "batch dim"]) -> None:
        self.total += rows.sum()

    @writes
    def double(self) -> None:
        self.total *= 2


@component(source="toy")
class Album(nn.Module):
    """Keeps the rows of a bag as they are written."""

    def __init__(self, *, rows: int, dim: int | None = None) -> None:
        super().__init__()
        assert dim is not None
        self.register_buffer("kept", torch.zeros(rows, dim))

    def forward(self) -> Float[Tensor, "rows dim"]:
        return self.kept.clone()

    @writes
    def put(self, bag: Float[Tensor, "views batch dim"]) -> None:
        self.kept.copy_(bag.flatten(0, 1))


@component(source="toy")
class Picked(nn.Module):
    """Of each row of values the one whose key is most alike: argmax tells the queries nothing."""

    def forward(
        self, query: Float[Tensor, "batch dim"], values: Float[Tensor, "batch dim"]
    ) -> Float[Tensor, "batch dim"]:
        return values[(query @ values.T).argmax(1)]


@component(source="toy")
class Greedy(nn.Module):
    """A part that can't run on random numbers."""

    def forward(self, rows: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        if rows.device.type != "meta" and rows.max() < 5:
            raise ValueError("rows are too small")
        return rows
