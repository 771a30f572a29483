"""random_resized_crop, resize_center_crop, resize_random_crop, pad_crop: boxes and their laws."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from sslgraph.components.augment.frame import Frame
from sslgraph.components.augment.pad_crop import PadCrop
from sslgraph.components.augment.random_resized_crop import RandomResizedCrop
from sslgraph.components.augment.resample import Resample
from sslgraph.components.augment.resize_center_crop import ResizeCenterCrop
from sslgraph.components.augment.resize_random_crop import ResizeRandomCrop
from sslgraph.draws import Draw, keyed, words

CPU = torch.device("cpu")


def rows(count: int) -> Draw:
    return keyed(1, 2, torch.arange(count))


def squares(count: int, side: int) -> Frame:
    return Frame.whole(torch.full((count,), side), torch.full((count,), side))


def pixels_of(frame: Frame) -> Tensor:
    return torch.stack([frame.rows.start, frame.columns.start, frame.rows.length, frame.columns.length], 1)


def one_by_one(numbers: list[int], height: int, width: int, scale: tuple[float, float]) -> list[int]:
    """torchvision's algorithm, candidate after candidate, on the same random words."""
    u = [(number >> 8) * 2.0**-24 for number in numbers]
    low, high = math.log(3 / 4), math.log(4 / 3)
    for trial in range(10):
        area = height * width * (scale[0] + (scale[1] - scale[0]) * u[trial])
        aspect = math.exp(low + (high - low) * u[10 + trial])
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            return [(numbers[20] * (height - h + 1)) >> 32, (numbers[21] * (width - w + 1)) >> 32, h, w]
    shape = width / height
    w = round(height * (4 / 3)) if shape > 4 / 3 else width
    h = round(width / (3 / 4)) if shape < 3 / 4 else height
    return [(height - h) // 2, (width - w) // 2, h, w]


@pytest.mark.parametrize(("height", "width"), [(32, 32), (375, 500), (60, 400), (400, 60)])
@pytest.mark.parametrize("scale", [(0.08, 1.0), (0.9, 1.0)])
def test_boxes_equal_those_found_one_by_one(height: int, width: int, scale: tuple[float, float]) -> None:
    draw = rows(200)
    frame = Frame.whole(torch.full((200,), height), torch.full((200,), width))
    boxes = pixels_of(RandomResizedCrop(size=16, scale=scale).place(draw, frame))
    expected = [one_by_one(numbers, height, width, scale) for numbers in words(draw, 22).tolist()]
    assert boxes.tolist() == expected


def test_the_area_of_a_crop_is_uniform() -> None:
    frame = squares(4000, 1000)
    box = RandomResizedCrop(scale=(0.2, 0.4)).place(rows(4000), frame).box()
    area = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    assert area.min() > 0.199 and area.max() < 0.401
    assert abs(area.mean().item() - 0.3) < 4 * 0.2 / math.sqrt(12 * 4000)


def test_the_box_reproduces_the_view() -> None:
    images = torch.randint(0, 256, (8, 3, 40, 60), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    resample = Resample()
    frame = RandomResizedCrop(size=16).place(rows(8), resample.whole(images))
    views = resample(images, frame, CPU)
    edges = (frame.box() * torch.tensor([60.0, 40.0, 60.0, 40.0])).round().int().tolist()
    for view, image, (left, top, right, bottom) in zip(views, images, edges, strict=True):
        expected = v2.functional.resize(image[:, top:bottom, left:right] / 255, [16, 16], antialias=True)
        torch.testing.assert_close(view, expected, atol=1e-5, rtol=0)


def test_a_scale_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="scale goes from a small to a large part"):
        RandomResizedCrop(scale=(0.0, 1.0))


@pytest.mark.parametrize(("height", "width"), [(61, 90), (90, 61), (40, 41)])
def test_the_centre_crop_is_torchvisions(height: int, width: int) -> None:
    images = [torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))]
    resample = Resample()
    seen = resample(images, ResizeCenterCrop(size=28).place(rows(1), resample.whole(images)), CPU)
    expected = v2.Compose([v2.Resize(32, antialias=True), v2.CenterCrop(28)])(images[0])
    torch.testing.assert_close((seen[0] * 255).round().byte(), expected, atol=0, rtol=0)


def test_the_centre_crop_leaves_an_image_of_its_size_alone() -> None:
    frame = ResizeCenterCrop(size=32).place(rows(1), Frame.whole(torch.tensor([32]), torch.tensor([32])))
    torch.testing.assert_close(frame.box(), torch.tensor([[0.0, 0.0, 1.0, 1.0]]))
    assert frame.rows.grid.tolist() == [32]


def test_the_usual_centre_crop_takes_224_of_256() -> None:
    frame = ResizeCenterCrop().place(rows(1), Frame.whole(torch.tensor([512]), torch.tensor([512])))
    torch.testing.assert_close(frame.box(), torch.tensor([[0.0625, 0.0625, 0.9375, 0.9375]]))


def test_a_random_crop_of_a_resized_image_is_cut_out_of_it() -> None:
    images = torch.randint(0, 256, (4, 3, 30, 45), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    resample = Resample()
    frame = ResizeRandomCrop(size=16, shorter=20).place(rows(4), resample.whole(images))
    resized = v2.functional.resize(images / 255, [20, 30], antialias=True)
    tops, lefts = frame.rows.offset.tolist(), frame.columns.offset.tolist()
    places = enumerate(zip(tops, lefts, strict=True))
    expected = torch.stack([resized[i, :, top : top + 16, left : left + 16] for i, (top, left) in places])
    torch.testing.assert_close(resample(images, frame, CPU), expected, atol=1e-5, rtol=0)


def test_random_places_reach_every_corner() -> None:
    frame = ResizeRandomCrop(size=16, shorter=18).place(rows(500), squares(500, 18))
    assert set(frame.rows.offset.tolist()) == set(frame.columns.offset.tolist()) == {0, 1, 2}


def test_a_padded_crop_shifts_by_up_to_the_padding_and_changes_no_pixel() -> None:
    frame = PadCrop(size=32, padding=4).place(rows(500), squares(500, 32))
    assert set(frame.rows.offset.tolist()) == set(range(-4, 5))
    assert torch.equal(frame.rows.grid, frame.rows.source)


def test_an_image_too_small_for_a_padded_crop_is_enlarged_and_changes_no_other() -> None:
    fixed = torch.Generator().manual_seed(0)
    sides = ((32, 40), (10, 20), (30, 36), (1, 1))
    images = [torch.randint(0, 256, (3, *side), dtype=torch.uint8, generator=fixed) for side in sides]
    resample, step, draw = Resample(), PadCrop(size=32, padding=4), rows(4)
    views = resample(images, step.place(draw, resample.whole(images)), CPU)
    assert views.shape == (4, 3, 32, 32)
    for i in (0, 2):  # as in a batch of its own
        alone = resample([images[i]], step.place(draw[i : i + 1], resample.whole([images[i]])), CPU)
        assert torch.equal(alone[0], views[i])
    frame = step.place(draw[1:2], resample.whole([images[1]]))
    assert (int(frame.rows.grid[0]), int(frame.columns.grid[0])) == (32, 64)
    torch.testing.assert_close(views[3], (images[3] / 255).expand(3, 32, 32))  # one pixel has one colour
