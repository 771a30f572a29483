"""What is known of the classic pretext tasks beforehand, held against their compiled steps."""

from __future__ import annotations

import math

import pytest
import torch
from test_paper_oracles import landmark, seen
from test_specs import BATCH, IMAGES, noise, one_step, ready

from sslgraph.checked import sized_graph, wired
from sslgraph.components.patches.hypercolumn import Hypercolumn
from sslgraph.read.load import load_method


@pytest.mark.parametrize(
    ("name", "chance"),
    [
        ("relative_patch", math.log(8)),
        ("split_brain", math.log(313) + math.log(50)),
        ("colorization", math.log(313)),
        ("cpc_v2", math.log(256 * 36)),
        ("cpc", math.log(256 * 49)),
        ("selfie", math.log(13)),
        ("exemplar", math.log(8000)),
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
    places = seen(method, batch, "t", step=1)[0].nearest
    assert method.parts["prior"].counts.sum().item() == pytest.approx(places[0].numel(), rel=1e-5)
    assert places[1:].eq(-100).all() and places[0].ge(0).all()
    (weights,) = seen(method, batch, "w", step=1)
    assert weights[1:].eq(0).all() and weights[0].gt(0).all()


def test_counting_encodes_the_whole_and_its_tiles_in_one_forward() -> None:
    method, batch = ready("counting"), noise("counting")
    views, counts = seen(method, batch, "v", "c")
    assert len(views) == len(counts) == 5 * BATCH and counts.min() >= 0
    assert method.code().count("self.f(") == 1
    assert landmark("counting", "collapsed") == 10


def test_cpc_predicts_from_rows_above_only() -> None:
    method, batch = ready("cpc_v2"), noise("cpc_v2")
    before = seen(method, batch, "p")[0]
    batch["x.image"][:, :, 24:] = torch.randn_like(batch["x.image"][:, :, 24:])
    after = seen(method, batch, "p")[0]
    assert torch.equal(before[:, :4], after[:, :4]) and not torch.equal(before[:, 4], after[:, 4])


def test_what_selfie_expects_does_not_depend_on_what_is_hidden() -> None:
    method, batch = ready("selfie").eval(), noise("selfie")
    mask, pointed = seen(method, batch, "m", "a")
    pixels = mask.hidden.view(BATCH, 1, 4, 4).repeat_interleave(8, 2).repeat_interleave(8, 3)
    batch["x.image"] = torch.where(pixels, torch.randn_like(batch["x.image"]), batch["x.image"])
    again = seen(method, batch, "a")[0]
    assert torch.equal(pointed.query, again.query) and not torch.equal(pointed.choice, again.choice)


def test_an_exemplar_is_the_class_of_its_image_in_every_epoch() -> None:
    method = ready("exemplar")
    assert method.parts["head"].layer.out_features == IMAGES
    y, loss = seen(method, noise("exemplar", 4), "y", "ce")
    expected = torch.nn.functional.cross_entropy(y.float(), torch.arange(4, 4 + BATCH))
    torch.testing.assert_close(loss, expected, atol=1e-4, rtol=1e-4)


def test_a_context_encoder_sees_nothing_of_what_it_is_to_paint() -> None:
    """Whatever stands in the filled region, the code has the same bits; one pixel beside it changes the code."""
    method, batch = ready("context_encoder"), noise("context_encoder")
    codes = list[torch.Tensor]()
    method.parts["enc"].register_forward_hook(lambda *found: codes.append(found[2].code.detach()))
    image, hole = batch["x.image"], seen(method, batch, "m")[0]
    filled = (hole.image == method.parts["hole"].colour).all(1, keepdim=True)
    assert 0 < filled[0].sum() < hole.patch[0, 0].numel()  # a ring of the square stays visible
    batch["x.image"] = torch.where(filled, torch.randn_like(image), image)
    assert not torch.equal(seen(method, batch, "m")[0].patch, hole.patch)
    batch["x.image"] = torch.where(filled.roll(1, 2), torch.randn_like(image), image)
    seen(method, batch, "m")
    plain, same, other = codes
    assert torch.equal(plain, same) and not torch.equal(plain, other)


def test_the_exported_encoder_of_hypercolumns_answers_a_grey_image_as_its_net_answers_the_grey() -> None:
    """The net's first convolution sees one channel; what is exported takes three."""
    method, grey = ready("hypercolumns").eval(), torch.rand(BATCH, 1, 32, 32)
    assert method.parts["f"].conv1.weight.shape[1] == 1
    found = method.encoder()(grey.expand(-1, 3, -1, -1))
    torch.testing.assert_close(found, method.parts["f"](grey).pooled, atol=1e-5, rtol=1e-5)


def test_a_hypercolumn_is_as_wide_as_the_layers_that_it_reads() -> None:
    """Those of the shipped ResNet-50; and of VGG-16 the image, 13 convolutions and 2 dense layers, 12,417 channels."""
    loaded = load_method("hypercolumns")
    sized = sized_graph(wired(loaded), loaded, batch=BATCH)
    assert sized.legs[0].shapes("c")[0][-1] == 256 + 512 + 1024 + 2048
    widths = [1, 64, 64, 128, 128, *[256] * 3, *[512] * 6, 4096, 4096]
    points, maps = torch.rand(1, 2, 2), [torch.rand(1, width, 3, 3) for width in widths]
    read = [Hypercolumn()(points, *maps[first : first + 4]) for first in range(0, len(maps), 4)]
    assert torch.cat(read, 2).shape == (1, 2, 12_417)
