"""BEiT's vision transformer: tokens know their places from each other, by a bias of attention that all blocks share."""

from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from timm.models.beit import Beit, Block
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.draws import Draw
from sslgraph.ranges import Count, LessThanOne, NotNegative, Whole

from .stochastic_depth import kept_terms
from .vit import PRESETS


class Features(NamedTuple):
    """After the last LayerNorm: class token, patch tokens, both, the patches' mean; before it: what blocks gave."""

    cls: Float[Tensor, "batch dim"]
    patches: Float[Tensor, "batch tokens dim"]
    tokens: Float[Tensor, "batch cls_and_tokens dim"]
    pooled: Float[Tensor, "batch dim"]
    layers: Float[Tensor, "batch kept_layers tokens dim"]


class _Block(Block):  # type: ignore[misc]
    """One block of timm, whose own drop-path would draw from the global generator: here its factors are given."""

    def forward(self, x: Tensor, bias: Tensor, keep: Float[Tensor, "batch 2"] | None) -> Tensor:
        if keep is None:
            return super().forward(x, shared_rel_pos_bias=bias)  # type: ignore[no-any-return]
        attention, mlp = keep[:, :, None, None].unbind(1)
        first, second = (1.0, 1.0) if self.gamma_1 is None else (self.gamma_1, self.gamma_2)
        x = x + attention * (first * self.attn(self.norm1(x), shared_rel_pos_bias=bias))
        return x + mlp * (second * self.mlp(self.norm2(x)))  # type: ignore[no-any-return]


@component(
    source="arXiv:2106.08254, section 2.4; microsoft/unilm, beit/modeling_pretrain.py",
    title="BEiT's ViT",
    role="encoder",
    hides=("replace",),
    rows="raw",
)
class BeitViT(nn.Module):
    """Pre-norm transformer over a class token and the patches, without a table of positions.

        attention[h, i, j] = softmax_j(query[i] key[j] / sqrt(width of a head) + b[h, place of i - place of j])

    b is trained, starts at 0, has (2 side - 1)^2 rows for pairs of patches and three for the class token, and is the
    same in all blocks. Keys have no bias. Weights start normal with deviation 0.02, cut off at one deviation (the last
    matrix of each term of block l, from 1, divided by sqrt(2 l)); they are named as timm's, below `net`.

    Settings:
        preset: those of backbones.vit.
        patch: side of a patch in pixels.
        mask_token: have one, for the port `replace`.
        drop_path: chance that the last block's terms are skipped; rises linearly from 0 at the first block.
        layer_scale: initial factor of each block's terms, trained for each feature; 0 for none.
        layers: how many of the last blocks' patch tokens come out at the port `layers` (data2vec 6).
        channels: of the image; filled from what arrives.
        size: side of the image in pixels; filled from what arrives. It takes images of no other size.
    """

    rates: Tensor

    def __init__(
        self,
        *,
        preset: Literal["nano", "tiny", "small", "base", "large"] = "base",
        patch: Count = 16,
        mask_token: bool = False,
        drop_path: LessThanOne = 0.0,
        layer_scale: NotNegative = 0.1,
        layers: Whole = 0,
        channels: Count | None = None,
        size: Count | None = None,
    ) -> None:
        super().__init__()
        channels = filled(channels, "channels")
        self.size = filled(size, "size")
        if self.size % patch:
            raise ValueError(
                f"patches of {patch} pixels do not divide an image of {self.size}; change patch, or make the view's "
                f"size a multiple of it, {max(1, round(self.size / patch)) * patch} for example"
            )
        dim, depth, heads = PRESETS[preset]
        if layers > depth:
            raise ValueError(f"layers: {layers} are more than the {depth} blocks of preset {preset}; make it smaller")
        self.layers, self.drop_path = layers, drop_path
        self.net: Any = Beit(
            img_size=self.size, patch_size=patch, in_chans=channels, num_classes=0, global_pool="", embed_dim=dim,
            depth=1, num_heads=heads, use_abs_pos_emb=False, use_shared_rel_pos_bias=True,
        )  # fmt: skip
        self.net.blocks = nn.ModuleList(
            _Block(dim, heads, qkv_bias=True, init_values=layer_scale or None) for _ in range(depth)
        )
        self.net.init_weights(needs_reset=False)
        self.mask_token = nn.Parameter(torch.empty(1, 1, dim)) if mask_token else None
        self._narrow()
        self.register_buffer("rates", torch.linspace(0, drop_path, depth), persistent=False)

    def _narrow(self) -> None:
        """The start of the authors' code, which timm's leaves wider: it cuts off at a hundred deviations."""
        matrices = [layer.weight for layer in self.net.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
        tokens = [self.net.cls_token] if self.mask_token is None else [self.net.cls_token, self.mask_token]
        for weight in (*matrices, *tokens):
            nn.init.trunc_normal_(weight, std=0.02, a=-0.02, b=0.02)
        nn.init.zeros_(self.net.patch_embed.proj.bias)
        self.net.fix_init_weight()

    def forward(
        self,
        image: Float[Tensor, "batch channels size size"],
        replace: Bool[Tensor, "batch patches"] | None = None,
        draw: Draw | None = None,
    ) -> Features:
        if image.shape[-1] != self.size:
            raise ValueError(
                f"the relative places are those of images of {self.size} pixels, and this one has {image.shape[-1]}; "
                "give all views of this net one size"
            )
        patches = self.net.patch_embed(image)
        if replace is not None:
            if self.mask_token is None:
                raise ValueError("the port replace needs a mask token; set mask_token: true")
            patches = torch.where(replace[..., None], self.mask_token.to(patches.dtype), patches)
        tokens = torch.cat([self.net.cls_token.expand(len(image), -1, -1), patches], 1)
        keep = kept_terms(draw, self.rates) if self.training and self.drop_path else None
        bias = self.net.rel_pos_bias()
        given: list[Tensor] = []
        for number, block in enumerate(self.net.blocks):
            tokens = block(tokens, bias, None if keep is None else keep[:, number])
            given.append(tokens[:, 1:])
        layers = given[len(given) - self.layers :]
        kept = torch.stack(layers, 1) if layers else patches[:, None][:, :0]
        tokens = self.net.norm(tokens)
        return Features(tokens[:, 0], tokens[:, 1:], tokens, tokens[:, 1:].mean(1), kept)
