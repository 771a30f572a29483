"""Toy parts whose work depends on the numbers in a tensor, of which a meta tensor has none."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sslgraph.component import component, writes

seen: list[int] = []  # the rows of each batch that Passing was run on


@component(source="toy")
class Covariance(nn.Module):
    """The sum of squares of the covariance matrix of the rows, by torch.cov."""

    def forward(self, rows: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]:
        return torch.cov(rows.T).square().sum()


class Passed(NamedTuple):
    features: Float[Tensor, "batch out"]
    twice: Float[Tensor, "both out"]
    is_kept: Bool[Tensor, "batch"]


@component(source="toy")
class Passing(nn.Module):
    """A matrix; it stops if some row is nan, and says which rows have a positive sum."""

    def __init__(self, *, out: int, dim: int | None = None) -> None:
        super().__init__()
        assert dim is not None
        self.rates = [rate.item() for rate in torch.linspace(0, 1, 2)]
        self.weight = nn.Parameter(torch.ones(out, dim))

    def forward(self, features: Float[Tensor, "batch dim"]) -> Passed:
        if features.isnan().any():
            raise ValueError("a row is nan")
        seen.append(len(features))
        rows = features @ self.weight.T
        return Passed(rows, torch.cat([rows, rows]), rows.sum(1) > 0)


@component(source="toy")
class Unit(nn.Module):
    """The sum of rows, which must have unit length."""

    def forward(self, rows: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]:
        if (rows.norm(dim=1) - 1).abs().max() > 1e-3:
            raise ValueError("rows must have unit length")
        return rows.sum()


@component(source="toy")
class Elsewhere(nn.Module):
    """Adds a tensor that always lies in the memory of the CPU."""

    def forward(self, rows: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        return rows + torch.ones(rows.shape[1], device="cpu")


@component(source="toy")
class Places(nn.Module):
    """Keeps a fixed number of rows, and refuses rows of which all numbers are negative."""

    def __init__(self, *, rows: int, dim: int | None = None) -> None:
        super().__init__()
        assert dim is not None
        self.register_buffer("kept", torch.zeros(rows, dim))

    def forward(self) -> Float[Tensor, "rows dim"]:
        return self.kept.clone()

    @writes
    def put(self, rows: Float[Tensor, "batch dim"]) -> None:
        if (rows < 0).all().item():
            raise ValueError("only negative numbers")
        self.kept.copy_(rows)
