import torch

from sslgraph.components.wiring.roi_align import RoiAlign


def test_a_map_that_rises_evenly_gives_the_middle_of_a_box() -> None:
    rows, columns = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    map = torch.stack([rows, columns]).expand(2, -1, -1, -1)
    boxes = torch.tensor([[[0.25, 0.25, 0.5, 0.75]], [[0.5, 0.125, 0.75, 0.25]]])
    # In cells: x 2..4, y 2..6 and x 4..6, y 1..2; one channel is the row, the other the column.
    torch.testing.assert_close(RoiAlign()(map, boxes), torch.tensor([[4.0, 3.0], [1.5, 5.0]]))


def test_rows_come_image_by_image() -> None:
    map = torch.arange(3.0)[:, None, None, None].expand(-1, 2, 4, 4)
    boxes = torch.tensor([0.1, 0.1, 0.6, 0.9]).expand(3, 5, -1)
    assert RoiAlign()(map, boxes)[:, 0].tolist() == [float(i) for i in range(3) for _ in range(5)]
