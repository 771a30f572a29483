"""A second rendering of a crop: the same box and flip, other sizes and colours; and what is refused."""

from __future__ import annotations

import pytest
import torch
from test_views import STEPS, augmentation, photos, run
from torch import Tensor

from sslgraph.errors import SpecError
from sslgraph.read.spec import View
from sslgraph.settle.views import ViewProgram

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


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (View(augment="mine", crop_of="z"), "view 'y' renders a view above it .*, and there is no 'z'"),
        (View(augment="mine", crop_of="x", copies=2), "view 'y' has 2 copies and 'x' 1"),
        (View(augment="mine", crop_of="x", settings={"scale": [0.1, 0.2]}),
         "view 'y' sets scale, but its crop is that of 'x'"),
        (View(augment="mine", crop_of="x", settings={"flip.p": 0.1}),
         "view 'y' sets flip.p, but its crop is that of 'x'"),
        (View(augment="still", crop_of="x"), r"view 'y' places its crop by no step, and 'x' by crop \(augment"),
    ],
)  # fmt: skip
def test_a_rendering_that_can_not_be_is_refused(view: View, message: str) -> None:
    found = {**FOUND, "still": augmentation(gray=STEPS["gray"])}
    with pytest.raises(SpecError, match=message):
        ViewProgram.build({"x": View(augment="mine"), "y": view}, found)
