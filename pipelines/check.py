"""Everything that can be found wrong with a method or a recipe before any data is read and any GPU is used."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

from sslgraph import catalogue, registry
from sslgraph.document import read
from sslgraph.errors import Fault, Place, SpecError, SslgraphError, unknown
from sslgraph.gradients import GradientMap, gradient_map
from sslgraph.graph import Graph
from sslgraph.lint import Facts, Finding, lint
from sslgraph.load import load_augmentation, load_method, load_recipe
from sslgraph.loaded import Loaded, method_in
from sslgraph.refusals import refuse
from sslgraph.spec import Augmentation, Method, Path, Recipe
from sslgraph.wire import wire

from .optimizers import settings as optimizer_settings

if TYPE_CHECKING:
    from sslgraph.sized import SizedGraph

IMAGES = 10_000  # of a data set where none is named
BATCH = 256  # images; only shapes that depend on the batch (a queue's divisibility) see it
SOURCE = (512, 512)  # height and width of the image that views are cut from where no data set is named


@dataclass(frozen=True)
class Examination:
    """What a check found: the wired method, its gradient map, the linter's warnings; with shapes, the sized graph."""

    name: str
    graph: Graph
    gradients: GradientMap
    findings: tuple[Finding, ...]
    sized: SizedGraph | None
    seconds: float


def examine(
    name_or_file: str, *, fast: bool = False, plugins: tuple[str, ...] = (), overrides: Mapping[str, Any] | None = None
) -> Examination:
    """Checks a method or a recipe by name or file; raises SpecError with all faults. `fast` stops before torch."""
    start = time.perf_counter()
    loaded, recipe = load(name_or_file, overrides or {})
    allowed = (*plugins, *(recipe.spec.plugins if recipe else ()))
    graph = wired(loaded, allowed)
    if recipe:
        numbers(recipe, allowed)
        spreading(recipe, graph)
    findings = lint(graph, _facts(recipe))
    sized = (
        None if fast else sized_graph(graph, loaded, batch=recipe.spec.batch if recipe else BATCH, plugins=allowed)
    )
    return Examination(name_or_file, graph, gradient_map(graph), findings, sized, time.perf_counter() - start)


def wired(loaded: Loaded[Method], plugins: tuple[str, ...] = ()) -> Graph:
    """The graph of a method, with everything that is never meant refused."""
    graph = wire(loaded.spec, loaded.place, plugins)
    refuse(graph)
    augmentations(loaded)
    return graph


def sized_graph(
    graph: Graph,
    loaded: Loaded[Method],
    *,
    batch: int,
    dataset: int = IMAGES,
    image: tuple[int, int] = SOURCE,
    plugins: tuple[str, ...] = (),
) -> SizedGraph:
    """The settled graph for source images of a height and width; a view that can't be made is a fault of the spec."""
    from sslgraph.settle import settle

    from .views import ViewProgram

    found = augmentations(loaded)
    try:
        sizes = ViewProgram.build(loaded.spec.views, found).sizes(*image)
    except SpecError as wrong:
        raise SpecError([_placed(fault, loaded) for fault in wrong.faults]) from None
    return settle(
        graph, {name: (3, *size) for name, size in sizes.items()}, batch=batch, dataset=dataset, plugins=plugins
    )


def numbers(loaded: Loaded[Recipe], plugins: tuple[str, ...] = ()) -> None:
    """Refuses data and an optimizer that can't be: unknown parts, settings and rules. Nothing is read or built."""
    data = loaded.spec.data
    with within(loaded, ("data",)):
        if wrong := registry.setting_problems(registry.signature(data.use, plugins), data.settings):
            raise SpecError([Fault(None, problem) for problem in wrong])
    with within(loaded, ("optimizer",)):
        optimizer_settings.read(loaded.spec.optimizer)


def spreading(loaded: Loaded[Recipe], graph: Graph) -> None:
    """Refuses a `strategy` or a `recompute` that this method can't have."""
    recipe, faults = loaded.spec, []
    nets = sorted(name for name, box in graph.boxes.items() if box.section == "nets")
    for name in recipe.recompute:
        if name not in nets:
            faults.append(unknown(loaded.place(("recompute",)), "recompute: names net", name, nets))
    if recipe.strategy == "fsdp":
        here = loaded.place(("strategy",))
        if any(graph.loss(loss.name).spec.trains for loss in graph.training.losses):
            problem = "strategy: fsdp can't train nets against each other (a loss says trains:)"
            faults.append(Fault(here, problem, cure="leave strategy out: every process then holds all weights"))
        if recipe.compile:
            problem = "strategy: fsdp and compile: true can't stand together: weights are gathered between the calls"
            faults.append(Fault(here, problem, cure="leave one of them out"))
    if faults:
        raise SpecError(faults)


@contextmanager
def within(loaded: Loaded[Method] | Loaded[Recipe], path: Path) -> Iterator[None]:
    """Gives every fault inside its place in the text: that of the value at a path, or of the key that it quotes."""
    try:
        yield
    except SslgraphError as wrong:
        faults = wrong.faults if isinstance(wrong, SpecError) else (Fault(None, str(wrong)),)
        raise SpecError(
            [replace(fault, place=fault.place or _quoted(loaded, path, fault)) for fault in faults]
        ) from wrong


def _quoted(loaded: Loaded[Method] | Loaded[Recipe], path: Path, fault: Fault) -> Place:
    value = loaded.text.nearest(path)
    keys = value.content if isinstance(value.content, dict) else {}
    key = next((key for key in keys if f"'{key}'" in fault.problem), None)
    return loaded.place(path if key is None else (*path, key))


def augmentations(loaded: Loaded[Method]) -> dict[str, Augmentation]:
    """The augmentation of every view by name, and the evaluation's `center`; unknown ones are faults at their place."""
    found, faults = {}, []
    for view, spec in loaded.spec.views.items():
        try:
            found[spec.augment] = load_augmentation(spec.augment).spec
        except SpecError as wrong:
            here = loaded.place(("views", view, "augment"))
            faults += [replace(fault, place=fault.place or here) for fault in wrong.faults]
    if faults:
        raise SpecError(faults)
    return {**found, "center": load_augmentation("center").spec}


def load(name_or_file: str, overrides: Mapping[str, Any]) -> tuple[Loaded[Method], Loaded[Recipe] | None]:
    """A method, or a recipe with its method, by name or file."""
    is_method = catalogue.has("methods", name_or_file)
    if catalogue.is_file(name_or_file):
        is_method = read(catalogue.file_of("methods", name_or_file)).kind == "method"
    if is_method:
        return load_method(name_or_file, overrides=overrides), None
    recipe = load_recipe(name_or_file, overrides)
    return method_in(recipe), recipe


def _facts(recipe: Loaded[Recipe] | None) -> Facts:
    if recipe is None:
        return Facts()
    text = recipe.spec
    return Facts(batch=text.batch, epochs=text.epochs, steps=text.steps, accumulate=text.accumulate)


def _placed(fault: Fault, loaded: Loaded[Method]) -> Fault:
    """The view program knows no file: its faults name the view in quotes, and get that view's place."""
    view = next((name for name in loaded.spec.views if f"view '{name}'" in fault.problem), None)
    return replace(fault, place=fault.place or _quoted(loaded, ("views", view) if view else ("views",), fault))


def method_file(name_or_file: str) -> File:
    """The file that a name stands for."""
    kind: catalogue.Kind = "methods" if catalogue.has("methods", name_or_file) else "recipes"
    return catalogue.file_of(kind, name_or_file)
