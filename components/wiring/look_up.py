"""Rows of a table, a queue or a bank by their numbers: what stands there where a neighbour was found (CMSF)."""

import torch
from jaxtyping import Int64, Shaped
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition; arXiv:2112.04607, section 3.2, neighbours found in one memory and read from another")
class LookUp(nn.Module):
    """out[b, ...] = table[index[b, ...]];   a number below 0 stands for none

    None gives zeros, and -1 where the table holds whole numbers: what has no class is labelled so.
    The numbers are those of wiring.neighbours (`.indices`) or wiring.argmax, or labels. The gradient passes to rows.
    wiring.take reads the tokens of each image by its own numbers.
    """

    def forward(
        self, table: Shaped[Tensor, "size *shape"], index: Int64[Tensor, "batch *some"]
    ) -> Shaped[Tensor, "batch *found"]:
        is_one = (index >= 0).view(*index.shape, *[1] * (table.dim() - 1))
        none = -1 if table.dtype == torch.int64 else 0
        return table[index.clamp_min(0)].where(is_one, table.new_full((), none))
