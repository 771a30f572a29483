"""Patch pointer: from the patches that are seen, one query for each hidden place, to pick its patch (Selfie)."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count


class Pointed(NamedTuple):
    """What is expected at each hidden place, and what is there, in one order."""

    query: Float[Tensor, "batch hidden dim"]
    choice: Float[Tensor, "batch hidden dim"]


@component(source="arXiv:1906.02940, section 3 (attention pooling)", role="decoder")
class PatchPointer(nn.Module):
    """query = u + position of the hidden place;  u: what a learned token takes from the seen patches by attention.

    Layers of self-attention over the learned token and the seen patches (pre-norm, GELU, no dropout). One u serves all
    hidden places. Seen patches know their places if `place_seen` says so; the paper leaves that open.

    Settings:
        layers: of attention.
        heads: of a layer; they divide dim.
        hidden: width of the perceptron in a layer.
        place_seen: add positions to the patches that are seen.
        grid: patches in a row and in a column; filled from what arrives.
        dim: features of a patch; filled from what arrives.
    """

    def __init__(
        self,
        *,
        layers: Count = 3,
        heads: Count = 32,
        hidden: Count = 640,
        place_seen: bool = False,
        grid: Count | None = None,
        dim: Count | None = None,
    ) -> None:
        super().__init__()
        dim, grid = filled(dim, "dim"), filled(grid, "grid")
        if dim % heads:
            raise ValueError(f"{heads} heads do not divide {dim} features; set heads")
        self.place_seen = place_seen
        self.token = nn.Parameter(torch.zeros(1, 1, dim))
        self.positions = nn.Parameter(torch.empty(grid**2, dim).normal_(std=0.02))
        ratio = (hidden + 0.5) / dim  # which timm multiplies by dim and rounds down
        self.blocks = nn.Sequential(*(Block(dim, heads, mlp_ratio=ratio, qkv_bias=True) for _ in range(layers)))
        self.norm = nn.LayerNorm(dim)

    def forward(
        self,
        patches: Float[Tensor, "batch grid grid dim"],
        seen: Int64[Tensor, "batch kept"],
        restore: Int64[Tensor, "batch patches"],
    ) -> Pointed:
        tokens = patches.flatten(1, 2)
        hidden = restore.argsort(1)[:, seen.shape[1] :]
        placed = tokens + self.positions if self.place_seen else tokens
        context = torch.cat([self.token.expand(len(tokens), -1, -1), _rows(placed, seen)], 1)
        pooled = self.norm(self.blocks(context)[:, :1])
        return Pointed(pooled + self.positions[hidden], _rows(tokens, hidden))


def _rows(tokens: Tensor, which: Tensor) -> Tensor:
    return tokens.gather(1, which[..., None].expand(-1, -1, tokens.shape[2]))
