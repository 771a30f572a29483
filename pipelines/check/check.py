"""Checks everything about a method or a recipe that needs no data and no GPU."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

from sslgraph.checked import BATCH, IMAGES, SOURCE, known_settings, sized_graph, wired, within
from sslgraph.errors import Fault, SpecError, raise_all, together, unknown
from sslgraph.lint import Facts, Finding, lint
from sslgraph.parts import registry
from sslgraph.read import catalogue
from sslgraph.read.document import read
from sslgraph.read.load import load_method, load_recipe
from sslgraph.read.loaded import Loaded, UnsoundError, method_in
from sslgraph.read.plugins import allowed
from sslgraph.read.spec import Data, Method, Recipe
from sslgraph.wire.gradients import GradientMap, gradient_map
from sslgraph.wire.graph import Box, Graph, NetBox

from ..optimize import settings as optimizer_settings
from ..storage import provenance
from . import wishes

if TYPE_CHECKING:
    from sslgraph.settle.sized import SizedGraph


@dataclass(frozen=True)
class Examination:
    """What a check found: the wired method, its gradient map, the linter's warnings; with shapes, the sized graph."""

    name: str
    graph: Graph
    gradients: GradientMap
    findings: tuple[Finding, ...]
    weights: tuple[str, ...]  # what is said of weights that nets begin with
    sized: SizedGraph | None
    seconds: float


def examine(
    name_or_file: str,
    *,
    fast: bool = False,
    imports: bool = True,
    plugins: tuple[str, ...] = (),
    overrides: Mapping[str, Any] | None = None,
) -> Examination:
    """Checks a method or a recipe by name or file; raises SpecError with all faults.

    `fast` stops before shapes. Torch is then imported only by a plugin whose text leaves its ports open, and only if
    `imports`.
    """
    start = time.perf_counter()
    known: tuple[Fault, ...] = ()
    try:
        loaded, recipe = load(name_or_file, overrides or {})
    except UnsoundError as wrong:
        (loaded, recipe), known = _parts_of(wrong.without), wrong.faults
    plugins = allowed_in(recipe or loaded, plugins)
    graph = sound(loaded, recipe, plugins, imports=imports, known=known)
    batch, channels = (recipe.spec.batch, recipe.spec.data.image_channels) if recipe else (BATCH, 3)
    sized = None if fast else sized_graph(graph, loaded, batch=batch, channels=channels, plugins=plugins)
    findings = lint(graph, _tried(_facts(recipe, plugins), sized, plugins))
    said = _weights(sized, recipe.spec.given if recipe else {}) if sized else ()
    return Examination(name_or_file, graph, gradient_map(graph), findings, said, sized, time.perf_counter() - start)


def sound(
    method: Loaded[Method], recipe: Loaded[Recipe] | None, plugins: tuple[str, ...] = (), *, imports: bool = True,
    known: Iterable[Fault] = (),
) -> Graph:  # fmt: skip
    """The wired method of a text in which nothing is wrong that needs no tensor to be seen; all faults at once."""
    checks = [lambda: wired(method, plugins, imports=imports)]
    if recipe is None:
        return together(*checks, known=known)[0]  # type: ignore[no-any-return]
    of_recipe = [lambda: numbers(recipe, plugins), lambda: wishes.refuse(recipe)]
    graph: Graph = together(*checks, *of_recipe, known=known)[0]
    together(lambda: spreading(recipe, graph), lambda: comparing(recipe, graph))
    return graph


def sized_recipe(
    loaded: Loaded[Recipe], plugins: tuple[str, ...], *, images: int = IMAGES, size: tuple[int, int] | None = None
) -> SizedGraph:
    """The method of a recipe for so many images of a (height, width), None if they differ or nobody knows it."""
    recipe, method = loaded.spec, method_in(loaded)
    return sized_graph(
        wired(method, plugins), method, batch=recipe.batch, dataset=images, image=size or SOURCE,
        channels=recipe.data.image_channels, plugins=plugins,
    )  # fmt: skip


def allowed_in(loaded: Loaded[Method] | Loaded[Recipe], given: Sequence[str] = ()) -> tuple[str, ...]:
    """The modules that may run: those given and the recipe's. They are beside the text, or beside that of its run."""
    return allowed(given, loaded, folders=provenance.plugin_folders(loaded.file))


def numbers(loaded: Loaded[Recipe], plugins: tuple[str, ...] = ()) -> None:
    """Refuses data and an optimizer that can't be: unknown parts, settings and rules. Nothing is read or built."""
    data = loaded.spec.data

    def of_data() -> None:
        with within(loaded, ("data",)):
            known_settings(_asked_of(data, plugins), plugins)

    def of_optimizer() -> None:
        with within(loaded, ("optimizer",)):
            optimizer_settings.read(loaded.spec.optimizer, plugins)

    together(of_data, of_optimizer)


def _asked_of(data: Data, plugins: tuple[str, ...]) -> Data:
    """The data with the split that every source is asked for, where an own class can't be built without one."""
    if ":" not in data.use or not registry.is_allowed(data.use.partition(":")[0], plugins):
        return data
    split = registry.signature(data.use, plugins).settings.get("split")
    return data if split is None else Data(use=data.use, settings={"split": "train", **data.settings})


def comparing(loaded: Loaded[Recipe], graph: Graph) -> None:
    """Refuses a batch that accumulation can't divide, or that leaves a single image where images are compared."""
    recipe = loaded.spec
    if recipe.batch % recipe.accumulate:
        problem = f"accumulate: {recipe.accumulate} does not divide a batch of {recipe.batch} images"
        raise SpecError([Fault(("accumulate",), problem, (), "choose a divisor of batch").placed(loaded.place)])
    splits(loaded, graph)
    boxes = [graph.boxes[value.box] for value in graph.training.values.values() if value.box]
    compared = next((box for box in boxes if _compares(box)), None)
    if recipe.batch // recipe.accumulate > 1 or compared is None:
        return
    key, size = ("batch", 1) if recipe.batch == 1 else ("accumulate", recipe.accumulate)
    what = f"'{compared.name}' ({compared.use}) compares images"
    problem = f"{key}: {size} gives the nets one image at a time, and {what}"
    cure = "write batch: 2 or more" if recipe.batch == 1 else f"write accumulate: {recipe.batch // 2} or less"
    raise SpecError([Fault((key,), problem, (), cure).placed(loaded.place)])


def splits(loaded: Loaded[Recipe], graph: Graph) -> None:
    """Refuses a batch that a net's groups of BatchNorm can't share evenly, two images or more for each."""
    size = loaded.spec.batch // loaded.spec.accumulate
    faults = []
    for name, box in graph.boxes.items():
        count = box.spec.norm_splits if isinstance(box, NetBox) else 1
        if count > 1 and (size % count or size < 2 * count):
            problem = f"nets.{name}.norm_splits: {count} can't share {size} images evenly, two or more for each"
            faults.append(Fault(("batch",), problem, (), f"write a batch that {count} divides, or fewer splits"))
    raise_all(faults, loaded.place)


def _compares(box: Box) -> bool:
    return box.traits.spans_batch or bool(box.traits.agrees[0] or box.traits.repels)


def spreading(loaded: Loaded[Recipe], graph: Graph) -> None:
    """Refuses a `strategy` or a `recompute` that this method can't have."""
    recipe, faults = loaded.spec, []
    nets = sorted(name for name, box in graph.boxes.items() if box.section == "nets")
    for name in recipe.recompute:
        if name not in nets:
            faults.append(unknown(("recompute",), "recompute: there is no net", name, nets))
    if recipe.strategy == "fsdp":
        if any(graph.loss(loss.name).spec.trains for loss in graph.training.losses):
            problem = "strategy: fsdp can't train nets against each other (a loss says trains:)"
            faults.append(
                Fault(("strategy",), problem, cure="leave strategy out: every process then holds all weights")
            )
        if recipe.compile:
            problem = "strategy: fsdp and compile: true can't be combined: weights are gathered between the calls"
            faults.append(Fault(("strategy",), problem, cure="leave one of them out"))
    raise_all(faults, loaded.place)


def load(name_or_file: str, overrides: Mapping[str, Any]) -> tuple[Loaded[Method], Loaded[Recipe] | None]:
    """A method, or a recipe with its method, by name or file."""
    is_method = catalogue.has("methods", name_or_file)
    if catalogue.is_file(name_or_file):
        is_method = read(catalogue.file_of("methods", name_or_file)).kind == "method"
    if is_method:
        return _parts_of(load_method(name_or_file, overrides=overrides))
    return _parts_of(load_recipe(name_or_file, overrides))


def _parts_of(loaded: Loaded[Any]) -> tuple[Loaded[Method], Loaded[Recipe] | None]:
    return (method_in(loaded), loaded) if isinstance(loaded.spec, Recipe) else (loaded, None)


def _weights(sized: SizedGraph, names: Mapping[str, str]) -> tuple[str, ...]:
    """What is said of the weights that nets begin with; refuses those that are not there or do not fit."""
    if all(box.spec.weights is None for box in sized.graph.boxes.values() if isinstance(box, NetBox)):
        return ()
    from ..weights.given import given  # torch comes only where there is something to read

    return given(sized, names, is_check=True).said


def _tried(facts: Facts, sized: SizedGraph | None, plugins: tuple[str, ...]) -> Facts:
    """With what parts from elsewhere do when they are run."""
    if sized is None or all(box.signature.family != "plugin" for box in sized.graph.boxes.values()):
        return facts
    from sslgraph.settle.own_parts import dead_lines, flattened_views, mixed_images

    return replace(
        facts, dead=dead_lines(sized, plugins), mixed=mixed_images(sized, plugins), flattened=flattened_views(sized)
    )


def _facts(recipe: Loaded[Recipe] | None, plugins: tuple[str, ...]) -> Facts:
    if recipe is None:
        return Facts()
    text = recipe.spec
    read = optimizer_settings.read(text.optimizer, plugins)
    paces = {net: optimizer_settings.pace(read, net, batch=text.batch) for net in text.method.nets}
    return Facts(batch=text.batch, epochs=text.epochs, steps=text.steps, accumulate=text.accumulate, paces=paces)


def method_file(name_or_file: str) -> File:
    """The file of a name."""
    kind: catalogue.Kind = "methods" if catalogue.has("methods", name_or_file) else "recipes"
    return catalogue.file_of(kind, name_or_file)
