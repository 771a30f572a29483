"""The seed patch: the same place in every epoch and copy, another for every image, inside it."""

import torch

from sslgraph import draws
from sslgraph.components.augment.frame import Frame
from sslgraph.components.augment.seed_patch import SeedPatch


def boxes(draw: torch.Tensor, height: int, width: int, side: int) -> torch.Tensor:
    full = torch.full((len(draw),), 1)
    box = SeedPatch(side=side).place(draw, Frame.whole(full * height, full * width)).box()
    return (box * torch.tensor([width, height, width, height])).round()


def test_epochs_views_and_copies_share_it_and_images_do_not() -> None:
    index = torch.arange(200)
    one = boxes(draws.keyed(3, 0, index, 5), 40, 60, 16)
    assert torch.equal(one, boxes(draws.keyed(3, 7, index, 9), 40, 60, 16))
    assert not torch.equal(one, boxes(draws.keyed(4, 0, index, 5), 40, 60, 16))
    assert len(one.unique(dim=0)) > 150
    assert (one[:, 2:] - one[:, :2]).eq(16).all()
    assert one[:, :2].min() >= 0 and one[:, 2].max() <= 60 and one[:, 3].max() <= 40


def test_a_smaller_image_gives_a_square_of_its_shorter_side() -> None:
    assert (boxes(draws.keyed(0, 0, torch.arange(3)), 10, 20, 16)[:, 3]).eq(10).all()
