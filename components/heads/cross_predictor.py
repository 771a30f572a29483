"""Cross-attention predictor (CAPI): each wanted place asks the tokens of the seen patches, and no other place."""

from functools import partial

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count

from .places import sine_cosine_table


@component(source="arXiv:2502.08769, section 3.2; arXiv:2401.14391, section 3.2", title="cross-attention predictor")
class CrossPredictor(nn.Module):
    """Queries are the wanted places; keys and values are the seen tokens in their places.

        x = mask token + place[wanted],   keys = tokens W + place[seen]
        x = x + attention(norm(x), keys),   x = x + mlp(norm(x))   in each block;   norm(x), through a layer to `out`

    Places do not see each other, so a prediction does not depend on what else is wanted. The places are a fixed table
    of sines and cosines. `hidden` is read for the number of patches alone.

    Settings:
        dim: width of the predictor.
        depth: its blocks.
        heads: attention heads.
        out: width of a last layer; left out, there is none and predictions have the width `dim`.
        width: of the arriving tokens; filled from what arrives.
        patches: of an image, a square number; filled from what arrives.
    """

    positions: Tensor

    def __init__(
        self,
        *,
        dim: Count = 384,
        depth: Count = 6,
        heads: Count = 12,
        out: Count | None = None,
        width: Count | None = None,
        patches: Count | None = None,
    ) -> None:
        super().__init__()
        width = filled(width, "width")
        if dim % heads:
            raise ValueError(f"{heads} heads do not divide a width of {dim}; set dim or heads")
        self.embed = nn.Linear(width, dim)
        self.mask_token = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.register_buffer("positions", sine_cosine_table(dim, filled(patches, "patches"))[:, 1:])
        self.blocks = nn.ModuleList(_Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.last = nn.Identity() if out is None else nn.Linear(dim, out)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(
        self,
        tokens: Float[Tensor, "batch kept width"],
        seen: Int64[Tensor, "batch kept"],
        wanted: Int64[Tensor, "batch *some"],
        hidden: Bool[Tensor, "batch patches"],  # noqa: ARG002 - its size fills `patches`
    ) -> Float[Tensor, "batch *some out"]:
        table = self.positions[0].to(tokens.dtype)
        keys = self.embed(tokens) + table[seen]
        asked = self.mask_token.to(keys.dtype) + table[wanted.flatten(1)]
        for block in self.blocks:
            asked = block(asked, keys)
        return self.last(self.norm(asked)).unflatten(1, wanted.shape[1:])  # type: ignore[no-any-return]


class _Block(nn.Module):
    """Attention to the keys, then an mlp, each added to its input."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        norm = partial(nn.LayerNorm, dim, eps=1e-6)
        self.norm1, self.norm2 = norm(), norm()
        self.attention = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, asked: Tensor, keys: Tensor) -> Tensor:
        asked = asked + self.attention(self.norm1(asked), keys, keys, need_weights=False)[0]
        return asked + self.mlp(self.norm2(asked))  # type: ignore[no-any-return]
