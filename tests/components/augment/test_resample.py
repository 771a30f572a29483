from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as tv

from sslgraph.components.augment.frame import Frame
from sslgraph.components.augment.resample import Resample, by_matrices

CPU = torch.device("cpu")
MODES = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}


def bytes_of(count: int, height: int, width: int) -> Tensor:
    return torch.randint(0, 256, (count, 3, height, width), dtype=torch.uint8)


def crops(images: Tensor | list[Tensor], boxes: list[list[int]], size: int, mode: str, flip: list[bool]) -> Frame:
    top, left, height, width = torch.tensor(boxes).unbind(1)
    side = torch.full_like(top, size)
    frame = Resample().whole(images).cropped(top, left, height, width).resized(side, side, mode)
    return frame.mirrored(torch.tensor(flip))


BOXES = [[0, 0, 40, 56], [3, 7, 30, 20], [10, 10, 5, 9], [39, 0, 1, 56]]
FLIP = [False, True, False, True]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [16, 48])
def test_matrices_equal_torchvisions_resized_crop_of_floats(mode: str, size: int) -> None:
    images = bytes_of(4, 40, 56)
    seen = Resample(kernel_from=1000)(images, crops(images, BOXES, size, mode, FLIP), CPU)
    for view, image, box, flip in zip(seen, images, BOXES, FLIP, strict=True):
        expected = tv.resized_crop(image / 255, *box, [size, size], MODES[mode], antialias=True).clamp(0, 1)
        torch.testing.assert_close(view, expected.flip(-1) if flip else expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("mode", MODES)
def test_the_kernel_is_bit_equal_to_torchvisions_resized_crop_of_bytes_for_images_of_any_size(mode: str) -> None:
    images = [bytes_of(1, 40 + 7 * i, 56 + 5 * i)[0] for i in range(4)]
    seen = Resample()(images, crops(images, BOXES, 48, mode, FLIP), CPU)
    for view, image, box, flip in zip(seen, images, BOXES, FLIP, strict=True):
        expected = tv.resized_crop(image, *box, [48, 48], MODES[mode], antialias=True)
        torch.testing.assert_close((view * 255).round().byte(), expected.flip(-1) if flip else expected, atol=0, rtol=0)


@pytest.mark.parametrize("mode", MODES)
def test_both_ways_agree_to_a_rounding_step_of_bytes(mode: str) -> None:
    # Without black and white: there the bytes of bicubic are clamped between the axes already, as in torchvision.
    # Bytes are rounded after either axis.
    images = 80 + bytes_of(4, 40, 56) // 3
    frame = crops(images, BOXES, 24, mode, FLIP)
    matrices, kernel = Resample(kernel_from=1000)(images, frame, CPU), Resample(kernel_from=1)(images, frame, CPU)
    assert (matrices - kernel).abs().max() <= 1.1 / 255


@pytest.mark.parametrize("mode", MODES)
def test_a_gpus_products_rounded_to_bytes_are_the_kernels_views(mode: str) -> None:
    images = bytes_of(4, 40, 56)
    frame = crops(images, BOXES, 48, mode, FLIP)
    products = by_matrices(images, frame, 48, 48, as_bytes=True)
    kernel = Resample(kernel_from=1)(images, frame, CPU)
    steps = ((products - kernel) * 255).abs().round()
    # The kernel's weights are whole numbers: of sums that lie half way between two bytes some fall to the other one.
    assert (steps > 0).float().mean() < 0.03
    assert (steps > 1).float().mean() < 1e-3


@pytest.mark.parametrize("kernel_from", [1, 1000])
def test_a_view_of_the_whole_image_is_the_image(kernel_from: int) -> None:
    images = bytes_of(2, 8, 12)
    resample = Resample(kernel_from=kernel_from)
    torch.testing.assert_close(resample(images, resample.whole(images), CPU), images / 255, atol=1e-6, rtol=0)


@pytest.mark.parametrize("kernel_from", [1, 1000])
def test_copies_are_copy_major(kernel_from: int) -> None:
    images = bytes_of(2, 8, 8)
    resample = Resample(kernel_from=kernel_from)
    seen = resample(images, resample.whole(images, copies=3), CPU)
    torch.testing.assert_close(seen, (images / 255).repeat(3, 1, 1, 1), atol=1e-6, rtol=0)


@pytest.mark.parametrize("kernel_from", [1, 1000])
def test_what_lies_beyond_the_border_is_the_mirror_image(kernel_from: int) -> None:
    images = bytes_of(2, 8, 8)
    resample = Resample(kernel_from=kernel_from)
    top, left, side = torch.tensor([-3, 2]), torch.tensor([4, -4]), torch.tensor([8, 8])
    frame = resample.whole(images).padded_crop(top, left, side, side).mirrored(torch.tensor([False, True]))
    padded = tv.pad(images / 255, [4, 4, 4, 4], padding_mode="reflect")
    expected = torch.stack([padded[0, :, 1:9, 8:16], padded[1, :, 6:14, 0:8].flip(-1)])
    torch.testing.assert_close(resample(images, frame, CPU), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("kernel_from", [1, 1000])
def test_two_resamplings_are_done_one_after_the_other(kernel_from: int) -> None:
    images = bytes_of(1, 40, 40)
    resample = Resample(kernel_from=kernel_from)
    two, three, nine, twenty, thirty = (torch.tensor([number]) for number in (2, 3, 9, 20, 30))
    first = resample.whole(images).resized(twenty, twenty, "bilinear")
    frame = first.cropped(two, three, nine, nine).resized(thirty, thirty, "bilinear")
    small = tv.resize(images / 255, [20, 20], antialias=True)
    expected = tv.resized_crop(small, 2, 3, 9, 9, [30, 30], antialias=True)
    tolerance = 1.1 / 255 if kernel_from == 1 else 1e-5
    torch.testing.assert_close(resample(images, frame, CPU), expected, atol=tolerance, rtol=0)
