from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as tv

from sslgraph.components.augment import native, planes
from sslgraph.draws import keyed, stream_of, substream
from sslgraph.errors import SpecError, SslgraphError
from sslgraph.read import catalogue
from sslgraph.read.load import load_augmentation
from sslgraph.read.spec import Augmentation, Part, View
from sslgraph.views.overrides import resolve
from sslgraph.views.views import ViewProgram, evaluation_view

NAMES = catalogue.names("augmentations")
SHIPPED = {name: load_augmentation(name).spec for name in NAMES}
STEPS = {
    "crop": {"use": "augment.random_resized_crop", "size": 12, "scale": [0.2, 1.0]},
    "flip": {"use": "augment.horizontal_flip"},
    "jitter": {"use": "augment.color_jitter"},
    "gray": {"use": "augment.grayscale"},
    "blur": {"use": "augment.gaussian_blur", "kernel": 3},
    "normalize": {"use": "augment.normalize"},
}


def augmentation(**steps: Mapping[str, object]) -> Augmentation:
    parts = {
        name: Part(use=str(step["use"]), settings={key: value for key, value in step.items() if key != "use"})
        for name, step in steps.items()
    }
    return Augmentation(augmentation="mine", steps=parts)


Step = Mapping[str, object]


def program(copies: int = 1, settings: Step | None = None, **steps: Step) -> ViewProgram:
    view = View(augment="mine", copies=copies, settings=dict(settings or {}))
    return ViewProgram.build({"x": view}, {"mine": augmentation(**(steps or STEPS))})


def photos(count: int, height: int = 20, width: int = 24) -> Tensor:
    always = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, height, width), dtype=torch.uint8, generator=always)


def run(
    views: ViewProgram, images: Tensor | list[Tensor], index: list[int] | None = None, seed: int = 0, epoch: int = 0
) -> dict[str, Tensor]:
    return views(images, torch.tensor(index or range(len(images))), seed=seed, epoch=epoch)


CHANGES = {
    "brightness": tv.adjust_brightness,
    "contrast": tv.adjust_contrast,
    "saturation": tv.adjust_saturation,
    "hue": tv.adjust_hue,
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_drawn_colours_are_those_that_the_pixels_have(change: str) -> None:
    plain = torch.tensor([51, 102, 153], dtype=torch.uint8)[None, :, None, None].expand(40, 3, 20, 20)
    strengths = {**dict.fromkeys(CHANGES, 0), change: 0.4}
    jitter = {"use": "augment.color_jitter", **strengths, "p": 0.5}
    batch = run(program(copies=2, crop=STEPS["crop"], jitter=jitter), plain)
    place, nothing = list(CHANGES).index(change), torch.tensor([1.0, 1, 1, 0])
    drawn = batch["x.colours"][:, place]
    expected = [CHANGES[change](plain[0, :, :12, :12] / 255, factor) for factor in drawn.tolist()]
    torch.testing.assert_close(batch["x.image"], torch.stack(expected), atol=1e-4, rtol=0)
    others = [other for other in range(4) if other != place]
    assert batch["x.colours"][:, others].eq(nothing[others]).all()
    assert 20 < drawn.ne(nothing[place]).sum() < 60 and drawn.std() > 0.1
    still = run(program(crop=STEPS["crop"]), plain)["x.colours"]
    assert still.eq(nothing).all() and len(still) == 40


def test_a_bag_of_two_gives_image_index_box_flip_and_colours_copy_by_copy() -> None:
    batch = run(program(copies=2), photos(3), [7, 5, 9])
    assert {name: tuple(value.shape) for name, value in batch.items()} == {
        "x.image": (6, 3, 12, 12),
        "x.index": (6,),
        "x.box": (6, 4),
        "x.flip": (6,),
        "x.colours": (6, 4),
    }
    assert batch["x.index"].tolist() == [7, 5, 9, 7, 5, 9]
    assert batch["x.flip"].dtype == torch.bool
    assert not torch.equal(batch["x.box"][:3], batch["x.box"][3:])


@pytest.mark.parametrize("side", [20, 120])
def test_a_batch_equals_its_samples_alone_to_the_last_bit(side: int) -> None:
    images = photos(5, side, side)
    views = program(settings={"size": side})
    together = run(views, images)["x.image"]
    alone = torch.cat([run(views, images[i : i + 1], [i])["x.image"] for i in range(5)])
    assert torch.equal(together, alone)


def test_working_on_a_few_samples_at_a_time_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_library", lambda: None)
    whole = run(program(), photos(5))["x.image"]
    monkeypatch.setattr(planes, "_CACHED_PIXELS", 2 * 12 * 12)
    assert torch.equal(run(program(), photos(5))["x.image"], whole)


@pytest.mark.parametrize("side", [20, 120])
def test_the_number_of_threads_changes_no_bit(side: int) -> None:
    views, images = program(settings={"size": side, "blur.p": 1.0}), photos(7, side, side)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(run(views, images)["x.image"])
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])


def test_the_order_of_the_samples_does_not_matter() -> None:
    images, order = photos(6), [3, 0, 5, 1, 4, 2]
    assert torch.equal(run(program(), images[order], order)["x.image"], run(program(), images)["x.image"][order])


@pytest.mark.parametrize("change", [{"seed": 1}, {"epoch": 1}])
def test_another_seed_or_epoch_draws_another_view(change: dict[str, int]) -> None:
    assert not torch.equal(run(program(), photos(4), **change)["x.box"], run(program(), photos(4))["x.box"])


def test_two_views_of_one_augmentation_are_independent() -> None:
    both = {"a": View(augment="mine"), "b": View(augment="mine")}
    batch = run(ViewProgram.build(both, {"mine": augmentation(**STEPS)}), photos(4))
    assert not torch.equal(batch["a.box"], batch["b.box"])


def test_inserting_a_step_does_not_reshuffle_the_others() -> None:
    longer = {"crop": STEPS["crop"], "solarize": {"use": "augment.solarize", "p": 0.0}, **STEPS}
    assert torch.equal(run(program(**longer), photos(4))["x.image"], run(program(), photos(4))["x.image"])


@pytest.mark.parametrize("side", [20, 120])
def test_images_of_many_sizes_are_seen_as_each_alone(side: int) -> None:
    images = [photos(1, side + 3 * i, side + 5 * i)[0] for i in range(4)]
    views = program(settings={"size": side})
    together = run(views, images)["x.image"]
    alone = torch.cat([run(views, [image], [i])["x.image"] for i, image in enumerate(images)])
    assert torch.equal(together, alone)


def test_the_list_is_torchvisions_with_the_same_parameters() -> None:
    images = photos(6)
    batch = run(program(), images)
    draw = substream(keyed(0, 0, torch.arange(6)), stream_of("x"))
    steps = program().views["x"].steps
    order, factors = steps["jitter"].plan(substream(draw, stream_of("jitter")))  # type: ignore[union-attr]
    (gray,) = steps["gray"].plan(substream(draw, stream_of("gray")))  # type: ignore[union-attr]
    blurred, sigma = steps["blur"].plan(substream(draw, stream_of("blur")))  # type: ignore[union-attr]
    adjust = (tv.adjust_brightness, tv.adjust_contrast, tv.adjust_saturation, tv.adjust_hue)
    for i in range(6):
        left, top, right, bottom = (batch["x.box"][i] * torch.tensor([24.0, 20.0, 24.0, 20.0])).round().int().tolist()
        view = tv.resized_crop(images[i] / 255, top, left, bottom - top, right - left, [12, 12], antialias=True)
        view = view.flip(-1) if batch["x.flip"][i] else view
        for change in order[i].tolist():
            view = adjust[change](view, factors[i, change].item())
        view = tv.rgb_to_grayscale(view, 3) if gray[i] else view
        if i in blurred.tolist():
            view = tv.gaussian_blur(view, [3, 3], [sigma[blurred == i].item()] * 2)
        expected = tv.normalize(view, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        torch.testing.assert_close(batch["x.image"][i], expected, atol=5e-5, rtol=0)  # 1e-5 before the division by std


def test_a_flip_at_the_end_equals_a_flip_after_the_crop() -> None:
    last = {name: STEPS[name] for name in ("crop", "jitter", "gray", "blur", "flip", "normalize")}
    one, other = run(program(**last), photos(8)), run(program(), photos(8))
    assert torch.equal(one["x.flip"], other["x.flip"]) and one["x.flip"].any()
    torch.testing.assert_close(one["x.image"], other["x.image"])


@pytest.mark.parametrize("as_list", [False, True])
def test_jitter_before_the_crop_sees_the_whole_image(as_list: bool) -> None:
    steps = {"jitter": {"use": "augment.color_jitter", "p": 1.0}, "crop": STEPS["crop"]}
    images = photos(4)
    draw = substream(keyed(0, 0, torch.arange(4)), stream_of("x"))
    jitter = program(**steps).views["x"].steps["jitter"]
    changed = jitter(images / 255, *jitter.plan(substream(draw, stream_of("jitter"))))  # type: ignore[operator,union-attr]
    batch = run(program(**steps), list(images) if as_list else images)
    for view, image, box in zip(batch["x.image"], changed, batch["x.box"], strict=True):
        left, top, right, bottom = (box * torch.tensor([24.0, 20.0, 24.0, 20.0])).round().int().tolist()
        expected = tv.resized_crop(image, top, left, bottom - top, right - left, [12, 12], antialias=True)
        torch.testing.assert_close(view, expected, atol=1e-5, rtol=0)


def test_a_list_of_probabilities_has_one_for_each_copy() -> None:
    batch = run(program(copies=2, settings={"flip.p": [1.0, 0.0]}), photos(3))
    assert batch["x.flip"].tolist() == [True, True, True, False, False, False]


def test_views_come_in_the_type_and_layout_that_is_asked_for() -> None:
    views = program()(photos(2), torch.arange(2), seed=0, epoch=0, channels_last=True, dtype=torch.bfloat16)
    assert views["x.image"].dtype == torch.bfloat16
    assert views["x.image"].is_contiguous(memory_format=torch.channels_last)


def test_views_without_a_c_compiler_have_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    images = photos(5, 120, 150)
    views = program(settings={"size": 110})
    whole = run(views, images)["x.image"]
    monkeypatch.setattr(native, "_library", lambda: None)
    assert torch.equal(run(views, images)["x.image"], whole)


@pytest.mark.slow
def test_compiled_colours_equal_the_uncompiled_ones_to_the_last_bit() -> None:
    steps = [step for name, step in program().views["x"].steps.items() if name in ("jitter", "gray", "normalize")]
    images, draw = photos(8) / 255, keyed(0, 0, torch.arange(8))
    plans = [step.plan(substream(draw, number)) for number, step in enumerate(steps)]  # type: ignore[union-attr]

    def paint(images: torch.Tensor) -> torch.Tensor:
        for step, plan in zip(steps, plans, strict=True):
            images = step(images, *plan)  # type: ignore[operator]
        return images

    assert torch.equal(torch.compile(paint, dynamic=False)(images.clone()), paint(images.clone()))


def test_overrides_reach_the_step_that_has_the_setting() -> None:
    view = View(augment="simclr", settings={"size": 32, "crop.scale": [0.2, 1.0], "blur.p": 0})
    steps = resolve({"x": view}, SHIPPED)["x"]
    assert steps["crop"].settings["size"] == 32
    assert steps["crop"].settings["scale"] == [0.2, 1.0]
    assert (steps["blur"].settings["p"], steps["flip"].settings["p"]) == (0, 0.5)


@pytest.mark.parametrize(
    ("augment", "copies", "settings", "message"),
    [
        ("simclrr", 1, {}, r"there is no augmentation 'simclrr'(?s:.)*did you mean 'simclr'\?"),
        ("simclr", 1, {"sise": 32}, r"view 'x': 'simclr' has no setting 'sise'(?s:.)*did you mean 'size'\?"),
        (
            "simclr",
            1,
            {"p": 0.1},
            r"which several steps of 'simclr' have\n  there are: flip.p, jitter.p, gray.p, blur.p",
        ),
        ("simclr", 1, {"crap.size": 32}, r"augmentation 'simclr' has no step 'crap'(?s:.)*did you mean 'crop'\?"),
        ("simclr", 1, {"crop.scael": [1, 1]}, r"no setting 'scael'(?s:.)*did you mean 'scale'\?"),
        ("dino_global", 3, {}, r"step 'blur' of view 'x' lists 2 probabilities, and copies is 3"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_cure(augment: str, copies: int, settings: Step, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        ViewProgram.build({"x": View(augment=augment, copies=copies, settings=dict(settings))}, SHIPPED)


def test_all_faults_of_all_views_are_told_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        resolve({"a": View(augment="nope"), "b": View(augment="mae", settings={"q": 1, "r": 2})}, SHIPPED)
    assert len(caught.value.faults) == 3


def test_images_that_no_step_brings_to_one_size_are_refused() -> None:
    with pytest.raises(SslgraphError, match="no step of view 'x' brings them to one"):
        run(program(flip=STEPS["flip"]), [photos(1, 8, 8)[0], photos(1, 9, 8)[0]])


def test_sizes_are_known_without_an_image() -> None:
    views = {name: View(augment=name, copies=2) for name in ("dino_global", "dino_local", "flip")}
    shipped = {**SHIPPED, "flip": augmentation(flip=STEPS["flip"])}
    expected = {"dino_global": (224, 224), "dino_local": (96, 96), "flip": (30, 40)}
    assert ViewProgram.build(views, shipped).sizes(30, 40) == expected


def test_the_evaluation_view_has_the_size_and_normalisation_of_the_training_view_and_no_chance() -> None:
    views = {"x": View(augment="swav", settings={"size": 16})}
    fixed, images = evaluation_view(views, SHIPPED, like="x"), photos(2, 16, 16)
    expected = tv.normalize(images / 255, [0.485, 0.456, 0.406], [0.228, 0.224, 0.225])
    torch.testing.assert_close(run(fixed, images)["x.image"], expected)
    assert torch.equal(run(fixed, images)["x.image"], run(fixed, images, seed=5, epoch=3)["x.image"])


def test_the_evaluation_view_of_simclr_stays_between_0_and_1() -> None:
    fixed = evaluation_view({"x": View(augment="simclr")}, SHIPPED, like="x", size=16)
    torch.testing.assert_close(run(fixed, photos(2, 16, 16))["x.image"], photos(2, 16, 16) / 255)


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_augmentation_makes_finite_views_of_an_image(name: str) -> None:
    settings = {} if name == "relative_patch" else {"size": 32}
    copies = 2 if "global" in name and name[-2:] not in ("_a", "_b") else 1
    views = ViewProgram.build({"x": View(augment=name, copies=copies, settings=settings)}, SHIPPED)
    batch = run(views, photos(2, 32, 32))
    side = 255 if name == "relative_patch" else 32
    assert batch["x.image"].shape == (2 * copies, 3, side, side)
    assert batch["x.image"].isfinite().all()
    assert batch["x.image"].std() > 0.1
