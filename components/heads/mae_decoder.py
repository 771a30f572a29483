"""MAE decoder: rebuilds the pixels of every patch from the tokens of the patches that were seen."""

from functools import partial

import torch
from jaxtyping import Float, Int64
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from sslgraph.component import component, filled
from sslgraph.ranges import Count

from .places import sine_cosine_table


@component(
    source="arXiv:2111.06377, section 3 (decoder) and appendix A.1 (start of the weights)",
    title="MAE decoder",
    role="decoder",
)
class MAEDecoder(nn.Module):
    """A narrow transformer over seen tokens and mask tokens, all in their places.

    The class token and the seen tokens are brought to `dim`; one trained mask token stands for each hidden patch;
    `restore` puts all patches in order (restore[n] is the row of patch n among seen tokens, then mask tokens); a fixed
    table of sines and cosines says where they are. Its first half encodes the column. The output has the patches'
    numbers by row, then column, then channel, as wiring.patchify cuts them.

    Settings:
        dim: width of the decoder.
        depth: its blocks.
        heads: attention heads.
        patch: side of a patch in pixels.
        channels: of the image.
        out: numbers of each patch; left out, those of its pixels. With another width it predicts features (CMAE).
        width: of the arriving tokens; filled from what arrives.
        patches: of an image, a square number; filled from what arrives.
    """

    positions: Tensor

    def __init__(
        self,
        *,
        dim: Count = 512,
        depth: Count = 8,
        heads: Count = 16,
        patch: Count = 16,
        channels: Count = 3,
        out: Count | None = None,
        width: Count | None = None,
        patches: Count | None = None,
    ) -> None:
        super().__init__()
        width = filled(width, "width")
        patches = filled(patches, "patches")
        norm = partial(nn.LayerNorm, eps=1e-6)
        self.embed = nn.Linear(width, dim)
        self.mask_token = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.register_buffer("positions", sine_cosine_table(dim, patches))
        self.blocks = nn.Sequential(*(Block(dim, heads, qkv_bias=True, norm_layer=norm) for _ in range(depth)))
        self.norm = norm(dim)
        self.pixels = nn.Linear(dim, out or patch * patch * channels)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(
        self, tokens: Float[Tensor, "batch cls_and_seen width"], restore: Int64[Tensor, "batch patches"]
    ) -> Float[Tensor, "batch patches numbers"]:
        cls, seen = self.embed(tokens).split([1, tokens.shape[1] - 1], 1)
        hidden = self.mask_token.to(seen.dtype).expand(len(seen), restore.shape[1] - seen.shape[1], -1)
        shuffled = torch.cat([seen, hidden], 1)
        places = shuffled.gather(1, restore[..., None].expand(-1, -1, shuffled.shape[2]))
        out = self.blocks(torch.cat([cls, places], 1) + self.positions)
        return self.pixels(self.norm(out[:, 1:]))  # type: ignore[no-any-return]
