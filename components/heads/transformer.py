"""Transformer: the rows of an image look at each other, such as the neighbours of a feature (All4One)."""

from functools import partial
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count


class Read(NamedTuple):
    """What the first row has become, and all rows."""

    first: Float[Tensor, "batch dim"]
    tokens: Float[Tensor, "batch places dim"]


@component(source="arXiv:1706.03762, section 3; arXiv:2303.09417, section 3.2", rows="raw")
class Transformer(nn.Module):
    """Pre-norm blocks of attention over the rows of each image, and a last norm.

    Settings:
        depth: its blocks.
        heads: attention heads.
        positions: learned, a trained row is added at each place; none, the order of the rows tells nothing.
        dim: width of the rows; filled from what arrives.
        places: rows of an image; filled from what arrives.
    """

    def __init__(
        self,
        *,
        depth: Count = 3,
        heads: Count = 8,
        positions: Literal["none", "learned"] = "none",
        dim: Count | None = None,
        places: Count | None = None,
    ) -> None:
        super().__init__()
        dim, places = filled(dim, "dim"), filled(places, "places")
        if dim % heads:
            raise ValueError(f"{heads} heads do not divide a width of {dim}; set heads")
        norm = partial(nn.LayerNorm, eps=1e-6)
        self.positions = nn.Parameter(torch.randn(1, places, dim) * 0.02) if positions == "learned" else None
        self.blocks = nn.Sequential(*(Block(dim, heads, qkv_bias=True, norm_layer=norm) for _ in range(depth)))
        self.norm = norm(dim)

    def forward(self, tokens: Float[Tensor, "batch places dim"]) -> Read:
        placed = tokens if self.positions is None else tokens + self.positions
        found = self.norm(self.blocks(placed))
        return Read(found[:, 0], found)
