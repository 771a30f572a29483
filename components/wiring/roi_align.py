"""The features of boxes of a map, each averaged over its box (SCRL)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision import ops

from sslgraph.component import component


@component(
    source="arXiv:1703.06870, section 3, RoIAlign; arXiv:2103.06122, section 3.2", title="RoIAlign", float32=True
)
class RoiAlign(nn.Module):
    """Each box to one row, image by image: the mean over its points of the map, read between its cells.

    Boxes are fractions (left, top, right, bottom) of the view. As in the authors' code a cell stands for its upper left
    corner, and as many points are read in each direction as the box has cells, rounded up.
    """

    def forward(
        self, map: Float[Tensor, "batch dim rows columns"], boxes: Float[Tensor, "batch boxes 4"]
    ) -> Float[Tensor, "rows_boxes dim"]:
        rows, columns = map.shape[2:]
        places = boxes.flatten(0, 1).to(map.dtype) * map.new_tensor([columns, rows, columns, rows])
        image = torch.arange(len(map), device=map.device, dtype=map.dtype).repeat_interleave(boxes.shape[1])
        found: Tensor = ops.roi_align(map, torch.cat([image[:, None], places], 1), 1, 1.0, -1, False)
        return found.flatten(1)
