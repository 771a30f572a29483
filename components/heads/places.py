"""The fixed places of patches, as sines and cosines, for heads that are transformers."""

import torch
from jaxtyping import Float
from torch import Tensor


def sine_cosine_table(dim: int, patches: int) -> Float[Tensor, "1 places dim"]:
    """The table of backbones.vit (parts do not import other folders; a test holds the two together)."""
    side = round(patches**0.5)
    if side**2 != patches or dim % 4:
        raise ValueError(
            f"a table of positions needs a square number of patches and a width divisible by 4: {patches}, {dim}"
        )
    frequency = 10000 ** -(torch.arange(dim // 4, dtype=torch.float64) / (dim // 4))
    angle = torch.arange(side, dtype=torch.float64)[:, None] * frequency
    wave = torch.cat([angle.sin(), angle.cos()], 1)
    table = torch.cat([wave.repeat(side, 1), wave.repeat_interleave(side, 0)], 1)
    return torch.cat([torch.zeros_like(table[:1]), table])[None].float()
