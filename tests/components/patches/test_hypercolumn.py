"""Points and hypercolumns: inside the margin, exact on ramps, a pixel at its centre, and torch's own sampling."""

import torch
from torch.nn.functional import grid_sample

from sslgraph import draws
from sslgraph.components.patches.hypercolumn import Hypercolumn
from sslgraph.components.patches.points import Points


def test_points_are_pixel_centres_inside_the_margin() -> None:
    found = Points(count=500, margin=0.25)(torch.zeros(4, 3, 16, 32), draws.keyed(0, 0, torch.arange(4)))
    rows, columns = found[..., 0] * 16 - 0.5, found[..., 1] * 32 - 0.5
    assert rows.unique().tolist() == list(range(4, 12)) and columns.unique().tolist() == list(range(8, 24))
    assert not found[0].equal(found[1])


def test_at_the_centre_of_a_pixel_it_is_that_pixel() -> None:
    map = torch.randn(2, 5, 4, 4)
    points = torch.tensor([[[1.5 / 4, 2.5 / 4]]] * 2)
    torch.testing.assert_close(Hypercolumn()(points, map)[:, 0], map[:, :, 1, 2])


def test_a_ramp_is_reproduced_in_maps_of_every_stride() -> None:
    points = torch.rand(1, 20, 2) * 0.5 + 0.25
    ramps = [((torch.arange(side) + 0.5) / side).view(1, 1, -1, 1).expand(1, 1, side, side) for side in (32, 8, 4)]
    found = Hypercolumn()(points, *ramps)
    torch.testing.assert_close(found, points[..., :1].expand(-1, -1, 3))


def test_it_is_torchs_sampling_of_each_map_side_by_side() -> None:
    points, maps = torch.rand(2, 9, 2), [torch.randn(2, 3, 6, 5), torch.randn(2, 4, 2, 3)]
    places = (points.flip(2) * 2 - 1)[:, None]
    expected = [
        grid_sample(map, places, padding_mode="border", align_corners=False)[:, :, 0].transpose(1, 2) for map in maps
    ]
    torch.testing.assert_close(Hypercolumn()(points, *maps), torch.cat(expected, 2))
