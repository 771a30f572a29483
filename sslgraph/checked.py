"""A loaded method, wired and sized; everything that can only be a mistake is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sslgraph.errors import LINE, Fault, Path, SpecError, placed, raise_all, together, under
from sslgraph.parts import registry
from sslgraph.parts.arguments import setting_faults
from sslgraph.read import catalogue
from sslgraph.read.load import load_augmentation
from sslgraph.read.loaded import Loaded
from sslgraph.read.spec import Augmentation, Data, Method, Part, Recipe
from sslgraph.views.overrides import resolve
from sslgraph.wire.graph import Graph
from sslgraph.wire.refuse import refuse
from sslgraph.wire.wire import wire

if TYPE_CHECKING:
    from sslgraph.settle.sized import SizedGraph

IMAGES = 10_007  # of a data set where none is named; a prime, so that pictures take no width for it
BATCH = 256  # images; only shapes that depend on the batch (a queue's divisibility) see it
SOURCE = (512, 512)  # height and width of the image that views are cut from where no data set is named


def wired(loaded: Loaded[Method], plugins: tuple[str, ...] = (), *, imports: bool = True) -> Graph:
    """The graph of a method, with everything that is never meant refused: all faults of wiring and views at once.

    Of a text with lines that can't be read, nothing is said of what only those lines may have.
    """
    unread = [LINE, *lost] if (lost := _unread(loaded)) else []
    try:
        graph: Graph = together(
            lambda: wire(loaded.spec, loaded.place, plugins, imports=imports), lambda: steps(loaded, plugins)
        )[0]
        refuse(graph)
    except SpecError as wrong:
        raise SpecError([fault for fault in wrong.faults if fault.missing not in unread]) from wrong
    return graph


def _unread(loaded: Loaded[Method]) -> list[str]:
    """The names of a text that its spec does not have, because something is wrong with them."""
    text = loaded.text.plain
    sections = ("views", "nets", "targets", "state", "ops", "flow", "losses")
    written = {section: text.get(section) for section in sections if isinstance(text.get(section), dict)}
    return [name for section, names in written.items() for name in names if name not in getattr(loaded.spec, section)]


def steps(loaded: Loaded[Method], plugins: tuple[str, ...] = ()) -> dict[str, dict[str, Part]]:
    """The steps of every view with its own settings; those that an augmentation does not take are faults."""
    with placed(loaded.place):
        return resolve(loaded.spec.views, augmentations(loaded, plugins))


def sized_graph(
    graph: Graph,
    loaded: Loaded[Method],
    *,
    batch: int,
    dataset: int = IMAGES,
    image: tuple[int, int] = SOURCE,
    channels: int = 3,
    plugins: tuple[str, ...] = (),
) -> SizedGraph:
    """The settled graph for source images of a height and width; a view that can't be made is a fault of the spec."""
    from sslgraph.settle.settle import settle
    from sslgraph.views.views import ViewProgram, evaluation_view

    with placed(loaded.place):
        steps, views = augmentations(loaded, plugins), loaded.spec.views
        program = ViewProgram.build(views, steps)
        program.refuse(channels)
        sizes = program.sizes(*image)
        (seen,) = evaluation_view(views, steps, like=graph.seen).sizes(*image).values()
    images = {name: (channels, *size) for name, size in sizes.items()}
    return settle(graph, images, batch=batch, dataset=dataset, plugins=plugins, seen=(channels, *seen))


def augmentations(loaded: Loaded[Method], plugins: tuple[str, ...] = ()) -> dict[str, Augmentation]:
    """The augmentation of every view by name, and that of the evaluation; unknown ones are faults at their place."""
    found: dict[str, Augmentation] = {}
    faults: list[Fault] = []
    for view, spec in loaded.spec.views.items():
        try:
            with within(loaded, ("views", view, "augment")):
                found[spec.augment] = _augmentation(spec.augment, plugins)
        except SpecError as wrong:
            faults += wrong.faults
    raise_all(faults)
    return {**found, catalogue.EVALUATION: load_augmentation(catalogue.EVALUATION).spec}


def _augmentation(name_or_file: str, plugins: tuple[str, ...]) -> Augmentation:
    loaded = load_augmentation(name_or_file)
    for step, part in loaded.spec.steps.items():
        with within(loaded, ("steps", step)):
            known_settings(part, plugins)
    return loaded.spec


def known_settings(part: Part | Data, plugins: tuple[str, ...] = ()) -> None:
    """Refuses a part that there is not, and settings that it does not have."""
    with under("use"):
        signature = registry.signature(part.use, plugins)
    if faults := setting_faults(signature, part.settings):
        raise SpecError(faults)


@contextmanager
def within(loaded: Loaded[Method] | Loaded[Recipe] | Loaded[Augmentation], path: Path) -> Iterator[None]:
    """Faults that arise inside are about the value at a path of the text, or about what they name below it."""
    with placed(loaded.place), under(*path):
        yield
