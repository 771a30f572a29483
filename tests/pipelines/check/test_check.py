"""Check: a method or a recipe by name or file, with its own batch and numbers; every fault at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslgraph.checked import BATCH, augmentations, within
from sslgraph.errors import Fault, Place, SpecError, SslgraphError, refusal
from sslgraph.pipelines.check import check
from sslgraph.read.load import load_method, load_recipe


def test_a_method_is_sized_for_an_assumed_batch_and_a_recipe_for_its_own() -> None:
    for name, rows in (("simclr", 2 * BATCH), ("demo/simclr", 2 * load_recipe("demo/simclr").spec.batch)):
        sized = check.examine(name).sized
        assert sized is not None and sized.legs[0].shapes("z")[0][0] == rows


def test_a_fast_check_stops_before_shapes_and_knows_the_gradients() -> None:
    found = check.examine("context_encoder", fast=True)
    assert found.sized is None
    assert found.gradients.rows["d"] == ("-", "-", "gradient", "gradient")


def test_a_file_is_a_method_or_a_recipe_by_its_first_word(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(
        "recipe: r\nmethod: simclr\ndata: {use: sources.shapes}\nepochs: 1\nbatch: 8\n"
        "optimizer: {use: sgd, lr: 0.1, momentum: 0, weight_decay: 0}\n"
    )
    assert check.load(str(file), {})[1] is not None
    child = tmp_path / "child.yaml"
    child.write_text("method: Child\nextends: simclr\n")
    method, recipe = check.load(str(child), {})
    assert method.spec.method == "Child" and recipe is None


def test_an_override_reaches_the_wiring() -> None:
    assert check.examine("simclr", fast=True, overrides={"nets.f.frozen": True}).gradients.rows["f"] == ("frozen",)


def test_a_fault_inside_gets_the_place_of_its_path_whatever_its_words(tmp_path: Path) -> None:
    file = tmp_path / "method.yaml"
    file.write_text("method: M\nextends: simclr\nfamily: own\n")
    loaded = load_method(file)
    with pytest.raises(SpecError) as caught, within(loaded, ()):
        raise refusal(("family",), "'method' is odd")
    assert str(caught.value) == f"{file}:3:9: 'method' is odd"
    with pytest.raises(SpecError) as caught, within(loaded, ("family",)):
        raise SslgraphError("odd")
    assert str(caught.value) == f"{file}:3:9: odd"


def test_a_fault_that_has_a_place_keeps_it() -> None:
    fault = Fault(Place("elsewhere", 3, 4), "odd")
    with pytest.raises(SpecError, match=r"^elsewhere:3:4: odd$"), within(load_method("simclr"), ("views",)):
        raise SpecError([fault])


def test_two_views_without_an_augmentation_are_two_faults(tmp_path: Path) -> None:
    file = tmp_path / "method.yaml"
    file.write_text("method: M\nextends: byol\nset: {views.x1.augment: no_such_one, views.x2.augment: nor_this}\n")
    with pytest.raises(SpecError) as caught:
        augmentations(load_method(file))
    assert len(caught.value.faults) == 2 and all(fault.place and fault.place.line == 3 for fault in caught.value.faults)


def test_the_file_behind_a_name_is_shown() -> None:
    assert check.method_file("simclr").name == "simclr.yaml"
    assert check.method_file("cifar10/simclr").parent.name == "cifar10"
    assert check.method_file("mine/own.yaml") == Path("mine/own.yaml")
