"""Vision transformer: patches as tokens, of which some may be left out (MAE) or hidden behind a mask token (iBOT)."""

import math
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sslgraph.component import component, filled
from sslgraph.draws import Draw
from sslgraph.ranges import Count, LessThanOne, NotNegative, Whole

from .stochastic_depth import kept_terms

# preset: (dim, depth, heads)
PRESETS = {
    "nano": (96, 4, 3),
    "tiny": (192, 12, 3),
    "small": (384, 12, 6),
    "base": (768, 12, 12),
    "large": (1024, 24, 16),
}


class Features(NamedTuple):
    """After the last LayerNorm: class token, patch tokens (the seen ones, in the order of `seen`), both, their mean;
    before it: what the last blocks gave, how the class token attends in the last one; their class tokens after it.
    """

    cls: Float[Tensor, "batch dim"]
    patches: Float[Tensor, "batch tokens dim"]
    tokens: Float[Tensor, "batch cls_and_tokens dim"]
    pooled: Float[Tensor, "batch dim"]
    layers: Float[Tensor, "batch kept_layers tokens dim"]
    attention: Float[Tensor, "batch heads tokens"]
    classes: Float[Tensor, "batch classes"]


class _Block(Block):  # type: ignore[misc]
    """One block of timm, whose own drop-path would draw from the global generator: here its factors are given."""

    def forward(self, x: Tensor, keep: Float[Tensor, "batch 2"] | None = None) -> Tensor:
        if keep is None:
            return super().forward(x)  # type: ignore[no-any-return]
        attention, mlp = keep[:, :, None, None].unbind(1)
        x = x + attention * self.ls1(self.attn(self.norm1(x)))
        return x + mlp * self.ls2(self.mlp(self.norm2(x)))  # type: ignore[no-any-return]

    def first_attends(self, x: Tensor) -> Float[Tensor, "batch heads tokens"]:
        """The shares with which the first token attends to all."""
        query, key, _ = self.attn.qkv(self.norm1(x)).unflatten(2, (3, self.attn.num_heads, -1)).unbind(2)
        scores = torch.einsum("bhd,bnhd->bhn", query[:, 0] * self.attn.scale, key)
        return scores.softmax(-1)


@component(
    source="arXiv:2010.11929, equations 1-4; arXiv:2111.06377, section 3, for `seen` and the sine-cosine table",
    role="encoder",
    hides=("seen", "replace"),
    rows="raw",
)
class ViT(nn.Module):
    """Pre-norm transformer over the patches of an image and a class token.

        token[n] = patch[n] W + b  (or the mask token where `replace`)  + position[n],   kept if n is in `seen`

    Each block adds attention(norm(x)) and mlp(norm(x)) to x; with drop-path, block i of n skips each of its two terms
    for a whole sample with chance drop_path * i / (n - 1) in training, and scales what it keeps. Weights are named as
    timm's, below `net`. For images of another size than the first the table of positions is resampled bicubically, by
    the factor (side + 0.1) / (side of the table) as DINO's released weights need it.

    Settings:
        preset: nano 96 wide, 4 blocks, 3 heads (ours, for small machines); tiny 192, 12, 3; small 384, 12, 6;
            base 768, 12, 12; large 1024, 24, 16.
        patch: side of a patch in pixels.
        heads: attention heads, where they are not the preset's (MoCo v3's small has 12).
        positions: learned, or MAE's fixed table of sines and cosines.
        registers: extra tokens without position that are dropped at the end (arXiv:2309.16588).
        mask_token: have one, for the port `replace`.
        drop_path: chance that the last block's terms are skipped; rises linearly from 0 at the first block.
        layer_scale: initial factor of each block's terms, trained for each feature; 0 for none.
        layers: how many of the last blocks' patch tokens come out at the port `layers`, class tokens at `classes`.
        attention: true lets the port `attention` have its numbers; without it, it has no heads.
        init: timm, normal 0.02; dino, the class token too; mae, Xavier; moco_v3, Xavier with query, key and value
            apart; ijepa and msn, normal 0.02, patches too, or with He's patches and a class token of 0.02.
        table: side of the images that given weights were trained on (DINOv2: 518), if others arrive first.
        channels: of the image; filled from what arrives.
        size: side of the image in pixels; filled from what arrives first.
    """

    rates: Tensor

    def __init__(
        self,
        *,
        preset: Literal["nano", "tiny", "small", "base", "large"] = "small",
        patch: Count = 16,
        heads: Count | None = None,
        positions: Literal["learned", "sincos"] = "learned",
        registers: Whole = 0,
        mask_token: bool = False,
        drop_path: LessThanOne = 0.0,
        layer_scale: NotNegative = 0.0,
        layers: Whole = 0,
        attention: bool = False,
        init: Literal["timm", "dino", "mae", "moco_v3", "ijepa", "msn"] = "timm",
        table: Count | None = None,
        channels: Count | None = None,
        size: Count | None = None,
    ) -> None:
        super().__init__()
        channels = filled(channels, "channels")
        size = filled(size, "size")
        dim, depth, preset_heads = PRESETS[preset]
        if layers > depth:
            raise ValueError(f"layers: {layers} are more than the {depth} blocks of preset {preset}; make it smaller")
        self.layers, self.attention, self.patch, self.drop_path = layers, attention, patch, drop_path
        self.side = _patches_per_side(table or size, patch)
        self.is_resampled = self.side != _patches_per_side(size, patch)
        self.net: Any = VisionTransformer(
            img_size=table or size, patch_size=patch, in_chans=channels, embed_dim=dim, depth=depth,
            num_heads=heads or preset_heads, num_classes=0, global_pool="", init_values=layer_scale or None,
            weight_init="moco" if init == "moco_v3" else "", block_fn=_Block,
        )  # fmt: skip
        if positions == "sincos":
            del self.net.pos_embed
            self.net.register_buffer("pos_embed", sine_cosine_table(dim, self.side))
        self.registers = nn.Parameter(torch.randn(1, registers, dim) * 1e-6) if registers else None
        self.mask_token = nn.Parameter(torch.randn(1, 1, dim) * 0.02) if mask_token else None
        self.register_buffer("rates", torch.linspace(0, drop_path, depth), persistent=False)
        _initialise(self.net, init)

    def forward(
        self,
        image: Float[Tensor, "batch channels size size"],
        seen: Int64[Tensor, "batch kept"] | None = None,
        replace: Bool[Tensor, "batch patches"] | None = None,
        draw: Draw | None = None,
    ) -> Features:
        patches = self._embedded(image, replace)
        if seen is not None:
            patches = patches.gather(1, seen[..., None].expand(-1, -1, patches.shape[2]))
        tokens = torch.cat([*self._prefix(image.shape[0]), patches], 1)
        keep = kept_terms(draw, self.rates) if self.training and self.drop_path else None
        given: list[Tensor] = []  # list[Tensor]() is no call that torch.compile knows
        before, last = tokens.shape[1] - patches.shape[1], len(self.net.blocks) - 1
        attends = patches.new_zeros(patches.shape[0], 0, patches.shape[1])  # len() would fix the batch of an export
        for number, block in enumerate(self.net.blocks):
            if self.attention and number == last:
                attends = block.first_attends(tokens)[..., before:]
            tokens = block(tokens) if keep is None else block(tokens, keep[:, number])
            if number > last - self.layers:
                given.append(tokens)
        classes = torch.cat([tokens[:, 0][:, :0], *(self.net.norm(each[:, 0]) for each in given)], 1)
        tokens = self.net.norm(tokens)
        cls, patches = tokens[:, 0], tokens[:, before:]
        both = tokens if self.registers is None else torch.cat([cls[:, None], patches], 1)
        layers = torch.stack(given, 1)[:, :, before:] if given else patches[:, None][:, :0]
        return Features(cls, patches, both, patches.mean(1), layers, attends, classes)

    @property
    def twins(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """The same network in timm, which holds positions otherwise with registers, and resamples them otherwise."""
        blocks = self.net.blocks
        scale = getattr(blocks[0].ls1, "gamma", None)
        settings = {
            "img_size": self.side * self.patch,
            "patch_size": self.patch,
            "in_chans": self.net.patch_embed.proj.in_channels,
            "embed_dim": self.net.embed_dim,
            "depth": len(blocks),
            "num_heads": blocks[0].attn.num_heads,
            "init_values": None if scale is None else 1.0,
        }
        return {} if self.registers is not None or self.is_resampled else {"timm": ("vit_base_patch16_224", settings)}

    def _embedded(self, image: Tensor, replace: Tensor | None) -> Tensor:
        """Patch tokens with their positions; masked before the position is added, so that the place stays known."""
        side = _patches_per_side(image.shape[-1], self.patch)
        patches = self.net.patch_embed.proj(image).flatten(2).transpose(1, 2)
        if replace is not None:
            if self.mask_token is None:
                raise ValueError("the port replace needs a mask token; set mask_token: true")
            patches = torch.where(replace[..., None], self.mask_token.to(patches.dtype), patches)
        return torch.add(patches, self._positions(side))

    def _positions(self, side: int) -> Tensor:
        table: Tensor = self.net.pos_embed[:, 1:]
        if side == self.side:
            return table
        grid = table.unflatten(1, (self.side, self.side)).permute(0, 3, 1, 2)
        factors = ((side + 0.1) / self.side,) * 2
        return interpolate(grid, scale_factor=factors, mode="bicubic").flatten(2).transpose(1, 2)

    def _prefix(self, rows: int) -> list[Tensor]:
        """Class token with its position, and the registers, which have none."""
        cls = self.net.cls_token + self.net.pos_embed[:, :1]
        return [kind.expand(rows, -1, -1) for kind in (cls, self.registers) if kind is not None]


def sine_cosine_table(dim: int, side: int) -> Float[Tensor, "1 places dim"]:
    """MAE's positions: a row of zeros for the class token, then the places row by row.

    The first half of the features encodes the column, the second the row (in the authors' code the names say the
    reverse); each half holds its sines, then its cosines, of place / 10000^(j / (dim / 4)).
    """
    if dim % 4:
        raise ValueError(f"positions of sines and cosines need a width divisible by 4, and it is {dim}")
    frequency = 10000 ** -(torch.arange(dim // 4, dtype=torch.float64) / (dim // 4))
    angle = torch.arange(side, dtype=torch.float64)[:, None] * frequency
    wave = torch.cat([angle.sin(), angle.cos()], 1)
    table = torch.cat([wave.repeat(side, 1), wave.repeat_interleave(side, 0)], 1)
    return torch.cat([torch.zeros_like(table[:1]), table])[None].float()


def _initialise(net: Any, init: str) -> None:
    """What timm's own initialisation, done before, leaves to the method."""
    if init == "dino":
        nn.init.trunc_normal_(net.cls_token, std=0.02)  # timm's is 1e-6
    if init in ("timm", "dino"):
        return
    projection = net.patch_embed.proj
    if init == "moco_v3":
        bound = math.sqrt(6 / (projection.weight[0].numel() + len(projection.weight)))
        nn.init.uniform_(projection.weight, -bound, bound)
    elif init == "ijepa":
        nn.init.normal_(projection.weight, std=0.02)
    elif init == "msn":
        nn.init.kaiming_normal_(projection.weight, nonlinearity="relu")
        nn.init.normal_(net.cls_token, std=0.02)
    else:
        nn.init.normal_(net.cls_token, std=0.02)
        for layer in net.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
        nn.init.xavier_uniform_(projection.weight.view(len(projection.weight), -1))
    if init != "mae":  # whose bias stays torch's
        nn.init.zeros_(projection.bias)


def _patches_per_side(size: int, patch: int) -> int:
    if size % patch:
        raise ValueError(
            f"patches of {patch} pixels do not divide an image of {size}; change patch, or make the view's size a "
            f"multiple of it, {max(1, round(size / patch)) * patch} for example"
        )
    return size // patch
