"""Which rows are of the same sample, cluster or class: a table of 0 and 1 (the graph of the spectral loss)."""

from jaxtyping import Float, Int64
from torch import Tensor, nn

from sslgraph.component import component


@component(source="definition; arXiv:2106.04156, section 3.1, the graph of augmentations")
class SameIndex(nn.Module):
    """out[b, n] = 1 if index[b] = others[n], else 0.   A number below 0 stands for none, and equals nothing.

    same_index(x1.index, everyone(x2.index)) stands beside similarity(z1, everyone(z2)): its 1s are the pairs of views
    of one image, on any number of ranks. Labels and cluster numbers compare alike.
    """

    def forward(self, index: Int64[Tensor, "batch"], others: Int64[Tensor, "rows"]) -> Float[Tensor, "batch rows"]:
        return ((index[:, None] == others) & (index >= 0)[:, None]).float()
