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


UNREAD = """
views: {x1: {augment: simclr}, x2: {augment: simclr}}
nets:
  f: {use: backbones.resnet, depth: 18}
  g: {use: heads.mlp, hidden: [64], out: 32}
  h: {use: heads.mlp, hidden: [64], out: 32}
flow: {z: l2(g(f(x1))), k: l2(g(f(x2))), y: h(f(x1))}
losses:
  near: {use: losses.regression, of: [y, k]}
  info: {use: losses.info_nce, of: [z, k]}
export: f
"""


@pytest.mark.parametrize(
    ("line", "wrong", "said"),
    [
        ("near: {use: losses.regression, of", "near: {of", ["losses.near has no use:"]),  # h and y are used there
        ("h: {use: heads.mlp, ", "h: {", ["nets.h has no use:"]),  # the flow calls it
        ("y: h(f(x1))", "y: 5", ["flow.y must be text, not the number 5"]),  # a loss reads it
        ("[64], out: 32}\nflow", "[64], out: 32}\n  u: {hidden: [1]}\nflow", ["nets.u has no use:"]),
        ("y: h(f(x1))", "y: g(f(x1))", ["nothing uses 'h' (nets)", "no loss trains the net 'h'"]),
    ],
)
def test_nothing_is_said_of_what_only_an_unread_line_may_have(
    tmp_path: Path, line: str, wrong: str, said: list[str]
) -> None:
    file = tmp_path / "m.yaml"
    file.write_text("method: M" + UNREAD.replace(line, wrong))
    assert line in UNREAD
    with pytest.raises(SpecError) as refused:
        check.examine(str(file), fast=True)
    assert [fault.problem for fault in refused.value.faults] == said


def test_a_method_whose_only_loss_is_unread_is_not_said_to_have_none(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text("method: M" + UNREAD.replace("use: losses.", "use:losses."))
    with pytest.raises(SpecError) as refused:
        check.examine(str(file), fast=True)
    assert [fault.problem for fault in refused.value.faults] == ["losses.near has no use:", "losses.info has no use:"]


def test_the_file_behind_a_name_is_shown() -> None:
    assert check.method_file("simclr").name == "simclr.yaml"
    assert check.method_file("cifar10/simclr").parent.name == "cifar10"
    assert check.method_file("mine/own.yaml") == Path("mine/own.yaml")


WRONG = """\
recipe: wrong
method: simclr
data: {use: sources.shapes, imagse: 3}
epochs: 0
batch: 8
seed: -1
optimizer: {use: sgd, lr: -0.1, momentum: 99, weight_decay: -3, Nesterov: true}
evaluate: {knn: {k: 0, every: 0 epochs, temperature: "0.1"}, segmentation: {ignore: 11, szie: 3}}
checkpoint: {keep: 0, best: kmn}
monitor: 0 steps
set: {losses.contrast.temperature: 0, views.x.size: 0, views.x.flip.p: 7}
"""
FAULTS = {
    3: ["sources.shapes has no setting 'imagse'; did you mean 'images'?"],
    4: ["epochs must be 1 or more, not 0"],
    6: ["seed must be 0 or more, not -1"],
    7: [
        "'lr' of optimizer sgd must be a number of at least 0 or a schedule, not -0.1",
        "'momentum' of optimizer sgd must be a number of at least 0 and below 1, not 99",
        "'weight_decay' of optimizer sgd must be a number of at least 0 or a schedule, not -3",
        "optimizer sgd has no setting 'Nesterov'",
    ],
    8: [
        "evaluate.knn.k must be a whole number of at least 1, not 0",
        "evaluate.knn.every must be longer than '0 epochs'",
        "evaluate.knn.temperature must be a number above 0, not the text '0.1' (remove the quotes)",
        "segmentation needs a path",
        "evaluate.segmentation.ignore must be a list of whole numbers of at least 0, not 11 (write [11])",
        "evaluate.segmentation has no setting 'szie'",
    ],
    9: ["checkpoint.keep must be a whole number of at least 1, not 0", "best: kmn is not measured during this run"],
    10: ["monitor must be longer than '0 steps'"],
    11: [
        "'temperature' of losses.nt_xent must be a number above 0 or a schedule, not 0",
        "'size' of augment.random_resized_crop must be a whole number of at least 1, not 0",
        "'p' of augment.horizontal_flip must be a number from 0 to 1 or a list of numbers from 0 to 1, not 7",
    ],
}


def test_all_faults_of_a_recipe_are_told_at_once_each_at_its_line(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(WRONG)
    with pytest.raises(SpecError) as caught:
        check.examine(str(file), fast=True)
    found: dict[int, list[str]] = {}
    for fault in caught.value.faults:
        assert fault.place is not None and fault.place.file == str(file)
        found.setdefault(fault.place.line, []).append(fault.problem)
    assert found == FAULTS


def test_a_method_with_a_faulty_momentum_is_still_wired() -> None:
    changes = {"targets.ft.momentum": 99, "losses.one.tempera": 1}
    with pytest.raises(SpecError, match=r"(?s)'tempera'.*ft.momentum must be a number from 0 to 1 "):
        check.examine("byol", fast=True, overrides=changes)


@pytest.mark.parametrize("name", ["simclr", "moco_v1", "moco_v2", "swav", "byol", "simsiam", "dino", "barlow_twins"])
def test_one_image_is_no_batch_where_images_are_compared(name: str) -> None:
    told = r"--set batch: batch: 1 gives the nets one image at a time, and .* compares images\n  write batch: 2 or more"
    with pytest.raises(SpecError, match=told):
        check.examine(f"demo/{name}", fast=True, overrides={"batch": 1})
    told = "accumulate: 8 gives the nets one image at a time.*\n  write accumulate: 4 or less"
    with pytest.raises(SpecError, match=told):
        check.examine(f"demo/{name}", fast=True, overrides={"batch": 8, "accumulate": 8})


def test_accumulation_divides_the_batch() -> None:
    told = r"--set accumulate: accumulate: 3 does not divide a batch of 8 images\n  choose a divisor of batch"
    with pytest.raises(SpecError, match=told):
        check.examine("demo/mae", fast=True, overrides={"batch": 8, "accumulate": 3})


def test_groups_of_batch_norm_divide_the_batch() -> None:
    told = r"nets\.f\.norm_splits: 3 can't share 8 images evenly, two or more for each\n  write a batch that 3 divides"
    with pytest.raises(SpecError, match=told):
        check.examine("demo/simclr", fast=True, overrides={"batch": 8, "nets.f.norm_splits": 3})
    check.examine("demo/simclr", fast=True, overrides={"batch": 8, "nets.f.norm_splits": 4})


def test_one_image_is_a_batch_where_each_is_judged_by_itself() -> None:
    check.examine("demo/mae", fast=True, overrides={"batch": 1})


def test_the_greatest_seed_trains_and_a_greater_one_is_refused() -> None:
    check.examine("demo/simclr", fast=True, overrides={"seed": 2**32 - 1})
    with pytest.raises(SpecError, match="seed must be less than 4294967296"):
        check.examine("demo/simclr", fast=True, overrides={"seed": 2**32})
