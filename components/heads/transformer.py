"""Transformer: the rows of an image look at each other (All4One), or each at those before it (AIM, iGPT)."""

from functools import partial
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count

from .places import sine_cosine_table


class Read(NamedTuple):
    """What the first row has become, and all rows."""

    first: Float[Tensor, "batch dim"]
    tokens: Float[Tensor, "batch places dim"]


@component(source="arXiv:1706.03762, section 3; arXiv:2303.09417, section 3.2; causal: arXiv:2401.08541", rows="raw")
class Transformer(nn.Module):
    """Pre-norm blocks of attention over the rows of each image, and a last norm.

    Settings:
        depth: its blocks.
        heads: attention heads.
        attention: all, each row sees every row of its image; causal, only itself and those before it.
        positions: learned, a trained row is added at each place; sincos, MAE's fixed table for a square of patches,
            after a class token or without one; none, each row tells nothing of its place.
        dim: width of the rows; filled from what arrives.
        places: rows of an image; filled from what arrives.
    """

    def __init__(
        self,
        *,
        depth: Count = 3,
        heads: Count = 8,
        attention: Literal["all", "causal"] = "all",
        positions: Literal["none", "learned", "sincos"] = "none",
        dim: Count | None = None,
        places: Count | None = None,
    ) -> None:
        super().__init__()
        dim, places = filled(dim, "dim"), filled(places, "places")
        if dim % heads:
            raise ValueError(f"{heads} heads do not divide a width of {dim}; set heads")
        norm = partial(nn.LayerNorm, eps=1e-6)
        self.attention = attention
        self.positions: Tensor | None
        if positions == "sincos":
            self.register_buffer("positions", _table(dim, places), persistent=False)
        else:
            self.positions = nn.Parameter(torch.randn(1, places, dim) * 0.02) if positions == "learned" else None
        self.blocks = nn.Sequential(*(Block(dim, heads, qkv_bias=True, norm_layer=norm) for _ in range(depth)))
        self.norm = norm(dim)

    def forward(self, tokens: Float[Tensor, "batch places dim"]) -> Read:
        rows = tokens if self.positions is None else tokens + self.positions.to(tokens.dtype)
        hidden = None  # what is added to the scores of row i for row j: nothing, or -inf where j comes later
        if self.attention == "causal":
            hidden = rows.new_full((rows.shape[1], rows.shape[1]), -torch.inf).triu(1)
        for block in self.blocks:
            rows = block(rows, attn_mask=hidden)
        found = self.norm(rows)
        return Read(found[:, 0], found)


def _table(dim: int, places: int) -> Float[Tensor, "1 places dim"]:
    """Patches alone lack the row of the class token, which is the table's first."""
    is_square = round(places**0.5) ** 2 == places
    return sine_cosine_table(dim, places)[:, 1:] if is_square else sine_cosine_table(dim, places - 1)
