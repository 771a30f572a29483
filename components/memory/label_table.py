"""One label for each image of the data set, written by a clustering and read by the sample's index (DeepCluster)."""

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.component import component, filled, writes
from sslgraph.ranges import Count

# What losses.cross_entropy leaves out.
NO_LABEL = -100


@component(source="arXiv:1807.05520, section 3.2")
class LabelTable(nn.Module):
    """Pseudo-labels by sample index, one for each image or several.

    Reads:  the labels of these samples; -100, which losses.cross_entropy ignores, before the first write.
    Writes: `write`, a label for every image at once, in the order of the data set; rank 0's labels hold on all ranks.

    Settings:
        heads: labels of each image, one for each head (SeLa) or clustering (PCL); left out, one without an axis.
        images: images in the data set; filled from it.
    """

    labels: Tensor

    def __init__(self, *, heads: Count | None = None, images: Count | None = None) -> None:
        super().__init__()
        images = filled(images, "images", "the data set")
        self.register_buffer("labels", torch.full((images,) if heads is None else (images, heads), NO_LABEL))

    def bounds(self) -> dict[str, tuple[int, int]]:
        """What the whole numbers that it holds may be: no label, or one of at most as many as there are images."""
        return {"labels": (NO_LABEL, len(self.labels) - 1)}

    def forward(self, index: Int64[Tensor, "batch"]) -> Int64[Tensor, "batch *labels"]:
        return self.labels[index]

    @writes
    @torch.no_grad()
    def write(self, labels: Int64[Tensor, "images *labels"]) -> None:
        """Replaces all labels."""
        if labels.shape != self.labels.shape:
            raise ValueError(
                f"memory.label_table holds {_size(self.labels)} labels and was written {_size(labels)}; "
                "write those of each image of the data set, in its order; heads: says how many each has"
            )
        self.labels.copy_(collectives.broadcast(labels))


def _size(labels: Tensor) -> str:
    return " x ".join(map(str, labels.shape))
