from __future__ import annotations

import torch

from sslgraph.components.augment.frame import Frame


def whole(height: int, width: int) -> Frame:
    return Frame.whole(torch.tensor([height]), torch.tensor([width]))


def numbers(*values: int) -> list[torch.Tensor]:
    return [torch.tensor([value]) for value in values]


def test_a_crop_of_the_lower_right_quarter_has_its_box() -> None:
    frame = whole(40, 80).cropped(*numbers(20, 40, 20, 40)).resized(*numbers(8, 8), "bilinear")
    torch.testing.assert_close(frame.box(), torch.tensor([[0.5, 0.5, 1.0, 1.0]]))


def test_a_crop_after_a_flip_lies_on_the_other_side_of_the_source() -> None:
    frame = whole(40, 80).mirrored(torch.tensor([True])).cropped(*numbers(0, 0, 40, 20))
    torch.testing.assert_close(frame.box(), torch.tensor([[0.75, 0.0, 1.0, 1.0]]))
    assert frame.is_mirrored().item()


def test_a_crop_of_a_resized_image_is_still_one_resampling() -> None:
    frame = whole(40, 80).resized(*numbers(20, 40), "bilinear").cropped(*numbers(5, 10, 10, 20))
    assert frame.before is None
    torch.testing.assert_close(frame.box(), torch.tensor([[0.25, 0.25, 0.75, 0.75]]))


def test_a_second_resampling_waits_for_the_first_and_the_box_goes_through_both() -> None:
    half = whole(40, 80).cropped(*numbers(0, 40, 40, 40)).resized(*numbers(20, 20), "bilinear")
    frame = half.mirrored(torch.tensor([True])).cropped(*numbers(0, 0, 10, 10)).resized(*numbers(8, 8), "bilinear")
    assert frame.before is not None
    # Right half of the source, mirrored: its left half is the source's right quarter.
    torch.testing.assert_close(frame.box(), torch.tensor([[0.75, 0.0, 1.0, 0.5]]))
    assert frame.is_mirrored().item()


def test_padding_lets_the_box_reach_beyond_the_image() -> None:
    frame = whole(32, 32).padded_crop(*numbers(-4, 4, 32, 32))
    torch.testing.assert_close(frame.box(), torch.tensor([[0.125, -0.125, 1.125, 0.875]]))
