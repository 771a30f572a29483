"""What is known of the classic pretext tasks beforehand, held against their compiled steps."""

from __future__ import annotations

import math

import pytest
import torch
from test_paper_oracles import landmark, seen
from test_specs import BATCH, noise, one_step, ready


@pytest.mark.parametrize(
    ("name", "chance"),
    [
        ("relative_patch", math.log(8)),
        ("split_brain", math.log(313) + math.log(50)),
        ("colorization", math.log(313)),
    ],
)
def test_guessing_is_worth_the_known_loss(name: str, chance: float) -> None:
    assert landmark(name, "chance", dataset=8000) == pytest.approx(chance, abs=1e-4)


def test_neither_half_of_a_split_brain_sees_what_it_predicts() -> None:
    method, batch = ready("split_brain"), noise("split_brain")
    batch["x.image"] = batch["x.image"].abs().remainder(1).requires_grad_()
    lab, paints, lights = seen(method, batch, "s", "y", "v")
    for scores, own, other in ((paints, "lightness", "ab"), (lights, "ab", "lightness")):
        grads = torch.autograd.grad(
            scores.float().square().sum(), [getattr(lab, own), getattr(lab, other)],
            retain_graph=True, allow_unused=True,
        )  # fmt: skip
        assert grads[0] is not None and grads[0].abs().sum() > 0 and grads[1] is None


def test_the_representation_of_a_split_brain_is_both_halves_side_by_side() -> None:
    method, batch = ready("split_brain").eval(), noise("split_brain")
    image = batch["x.image"].abs().remainder(1)
    lab = method.parts["lab"](image)
    halves = [method.parts[net](port).pooled for net, port in (("f", lab.lightness), ("g", lab.ab))]
    torch.testing.assert_close(method.encoder()(image), torch.cat(halves, 1))
    assert len(image) == BATCH


def test_colorization_counts_its_colours_and_learns_nothing_from_grey_images() -> None:
    method, batch = ready("colorization"), noise("colorization")
    batch["x.image"] = batch["x.image"].abs().remainder(1)
    batch["x.image"][1:] = batch["x.image"][1:, :1]  # grey
    one_step(method, batch, 0)
    places = seen(method, batch, "t")[0].nearest
    assert method.parts["prior"].counts.sum().item() == pytest.approx(places[0].numel(), rel=1e-5)
    assert places[1:].eq(-100).all() and places[0].ge(0).all()
    (weights,) = seen(method, batch, "w")
    assert weights[1:].eq(0).all() and weights[0].gt(0).all()


def test_counting_encodes_the_whole_and_its_tiles_in_one_forward() -> None:
    method, batch = ready("counting"), noise("counting")
    views, counts = seen(method, batch, "v", "c")
    assert len(views) == len(counts) == 5 * BATCH and counts.min() >= 0
    assert method.code().count("self.f(") == 1
    assert landmark("counting", "collapsed") == 10
