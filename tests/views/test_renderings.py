"""A second rendering of a crop: the same box and flip, other sizes and colours; and what is refused."""

from __future__ import annotations

import pytest
import torch
from test_views import STEPS, augmentation, photos, run
from torch import Tensor

from sslgraph.errors import SpecError
from sslgraph.read.spec import View
from sslgraph.views.views import ViewProgram

COLOURS = {**STEPS, "jitter": {"use": "augment.color_jitter", "brightness": 0.9}}
PLAIN = {name: STEPS[name] for name in ("crop", "flip")}
FOUND = {"mine": augmentation(**STEPS), "other": augmentation(**COLOURS), "plain": augmentation(**PLAIN)}


def made(augment: str, copies: int = 1, **settings: object) -> dict[str, Tensor]:
    x = View(augment="mine", copies=copies, settings={"crop.scale": [0.3, 0.8]})
    views = {"x": x, "y": View(augment=augment, crop_of="x", copies=copies, settings=settings)}
    return run(ViewProgram.build(views, FOUND), photos(6))


@pytest.mark.parametrize(("augment", "copies"), [("mine", 1), ("mine", 2), ("other", 1), ("plain", 2)])
def test_a_rendering_has_the_box_and_the_flip_of_its_view(augment: str, copies: int) -> None:
    batch = made(augment, copies, size=8)
    assert torch.equal(batch["y.box"], batch["x.box"]) and torch.equal(batch["y.flip"], batch["x.flip"])
    assert batch["y.image"].shape == (6 * copies, 3, 8, 8)
    assert len(batch["x.box"].unique(dim=0)) == 6 * copies


def test_with_the_same_augmentation_and_nothing_set_it_is_the_same_view() -> None:
    batch = made("mine")
    assert torch.equal(batch["y.image"], batch["x.image"])
    assert not torch.equal(made("other")["y.image"], batch["x.image"])


def test_what_it_sets_of_colours_is_all_that_differs() -> None:
    batch = made("mine", **{"normalize.mean": [0.0, 0.0, 0.0], "normalize.std": [1.0, 1.0, 1.0]})
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = batch["x.image"] * std[:, None, None] + mean[:, None, None]
    torch.testing.assert_close(batch["y.image"], expected, atol=1e-5, rtol=1e-4)


def moved(shift: int, scale: tuple[float, float], side: int = 16) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """How far each box lies from its origin's, in pixels of the view, across and down; and the size of the boxes."""
    x = View(augment="mine", settings={"crop.scale": list(scale), "size": side})
    views = {"x": x, "y": View(augment="mine", crop_of="x", shift=shift)}
    batch = run(ViewProgram.build(views, FOUND), photos(64))
    sizes = batch["x.box"][:, 2:] - batch["x.box"][:, :2]
    return (batch["y.box"] - batch["x.box"])[:, :2] / sizes * side, sizes, batch


def test_a_shifted_rendering_lies_some_pixels_away_and_has_the_size_and_the_flip_of_its_view() -> None:
    away, sizes, batch = moved(3, (0.2, 0.4))
    torch.testing.assert_close(batch["y.box"][:, 2:] - batch["y.box"][:, :2], sizes)
    assert torch.equal(batch["y.flip"], batch["x.flip"])
    assert 2 < away.abs().max() < 4 and away.min() < -1 and (away[:, 0] != away[:, 1]).any()
    assert ((batch["y.box"] >= 0) & (batch["y.box"] <= 1)).all()


def test_a_shift_stays_where_there_is_an_image_and_by_none_moves_nothing() -> None:
    assert moved(3, (1.0, 1.0))[0].abs().max() < 3  # the largest crop leaves room on one axis only
    assert moved(0, (0.2, 0.4))[0].abs().max() == 0


def test_a_shifted_rendering_shows_the_pixels_beside_those_of_its_view() -> None:
    """Of a crop on its source's own pixels: what both see is the same to the last bit."""
    crop = {"use": "augment.resize_random_crop", "size": 8, "shorter": 24}
    found = {"still": augmentation(crop=crop)}
    views = {"x": View(augment="still"), "y": View(augment="still", crop_of="x", shift=2)}
    images = torch.randint(256, (16, 3, 24, 24), dtype=torch.uint8)
    batch = run(ViewProgram.build(views, found), images)
    by = ((batch["y.box"] - batch["x.box"])[:, :2] * 24).round().long()
    assert by.abs().max() == 2 and len(by.unique(dim=0)) > 5
    for (right, down), one, other in zip(by.tolist(), batch["x.image"], batch["y.image"], strict=True):
        mine = one[:, max(down, 0) : 8 + min(down, 0), max(right, 0) : 8 + min(right, 0)]
        theirs = other[:, max(-down, 0) : 8 + min(-down, 0), max(-right, 0) : 8 + min(-right, 0)]
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (View(augment="mine", crop_of="z"), "view 'y' renders a view above it .*, and there is no 'z'"),
        (View(augment="mine", crop_of="x", copies=2), "view 'y' has 2 copies and 'x' 1"),
        (View(augment="mine", crop_of="x", settings={"scale": [0.1, 0.2]}),
         "view 'y' sets scale, but its crop is that of 'x'"),
        (View(augment="mine", crop_of="x", settings={"flip.p": 0.1}),
         "view 'y' sets flip.p, but its crop is that of 'x'"),
        (View(augment="mine", shift=2), "view 'y' has a shift and a crop of its own"),
        (View(augment="still", crop_of="x"), r"view 'y' places its crop by no step, and 'x' by crop \(augment"),
    ],
)  # fmt: skip
def test_a_rendering_that_can_not_be_is_refused(view: View, message: str) -> None:
    found = {**FOUND, "still": augmentation(gray=STEPS["gray"])}
    with pytest.raises(SpecError, match=message):
        ViewProgram.build({"x": View(augment="mine"), "y": view}, found)
