"""Every shipped spec: right as a text, its program as it was last read, its gradient map true, its step sound."""

from __future__ import annotations

import copy
import io
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path as File

import pytest
import torch
from torch import Tensor
from toys import assert_map_is_true, random_batch

from sslgraph.checked import augmentations, sized_graph, wired
from sslgraph.compile.compile import CompiledMethod
from sslgraph.errors import SpecError
from sslgraph.pipelines.check import check
from sslgraph.pipelines.look import show
from sslgraph.read import catalogue
from sslgraph.read.document import Document, read
from sslgraph.read.load import load_method, load_recipe, recipe_of
from sslgraph.read.loaded import method_in
from sslgraph.read.located import Value, written
from sslgraph.schedules import Clock
from sslgraph.settle.sized import SizedGraph
from sslgraph.views.views import ViewProgram

METHODS = catalogue.names("methods")
RECIPES = catalogue.names("recipes")
DATASETS = ("cifar10", "cifar10-small", "demo", "imagenet")
OWN = [name for name in catalogue.with_files("recipes") if name in RECIPES and name.split("/")[0] in DATASETS]
GOLDEN = File(__file__).parent / "golden"
BATCH, IMAGES, SIDE = 4, 16, 32
CLOCK = Clock(steps_per_epoch=IMAGES // BATCH, total_steps=10 * IMAGES // BATCH)
# What a set of sixteen images can't fill.
SMALLER = {
    "deepcluster": {"ops.kmeans.k": 3, "ops.reduce.out": 8},
    "deepcluster_v2": {"ops.cluster.k": [3, 3, 4]},
    "pcl": {"ops.cluster.k": [3, 4, 5], "phases.0.from": "0 epochs"},
    "sela": {"ops.solve.classes": 4},
}


@cache
def settled(name: str) -> tuple[SizedGraph, dict[str, tuple[int, int, int]]]:
    """A method in its small recipe, for a batch and a data set of a few images, with the size of each view."""
    method = method_in(load_recipe(f"cifar10-small/{name}", SMALLER.get(name)))
    program = ViewProgram.build(method.spec.views, augmentations(method))
    sizes = {view: (3, *size) for view, size in program.sizes(SIDE, SIDE).items()}
    return sized_graph(wired(method), method, batch=BATCH, dataset=IMAGES, image=(SIDE, SIDE)), sizes


def ready(name: str, *, seed: int = 0) -> CompiledMethod:
    """The method with weights; its passes over the data set have been made, so that every state holds something."""
    method = CompiledMethod(settled(name)[0], seed=seed)
    for phase in method.due_phases(0, CLOCK):
        method.run_phase(phase, [noise(name, start) for start in range(0, IMAGES, BATCH)])
    return method


def noise(name: str, start: int = 0) -> dict[str, Tensor]:
    """A batch of noise whose images are those from `start` on."""
    sized, sizes = settled(name)
    tensors = random_batch(sized, sizes, rows=BATCH)
    return {key: value + start if key.endswith(".index") else value for key, value in tensors.items()}


def one_step(method: CompiledMethod, tensors: dict[str, Tensor], step: int) -> dict[str, Tensor]:
    """Forward, backward for each player, a small move down the gradient, writes and targets."""
    method.begin(step, CLOCK)
    losses, writes = method(tensors)
    for total, parameters in method.player_losses(losses):
        gradients = torch.autograd.grad(total, parameters, retain_graph=True, allow_unused=True)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
    with torch.no_grad():
        for parameter in method.parameters():
            if parameter.grad is not None:
                parameter -= 0.01 * parameter.grad
    method.tick(writes)
    return {key: loss.detach() for key, loss in losses.items()}


# Those for photographs are the methods at their paper's sizes with narrower nets: tests/pipelines/check has them.
# The same holds for the papers' own, whose numbers are refused without a tensor; the test below has them.
@pytest.mark.parametrize("name", [*METHODS, *(n for n in RECIPES if not n.startswith(("photos/", "imagenet/")))])
def test_a_shipped_spec_passes_check_with_a_shape_for_every_value(name: str) -> None:
    found = check.examine(name)
    assert found.sized is not None
    assert all(leg.shapes(value) for leg in found.sized.legs for value in leg.leg.values)


@pytest.mark.parametrize("name", [f"imagenet/{name}" for name in METHODS])
def test_a_papers_recipe_passes_check(name: str) -> None:
    assert check.examine(name, fast=True).sized is None


@pytest.mark.parametrize("name", METHODS)
def test_a_method_names_its_paper_and_has_a_recipe_for_every_data_set(name: str) -> None:
    method = load_method(name).spec
    assert method.paper is not None and method.paper.arxiv and method.family != "other"
    assert {f"{data}/{name}" for data in DATASETS} <= set(RECIPES)


@pytest.mark.parametrize("data", DATASETS)
def test_every_line_of_a_base_changes_some_method(data: str) -> None:
    base = read(catalogue.file_of("recipes", f"{data}/base"))
    for path in base.data.get("set", {}):
        assert any(is_needed(f"{data}/{method}", base.root, "set", path) for method in METHODS), path


@pytest.mark.parametrize("name", OWN)
def test_a_recipe_says_only_what_differs_from_its_base(name: str) -> None:
    root = read(catalogue.file_of("recipes", name)).root
    assert root.content["extends"].plain == f"{name.split('/')[0]}/base"
    for key in root.content.keys() - {"recipe", "extends", "method", "set"}:
        assert is_needed(name, root, key), f"{key}: says what the base says"
    for path in root.plain.get("set", {}):
        assert is_needed(name, root, "set", path), f"{path}: is as without this line"


def is_needed(name: str, text: Value, key: str, path: str = "") -> bool:
    """Whether a recipe says something else without a key of its text, or without a path under that key."""
    whole = {"method": written(name.split("/")[1], text.place), **text.content}  # a base has no method
    less = {word: value for word, value in whole.items() if path or word != key}
    if path:
        left = {inner: value for inner, value in whole[key].content.items() if inner != path}
        less[key] = replace(whole[key], content=left)
    one, other = (Document(File(name), replace(text, content=content)) for content in (whole, less))
    try:
        return recipe_of(one).spec != recipe_of(other).spec
    except SpecError:  # what else the text says needs it
        return True


@pytest.mark.parametrize("name", OWN)
def test_a_recipe_opens_with_what_it_is_its_command_and_what_was_measured(name: str) -> None:
    lines = catalogue.file_of("recipes", name).read_text(encoding="utf-8").splitlines()
    head = "\n".join(line for line in lines if line.startswith("#"))
    folder, method = name.split("/")
    command = f"sslgraph train {method}" if folder == "demo" else f"sslgraph train {name} --data PATH"
    assert lines[0].startswith("# ") and command in head and "Measured: " in head
    assert len(lines) <= 35


@pytest.mark.parametrize("name", METHODS)
def test_the_program_and_the_gradient_map_are_as_they_were_last_read(name: str) -> None:
    text = f"{show.code(name, (), {})}\n\n{show.gradients(name, (), {})}\n"
    file = GOLDEN / f"{name}.py.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), (
        "a change that is meant: UPDATE_GOLDEN=1 pytest tests/test_specs.py"
    )


def test_no_golden_text_is_left_of_a_method_that_is_gone() -> None:
    assert sorted(file.name for file in GOLDEN.iterdir()) == sorted(
        f"{name}{end}" for name in METHODS for end in (".py.txt", ".svg")
    )


@pytest.mark.parametrize("name", METHODS)
def test_each_loss_moves_just_the_nets_that_the_gradient_map_says(name: str) -> None:
    assert_map_is_true(ready(name), noise(name))


@pytest.mark.parametrize("name", METHODS)
def test_a_step_has_finite_losses_moves_every_net_and_its_targets_follow(name: str) -> None:
    method = ready(name)
    before = {key: value.clone() for key, value in method.named_parameters()}
    losses = one_step(method, noise(name), 0)
    assert all(bool(loss.isfinite()) for loss in losses.values()) and losses
    moved = {key.split(".")[1] for key, value in method.named_parameters() if not torch.equal(value, before[key])}
    frozen = {name for name in method.net_names if not any(p.requires_grad for p in method.parts[name].parameters())}
    assert moved == {*method.net_names, *method.graph.method.averages} - frozen
    assert all(p.grad is None for target in method.target_names for p in method.parts[target].parameters())


@pytest.mark.parametrize("name", METHODS)
def test_a_method_read_back_goes_on_to_the_last_bit(name: str) -> None:
    one, other = ready(name), CompiledMethod(settled(name)[0], seed=1)
    for step in range(2):
        one_step(one, noise(name, BATCH * step), step)
    file = io.BytesIO()
    torch.save(one.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    tensors = noise(name)
    for step in (2, 3):
        losses, again = (one_step(method, tensors, step) for method in (one, other))
        assert losses.keys() == again.keys()
        assert all(torch.equal(losses[key], again[key]) for key in losses)
    assert all(torch.equal(value, other.state_dict()[key]) for key, value in one.state_dict().items())


def test_validation_losses_leave_the_queue_of_moco_as_it_is() -> None:
    """Two looks at a validation batch before each of two steps: no row, no pointer and no later loss moves."""
    looked, plain = ready("moco_v2"), ready("moco_v2")
    for step in range(2):
        before, tensors = {key: value.clone() for key, value in looked.state_dict().items()}, noise("moco_v2")
        looked.eval()
        with torch.no_grad():
            one, other = (looked(tensors).losses["info"] for _ in range(2))
        assert torch.equal(one, other)
        assert all(torch.equal(value, before[key]) for key, value in looked.state_dict().items())
        looked.train()
        assert torch.equal(*(one_step(method, tensors, step)["info"] for method in (looked, plain)))
    assert looked.parts["queue"].pointer == 2 * BATCH
    assert torch.equal(looked.parts["queue"].rows, plain.parts["queue"].rows)


def saved(method: CompiledMethod) -> CompiledMethod:
    file = io.BytesIO()
    torch.save(method, file)
    file.seek(0)
    again: CompiledMethod = torch.load(file, weights_only=False)
    return again


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda method: pickle.loads(pickle.dumps(method)), saved])
@pytest.mark.parametrize("name", METHODS)
def test_a_copy_of_a_method_trains_as_it_does_and_apart_from_it(
    name: str, copied: Callable[[CompiledMethod], CompiledMethod]
) -> None:
    method = ready(name)
    one_step(method, noise(name), 0)
    before = {key: value.clone() for key, value in method.state_dict().items()}
    other, tensors = copied(method), noise(name)
    torch.manual_seed(1)
    found = one_step(other, tensors, 1)
    assert all(torch.equal(value, before[key]) for key, value in method.state_dict().items())
    torch.manual_seed(1)
    expected = one_step(method, tensors, 1)
    assert found.keys() == expected.keys() and all(torch.equal(found[key], expected[key]) for key in found)
    assert all(torch.equal(value, other.state_dict()[key]) for key, value in method.state_dict().items())
    assert other.code() == method.code()
