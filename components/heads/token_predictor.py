"""Token predictor (I-JEPA): from the tokens of the seen patches to tokens at other places of the image."""

from functools import partial

import torch
from jaxtyping import Bool, Float, Int64
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count

from .places import sine_cosine_table


@component(source="arXiv:2301.08243, section 3 (prediction) and appendix A.1", title="token predictor")
class TokenPredictor(nn.Module):
    """A narrow transformer; each block of wanted places is predicted by itself, from all seen tokens.

        tokens[n] W + place[seen[n]], mask token + place[wanted[b, m]]  ->  blocks, norm, W' at the wanted places

    One trained mask token stands for all that is wanted; the places are a fixed table of sines and cosines. `hidden`,
    which says of each patch whether the tokens lack it, is read for the number of patches alone.

    Settings:
        dim: width of the predictor.
        depth: its blocks.
        heads: attention heads.
        out: width of what it predicts; left out, that of the arriving tokens.
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
        norm = partial(nn.LayerNorm, eps=1e-6)
        self.embed = nn.Linear(width, dim)
        self.mask_token = nn.Parameter(torch.randn(1, 1, 1, dim) * 0.02)
        self.register_buffer("positions", sine_cosine_table(dim, filled(patches, "patches"))[:, 1:])
        self.blocks = nn.Sequential(*(Block(dim, heads, qkv_bias=True, norm_layer=norm) for _ in range(depth)))
        self.norm = norm(dim)
        self.last = nn.Linear(dim, out or width)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)

    def forward(
        self,
        tokens: Float[Tensor, "batch kept width"],
        seen: Int64[Tensor, "batch kept"],
        wanted: Int64[Tensor, "batch blocks places"],
        hidden: Bool[Tensor, "batch patches"],  # noqa: ARG002 - its size fills `patches`
    ) -> Float[Tensor, "batch blocks places out"]:
        table = self.positions[0].to(tokens.dtype)
        context = (self.embed(tokens) + table[seen])[:, None].expand(-1, wanted.shape[1], -1, -1)
        asked = self.mask_token.to(context.dtype) + table[wanted]
        both = torch.cat([context, asked], 2).flatten(0, 1)
        found = self.last(self.norm(self.blocks(both)[:, context.shape[2] :]))
        return found.unflatten(0, wanted.shape[:2])  # type: ignore[no-any-return]
