"""color_jitter, grayscale, solarize, gaussian_blur, normalize against torchvision, sample by sample."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as tv

from sslgraph.components.augment import color_jitter
from sslgraph.components.augment.color_jitter import ColorJitter
from sslgraph.components.augment.gaussian_blur import GaussianBlur
from sslgraph.components.augment.grayscale import Grayscale
from sslgraph.components.augment.normalize import Normalize
from sslgraph.components.augment.planes import mean_of
from sslgraph.components.augment.solarize import Solarize
from sslgraph.draws import Draw, keyed

ADJUSTMENTS = (tv.adjust_brightness, tv.adjust_contrast, tv.adjust_saturation, tv.adjust_hue)


def rows(count: int) -> Draw:
    return keyed(1, 2, torch.arange(count))


def pictures(count: int, size: int = 16) -> Tensor:
    images = torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0))
    images[:, :, :2] = images[:, :1, :2]  # grey, black and white pixels, where hue has no value
    images[:, :, 2], images[:, :, 3] = 0.0, 1.0
    return images


def jittered_one_by_one(image: Tensor, order: list[int], factors: list[float]) -> Tensor:
    for change in order:
        image = ADJUSTMENTS[change](image, factors[change])
    return image


@pytest.mark.parametrize("strengths", [(0.4, 0.4, 0.2, 0.1), (0.8, 0.8, 0.8, 0.2), (1.5, 1.5, 1.5, 0.5)])
@pytest.mark.parametrize("program", [color_jitter._by_orders, color_jitter._by_slots])
def test_jitter_is_torchvisions_four_changes_in_the_same_order(strengths: tuple[float, ...], program: object) -> None:
    names = ("brightness", "contrast", "saturation", "hue")
    images = pictures(48)
    order, factors = ColorJitter(**dict(zip(names, strengths, strict=True)), p=0.9).plan(rows(48))
    changed = program(images.clone(), order, factors)  # type: ignore[operator]
    assert len({tuple(one) for one in order.tolist()}) > 15
    for i in range(48):
        expected = jittered_one_by_one(images[i], order[i].tolist(), factors[i].tolist())
        torch.testing.assert_close(changed[i], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("program", [color_jitter._by_orders, color_jitter._by_slots])
def test_samples_that_are_not_jittered_stay_as_they_are(program: object) -> None:
    images = pictures(8)
    assert torch.equal(program(images.clone(), *ColorJitter(p=0.0).plan(rows(8))), images)  # type: ignore[operator]


@pytest.mark.parametrize("strengths", [(0.4, 0.4, 0.2, 0.1), (1.5, 1.5, 1.5, 0.5), (0.4, 0.4, 0.4, 0.0)])
@pytest.mark.parametrize("size", [16, 300])
def test_both_programs_of_the_jitter_agree_to_the_last_bit(strengths: tuple[float, ...], size: int) -> None:
    names = ("brightness", "contrast", "saturation", "hue")
    images = pictures(40 if size == 16 else 3, size)
    plan = ColorJitter(**dict(zip(names, strengths, strict=True)), p=0.8).plan(rows(len(images)))
    assert torch.equal(color_jitter._by_orders(images.clone(), *plan), color_jitter._by_slots(images, *plan))


def test_a_hue_that_does_not_turn_changes_nothing() -> None:
    images, order = pictures(4), torch.tensor([[3, 0, 1, 2]] * 4)
    factors = torch.tensor([[1.1, 1.0, 1.0, turn] for turn in (0.0, 0.1, 0.0, 0.1)])
    changed = color_jitter._by_orders(images.clone(), order, factors)
    assert torch.equal(changed[::2], (images[::2] * 1.1).clamp(0, 1))
    assert torch.equal(changed, color_jitter._by_slots(images, order, factors))


def test_a_mean_has_the_same_bits_in_any_order_of_its_pixels() -> None:
    plane = torch.rand(2, 50, 70, generator=torch.Generator().manual_seed(0))
    shuffled = plane.flatten(1)[:, torch.randperm(3500)].view_as(plane)
    assert torch.equal(mean_of(plane), mean_of(shuffled))
    torch.testing.assert_close(mean_of(plane)[:, 0, 0], plane.double().mean((1, 2)).float(), atol=1e-7, rtol=0)


def test_jitter_factors_fill_their_ranges() -> None:
    _, factors = ColorJitter(brightness=0.4, contrast=2.0, saturation=0.2, hue=0.1, p=1.0).plan(rows(2000))
    torch.testing.assert_close(factors.min(0).values, torch.tensor([0.6, 0.0, 0.8, -0.1]), atol=0.01, rtol=0)
    torch.testing.assert_close(factors.max(0).values, torch.tensor([1.4, 3.0, 1.2, 0.1]), atol=0.01, rtol=0)


def test_more_than_half_a_turn_of_hue_is_refused() -> None:
    with pytest.raises(ValueError, match="that of the hue at most"):
        ColorJitter(hue=0.6)


def test_grey_values_are_torchvisions() -> None:
    images = pictures(16)
    (chosen,) = Grayscale(p=0.5).plan(rows(16))
    expected = torch.where(chosen[:, None, None, None], tv.rgb_to_grayscale(images, num_output_channels=3), images)
    assert 0 < chosen.sum() < 16
    torch.testing.assert_close(Grayscale()(images.clone(), chosen), expected, atol=1e-6, rtol=0)


def test_solarisation_is_torchvisions() -> None:
    images = pictures(16)
    (chosen,) = Solarize(p=0.5).plan(rows(16))
    expected = torch.where(chosen[:, None, None, None], tv.solarize(images, 0.5), images)
    assert torch.equal(Solarize()(images.clone(), chosen), expected)


def test_normalisation_is_torchvisions() -> None:
    images = pictures(2)
    expected = tv.normalize(images, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    torch.testing.assert_close(Normalize()(images.clone()), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("size", "kernel", "taps"), [(32, None, 3), (96, None, 9), (32, 17, 17)])
def test_blur_is_torchvisions_for_each_chosen_sample(size: int, kernel: int | None, taps: int) -> None:
    images = pictures(6, size)
    step = GaussianBlur(p=0.5, kernel=kernel)
    touched, sigma = step.plan(rows(6))
    expected = images.clone()
    for row, deviation in zip(touched.tolist(), sigma.tolist(), strict=True):
        expected[row] = tv.gaussian_blur(images[row], [taps, taps], [deviation, deviation])
    assert 0 < len(touched) < 6
    torch.testing.assert_close(step(images.clone(), touched, sigma), expected, atol=1e-5, rtol=0)


def test_blur_of_a_224_pixel_view_has_23_taps() -> None:
    image = torch.zeros(1, 3, 224, 5)
    image[:, :, 112] = 1.0
    seen = GaussianBlur(sigma=(50.0, 50.0), kernel=None, p=1.0)
    with pytest.raises(ValueError, match="a blur of 23 taps is wider"):
        seen(image, *seen.plan(rows(1)))


def test_a_blur_keeps_constant_images_and_the_size_of_its_deviation_in_range() -> None:
    step = GaussianBlur(sigma=(0.1, 2.0), p=1.0)
    touched, sigma = step.plan(rows(1000))
    assert len(touched) == 1000
    assert 0.1 <= sigma.min() < 0.12 and 1.98 < sigma.max() < 2.0
    flat = torch.full((1000, 3, 32, 32), 0.3)
    torch.testing.assert_close(step(flat.clone(), touched, sigma), flat, atol=1e-6, rtol=0)


def test_an_even_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="write an odd number"):
        GaussianBlur(kernel=22)


def test_each_step_says_in_words_what_it_planned() -> None:
    order = torch.tensor([[3, 1, 0, 2], [0, 1, 2, 3], [1, 0, 3, 2]])
    factors = torch.tensor([[1.25, 0.5, 1.0, -0.125], [1.0, 1.0, 1.0, 0.0], [0.8, 1.2, 1.1, 0.001]])
    assert ColorJitter().in_words(order, factors) == {
        0: ("hue -0.12", "contrast 0.50", "brightness 1.25"),
        2: ("contrast 1.20", "brightness 0.80", "hue +0.00", "saturation 1.10"),
    }
    which = torch.tensor([False, True, True])
    assert Grayscale().in_words(which) == {1: ("grey",), 2: ("grey",)}
    assert Solarize(threshold=0.25).in_words(which) == {1: ("solarised from 0.25",), 2: ("solarised from 0.25",)}
    assert GaussianBlur().in_words(torch.tensor([2]), torch.tensor([0.5])) == {2: ("blur 0.50 px",)}
