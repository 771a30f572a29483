import pytest
import torch
from torch import Tensor

from sslgraph import draws
from sslgraph.components.masks.matched_boxes import Boxes, MatchedBoxes, _share

LEAST = 0.143


def drawn(images: int) -> Tensor:
    return draws.keyed(0, 0, torch.arange(images))


def crops(images: int) -> Tensor:
    start = torch.rand(images, 2, generator=torch.Generator().manual_seed(0)) * 0.3
    return torch.cat([start, start + 0.6], 1)


def no(images: int) -> Tensor:
    return torch.zeros(images, dtype=torch.bool)


def source(boxes: Tensor, view: Tensor) -> Tensor:
    return view[:, None, :2].repeat(1, 1, 2) + boxes * (view[:, 2:] - view[:, :2]).repeat(1, 2)[:, None]


def made(one: Tensor, other: Tensor, flip: Tensor | None = None) -> Boxes:
    still = no(len(one))
    return MatchedBoxes(least=LEAST)(one, still, other, still if flip is None else flip, drawn(len(one)))


def test_both_boxes_of_a_pair_show_the_same_rectangle_of_the_image() -> None:
    one, other = crops(20), crops(20).flip(0)
    found = made(one, other)
    assert found.valid.all() and found.box.shape == (20, 10, 4)
    torch.testing.assert_close(source(found.box, one), source(found.box_other, other), atol=1e-5, rtol=1e-5)


def test_equal_crops_have_equal_boxes_and_a_flipped_twin_mirrored_ones() -> None:
    one = crops(5)
    assert made(one, one).box.equal(made(one, one).box_other)
    found = made(one, one, ~no(5))
    left, top, right, bottom = found.box.unbind(-1)
    torch.testing.assert_close(found.box_other, torch.stack([1 - right, top, 1 - left, bottom], -1))


def test_sides_are_as_long_as_asked_in_the_view_of_the_larger_crop() -> None:
    small = torch.tensor([[0.2, 0.2, 0.6, 0.6]]).expand(9, -1)
    found = made(torch.tensor([[0.0, 0.0, 1.0, 1.0]]).expand(9, -1), small)
    assert (found.box[..., 2:] - found.box[..., :2]).min() >= LEAST - 1e-6
    assert found.box_other.min() >= 0 and found.box_other.max() <= 1


def test_boxes_of_an_image_share_little_and_lie_anywhere() -> None:
    whole = torch.tensor([[0.0, 0.0, 1.0, 1.0]]).expand(30, -1)
    box = made(whole, whole).box
    shares = _share(box[:, :, None], box[:, None])[:, ~torch.eye(10, dtype=torch.bool)]
    assert (shares < 0.5).float().mean() > 0.99
    assert box[..., 0].min() < 0.05 and box[..., 2].max() > 0.95


def test_crops_that_share_too_little_have_no_valid_box() -> None:
    one = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.5]])
    found = made(one, torch.tensor([[0.45, 0.0, 0.95, 0.5], [0.6, 0.6, 0.9, 0.9]]))
    assert not found.valid.any() and len(found.valid) == 20
    assert found.box.equal(torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(2, 10, -1))


@pytest.mark.parametrize("epoch", [1, 2])
def test_another_epoch_draws_other_boxes(epoch: int) -> None:
    one, still = crops(3), no(3)
    other = MatchedBoxes(least=LEAST)(one, still, one, still, draws.keyed(0, epoch, torch.arange(3)))
    assert not other.box.equal(made(one, one).box)
