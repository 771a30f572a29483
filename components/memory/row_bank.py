"""One remembered feature for each image of the data set, by sample index (InstDisc's memory bank)."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.functional import normalize

from sslgraph import collectives
from sslgraph.component import component, filled, writes
from sslgraph.ranges import Count, ShareScalar


@component(source="arXiv:1805.01978, sections 3.1 and 3.3", role="bank")
class RowBank(nn.Module):
    """A feature of unit length for each image, which follows the network's.

        row <- l2(momentum * row + (1 - momentum) * feature)

    Reads:  the rows of these samples, or all rows where no index is given; random at first.
    Writes: `update`, with the samples of one step on all ranks; of samples that come twice the last one counts.

    Settings:
        momentum: weight of the old row, from 0 to 1, no unit.
        dim: numbers in a row; filled from the features.
        images: images in the data set; filled from it.
    """

    rows: Tensor

    def __init__(self, *, momentum: ShareScalar = 0.5, dim: Count | None = None, images: Count | None = None) -> None:
        super().__init__()
        dim = filled(dim, "dim", "the features")
        images = filled(images, "images", "the data set")
        self.momentum = momentum
        # Uniform with the variance of a random unit vector's entries, as in the authors' code: norms are near 1.
        self.register_buffer("rows", (torch.rand(images, dim) * 2 - 1) * (3 / dim) ** 0.5)

    def forward(self, index: Int64[Tensor, "rows"] | None = None) -> Float[Tensor, "rows dim"]:
        return self.rows.clone() if index is None else self.rows[index]

    @writes
    @torch.no_grad()
    def update(self, index: Int64[Tensor, "batch"], features: Float[Tensor, "batch dim"]) -> None:
        """Moves the rows of these samples towards their features."""
        index, features = collectives.gather(index), collectives.gather(features)
        moved = normalize(self.momentum * self.rows[index] + (1 - self.momentum) * features.to(self.rows.dtype), dim=1)
        # Every occurrence of a sample writes the value of its last one, so the order of the writes does not matter.
        order = torch.arange(1, len(index) + 1, device=index.device)
        last = ((index[:, None] == index[None, :]) * order).argmax(1)
        self.rows.index_copy_(0, index, moved[last])
