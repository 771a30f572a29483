"""The whole and its tiles: exact quarters, kernels that keep the mean, Pillow's own resampling, one kernel a step."""

import numpy as np
import pytest
import torch
from PIL import Image

from sslgraph.components.patches.whole_and_tiles import WholeAndTiles

CLOCK = torch.tensor([0, 0, 0])
FILTERS = {"area": Image.Resampling.BOX, "bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC,
           "lanczos": Image.Resampling.LANCZOS}  # fmt: skip


def test_tiles_are_the_quarters_row_by_row_and_area_keeps_the_mean() -> None:
    images = torch.rand(2, 3, 8, 8, dtype=torch.float64)
    views = WholeAndTiles(kernels=["area"])(images, CLOCK)
    assert views.shape == (5, 2, 3, 4, 4)
    assert views[2].equal(images[:, :, :4, 4:]) and views[3].equal(images[:, :, 4:, :4])
    torch.testing.assert_close(views[0], torch.nn.functional.avg_pool2d(images, 2))
    torch.testing.assert_close(views[0].mean((2, 3)), views[1:].mean((0, 3, 4)))


@pytest.mark.parametrize("kernel", FILTERS)
def test_the_whole_is_pillows_away_from_the_edge(kernel: str) -> None:
    image = torch.rand(40, 40, generator=torch.Generator().manual_seed(0))
    expected = np.array(Image.fromarray(image.numpy()).resize((20, 20), FILTERS[kernel]))
    found = WholeAndTiles(kernels=[kernel])(image[None, None], CLOCK)[0, 0, 0]
    torch.testing.assert_close(found[3:-3, 3:-3], torch.from_numpy(expected)[3:-3, 3:-3], atol=1e-5, rtol=0)


def test_the_step_draws_the_kernel_for_the_whole_batch() -> None:
    images, each = torch.rand(3, 1, 16, 16), [WholeAndTiles(kernels=[kernel]) for kernel in FILTERS]
    known = [part(images, CLOCK)[0] for part in each]
    drawn = []
    for step in range(40):
        found = WholeAndTiles()(images, torch.tensor([0, 0, step]))[0]
        drawn.append(next(number for number, whole in enumerate(known) if torch.equal(whole, found)))
    assert set(drawn) == {0, 1, 2, 3}


def test_odd_sides_and_no_kernel_are_refused() -> None:
    with pytest.raises(ValueError, match="halves images, and 8 x 7 has an odd side"):
        WholeAndTiles()(torch.zeros(1, 3, 8, 7), CLOCK)
    with pytest.raises(ValueError, match="needs a kernel"):
        WholeAndTiles(kernels=[])
