"""Real images beside every view that training makes of them, with the random parameters of each view."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from sslgraph import draws
from sslgraph.checked import BATCH, SOURCE, augmentations, sized_graph, wired
from sslgraph.errors import SslgraphError
from sslgraph.read.loaded import Loaded
from sslgraph.read.spec import Augmentation, Method
from sslgraph.views.overrides import is_normalization, resolve
from sslgraph.views.views import Painting, Steps, ViewProgram

from ..feed.feed import Source
from .op_pictures import OpPictures, within

Box = tuple[float, float, float, float]
Undo = Callable[[Tensor], Tensor]


@runtime_checkable
class Telling(Protocol):
    """A step of colour that can say what it drew: for each row that it touches, its changes one by one."""

    def in_words(self, *plan: Tensor) -> dict[int, tuple[str, ...]]: ...


@dataclass(frozen=True)
class Cell:
    """One picture of a sheet: what the network is given, the same for the eye, and what was drawn to make it.

    `box` is left, top, right, bottom in fractions of the source; None for what an op made. `view` numbers the colour.
    """

    title: str
    seen: Float[Tensor, "channels height width"]
    pixels: Float[Tensor, "channels height width"]
    lines: tuple[str, ...]
    view: int
    box: Box | None = None


@dataclass(frozen=True)
class Sample:
    """An image of the data set and all that is made of it."""

    index: int
    label: str
    source: UInt8[Tensor, "channels height width"]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Sheet:
    """Samples of a data set under the views of a method, as training draws them in an epoch under a seed."""

    method: str
    data: str
    seed: int
    epoch: int
    samples: tuple[Sample, ...]

    @property
    def words(self) -> str:
        """What the sheet shows."""
        images = f"{len(self.samples)} images of {self.data}"
        return f"{self.method}: the views of {images}, seed {self.seed}, epoch {self.epoch}"


def contact_sheet(
    loaded: Loaded[Method],
    source: Source,
    *,
    data: str,
    count: int = 4,
    seed: int = 0,
    epoch: int = 0,
    batch: int = BATCH,
    plugins: tuple[str, ...] = (),
) -> Sheet:
    """A sheet of `count` images evenly spaced over the source; `batch` is that of training, for ops that depend on it.

    Views come from the program that feeds training, image by image: a sample's views do not depend on its batch.
    """
    if count < 1:
        raise SslgraphError(f"a sheet of {count} images shows nothing; ask for 1 or more")
    maker = _Maker(loaded, source, batch, plugins)
    wanted = torch.arange(min(count, len(source))) * len(source) // min(count, len(source))
    images, really = source.read(wanted)
    labels = source.labels
    samples = []
    for row, index in enumerate(really.tolist()):
        try:
            cells = tuple(maker.cells(images[row : row + 1], really[row : row + 1], seed, epoch))
        except (ValueError, RuntimeError) as wrong:  # a part that can't take an image of this size says so
            raise SslgraphError(f"the views of image {index} can't be made: {wrong}") from wrong
        label = "" if labels is None else class_name(source.classes, int(labels[index]))
        samples.append(Sample(index, label, images[row], cells))
    return Sheet(loaded.spec.method, data, seed, epoch, tuple(samples))


class _Maker:
    """The program of the views, watched, and the ops that follow them directly."""

    def __init__(self, loaded: Loaded[Method], source: Source, batch: int, plugins: tuple[str, ...]) -> None:
        found = augmentations(loaded, plugins)
        (first, *_), _ = source.read(torch.zeros(1, dtype=torch.long))
        sized = sized_graph(
            wired(loaded, plugins), loaded, batch=batch, dataset=len(source), image=source.size or SOURCE,
            channels=len(first), plugins=plugins,
        )  # fmt: skip
        self.program, self.watched = _watched(ViewProgram.build(loaded.spec.views, found))
        self.undo = undoing(loaded, found)
        self.ops = OpPictures(sized, plugins)

    def cells(self, image: Tensor | list[Tensor], index: Tensor, seed: int, epoch: int) -> Iterator[Cell]:
        """All pictures of one image."""
        batch = self.program(image, index, seed=seed, epoch=epoch)
        height, width = image[0].shape[1:]
        for number, (name, steps) in enumerate(self.program.views.items()):
            told = [step.told() for step in self.watched[name]]
            for copy in range(steps.copies):
                seen = batch[f"{name}.image"][copy]
                box: Any = tuple(batch[f"{name}.box"][copy].tolist())
                place = where(box, bool(batch[f"{name}.flip"][copy]), height, width)
                lines = (*place, *(line for step in told for line in step.get(copy, ())))
                title = name if steps.copies == 1 else f"{name} {copy + 1}"
                yield Cell(title, seen, within(self.undo[name](seen)), lines, number, box)
        batch["draw"] = draws.keyed(seed, epoch, index)
        batch["clock"] = torch.tensor([seed, epoch, 0])
        names = list(self.program.views)
        for made in self.ops.of(batch, self.undo):
            yield Cell(made.title, made.seen, made.pixels, made.lines, names.index(made.view))


class _Watched:
    """A step of colour, unchanged, whose last plan is remembered."""

    def __init__(self, name: str, step: Painting) -> None:
        self.name, self.step = name, step
        self._plan: tuple[Tensor, ...] = ()

    def plan(self, draw: draws.Draw) -> tuple[Tensor, ...]:
        self._plan = self.step.plan(draw)
        return self._plan

    def __call__(self, images: Tensor, *parameters: Tensor) -> Tensor:
        return self.step(images, *parameters)

    def told(self) -> dict[int, tuple[str, ...]]:
        """What was drawn for each row, in the step's own words; its bare numbers if it has no words."""
        if isinstance(self.step, Telling):
            return self.step.in_words(*self._plan)
        numbers = [value for value in self._plan if value.ndim == 1]
        rows = min((len(value) for value in numbers), default=0)
        return {row: (f"{self.name} {', '.join(f'{float(v[row]):.3g}' for v in numbers)}",) for row in range(rows)}


def _watched(program: ViewProgram) -> tuple[ViewProgram, dict[str, list[_Watched]]]:
    """The same program, whose steps of colour can be asked what they drew."""
    views: dict[str, Steps] = {}
    watched: dict[str, list[_Watched]] = {}
    for name, steps in program.views.items():
        seen = {key: _Watched(key, step) for key, step in steps.steps.items() if not hasattr(step, "place")}
        views[name] = replace(steps, steps={key: seen.get(key, step) for key, step in steps.steps.items()})
        watched[name] = list(seen.values())
    return ViewProgram(views), watched


def undoing(loaded: Loaded[Method], augmentations: Mapping[str, Augmentation]) -> dict[str, Undo]:
    """For each view what takes its values back to 0..1: the inverse of a normalisation that is its last step."""
    found: dict[str, Undo] = {}
    for name, program in ViewProgram.build(loaded.spec.views, augmentations).views.items():
        last = list(resolve({name: loaded.spec.views[name]}, augmentations)[name].values())[-1]
        step: Any = list(program.steps.values())[-1]
        found[name] = _denormalised(step.mean, step.std) if is_normalization(last) else lambda image: image
    return found


def _denormalised(mean: tuple[float, ...], std: tuple[float, ...]) -> Undo:
    return lambda image: image * torch.tensor(std)[:, None, None] + torch.tensor(mean)[:, None, None]


def where(box: Box, is_flipped: bool, height: int, width: int) -> tuple[str, ...]:
    """Where a view looks, in words: share of the area and width / height of its crop, or by how far it is moved."""
    left, top, right, bottom = box
    across, down = (right - left) * width, (bottom - top) * height
    area = (right - left) * (bottom - top)
    flipped = ("flipped",) if is_flipped else ()
    if abs(area - 1) > 1e-4:
        return (f"crop {area:.0%}, ratio {across / down:.2f}", *flipped)
    if max(abs(left), abs(top)) < 1e-4:
        return ("whole image", *flipped)
    return (f"moved {left * width:+.0f}, {top * height:+.0f} px", *flipped)


def file_name(source: Source, index: int) -> str:
    """The name of an image's file; "" for images that share a file."""
    called = getattr(source, "name", None)
    found = PurePath(str(called(index))).name if called else ""
    return found if PurePath(found).suffix else ""


def class_name(classes: tuple[str, ...], label: int) -> str:
    """A class's name; its number if it has none; "" for no class."""
    if label < 0:
        return ""
    return classes[label] if label < len(classes) else f"class {label}"
