"""Reads a search space: how trials are chosen, and the numbers and the structure in which they differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path as File
from typing import Any

from sslgraph.errors import Fault, SpecError, SslgraphError, raise_all, unknown, words
from sslgraph.read.document import read
from sslgraph.read.located import Value
from sslgraph.read.validate import validated
from sslgraph.read.values import Text

from ..launch.search_points import Axis, Point
from .structure import CHANGES, Change, said, shape_fault

BETWEEN = {"between": "linear", "log": "log", "whole": "whole"}
FORMS = "write a list of values, or {between: [LOW, HIGH]}, {log: [LOW, HIGH]}, {whole: [LOW, HIGH]}"
KNN = "knn"  # of a tenth of the training images among the rest: test images choose nothing


class Search(Text):
    """The text: exactly one of `maximize` and `minimize` names what is looked for."""

    search: str
    maximize: str | None = None
    minimize: str | None = None
    numbers: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it
    structure: list[dict[str, Any]] = []  # noqa: RUF012


@dataclass(frozen=True)
class Number:
    """A number of a recipe or its method, by path; `choices` are its values, else it is between two."""

    path: str
    axis: Axis
    choices: tuple[Any, ...] = ()

    def value(self, at: float) -> Any:
        """What a recipe is given for a point's number."""
        if self.choices:
            return self.choices[int(at)]
        return int(at) if self.axis.scale == "whole" else float(f"{at:.4g}")


@dataclass(frozen=True)
class Variants:
    """A change of the structure that a trial makes in one of several ways, or leaves out (choice 0)."""

    ways: tuple[Change, ...]

    @property
    def axis(self) -> Axis:
        """A choice for each way, and one for none."""
        return Axis(choices=1 + len(self.ways))

    @property
    def title(self) -> str:
        """What it is about, for a figure: the first way, in words."""
        return said(self.ways[0]) + (" or others" if len(self.ways) > 1 else "")


@dataclass(frozen=True)
class Space:
    """A search space; a point of it has a number for each of its numbers, then for each of its variants."""

    title: str
    objective: str
    is_minimized: bool
    numbers: tuple[Number, ...]
    variants: tuple[Variants, ...]
    text: Mapping[str, Any]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """What a searcher sees of it."""
        return (*(number.axis for number in self.numbers), *(some.axis for some in self.variants))

    @property
    def protocol(self) -> str | None:
        """The protocol that the objective is a figure of; None for what training measures."""
        return None if self.objective == KNN else self.objective.partition(".")[0]

    @property
    def figure(self) -> str:
        """The figure's name among the values of the protocol, or of the training."""
        from ..measure.online import CHOOSING

        return CHOOSING if self.objective == KNN else self.objective.partition(".")[2]

    def settings(self, point: Point) -> dict[str, Any]:
        """The numbers of a point by path."""
        return {number.path: number.value(at) for number, at in zip(self.numbers, point, strict=False)}

    def changes(self, point: Point) -> list[Change]:
        """The changes of structure that a point makes."""
        rest = zip(self.variants, point[len(self.numbers) :], strict=True)
        return [some.ways[int(at) - 1] for some, at in rest if at]

    def words(self, point: Point, base: Mapping[str, Any]) -> str:
        """In what a point differs from the base, whose own values are in `base` by path."""
        numbers = [
            f"{path} = {_short(value)}"
            for path, value in self.settings(point).items()
            if path not in base or base[path] != value
        ]
        return "; ".join([*map(said, self.changes(point)), *numbers])


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def objectives() -> tuple[str, ...]:
    """What a search may look for: measures that are made of training images alone."""
    from ..evaluate.protocols import PROTOCOLS  # it brings torch with it, as in _objective_faults

    free = {name: one for name, one in PROTOCOLS.items() if not one.needs_labels and not one.of_places}
    return (KNN, *(f"{name}.{figure.key}" for name, one in free.items() for figure in one.figures))


def load_space(file: str) -> Space:
    """The space that a file writes; SpecError with all that is wrong with it."""
    root, faults = read(File(file)).root, list[Fault]()
    text = validated(Search, root, faults)
    if text is None or faults:
        raise SpecError(faults)
    faults += _objective_faults(root, text)
    numbers = tuple(filter(None, (_number(path, value, root, faults) for path, value in text.numbers.items())))
    variants = []
    for i, change in enumerate(text.structure):
        place = root.nearest(("structure", i)).place
        if problem := shape_fault(change):
            faults.append(Fault(place, problem, CHANGES, "see docs/using.md, Searches"))
        else:
            variants.append(Variants(tuple(_ways(change))))
    if not text.numbers and not text.structure:
        faults.append(Fault(root.place, "this search tries nothing", (), "add numbers: or structure:"))
    raise_all(faults)
    objective = str(text.maximize or text.minimize)
    return Space(text.search, objective, text.minimize is not None, numbers, tuple(variants), root.plain)


def _objective_faults(root: Value, text: Search) -> Iterator[Fault]:
    named = [word for word in ("maximize", "minimize") if getattr(text, word) is not None]
    if len(named) != 1:
        cure = f"write maximize: {KNN}, or maximize: health.rankme, which needs no labels"
        yield Fault(root.place, "a search says either maximize: or minimize:", objectives(), cure)
    for word in named:
        asked, place = getattr(text, word), root.nearest((word,)).place
        if asked == KNN or asked in objectives():
            continue
        from ..evaluate.protocols import PROTOCOLS

        fault = unknown(place, f"{word}: there is no measure", asked, objectives())
        name, known = asked.partition(".")[0], PROTOCOLS.get(asked.partition(".")[0])
        if (known is not None and (known.needs_labels or known.of_places)) or (name != KNN and name.startswith(KNN)):
            fault = Fault(
                place, f"{word}: {asked} is measured on test images, which choose nothing", objectives(),
                f"{KNN} is nearest neighbours of a tenth of the training images among the rest",
            )  # fmt: skip
        yield fault


def _number(path: str, value: Any, root: Value, faults: list[Fault]) -> Number | None:
    place = root.nearest(("numbers", path)).place
    if isinstance(value, list) and value:
        return Number(path, Axis(choices=len(value)), tuple(value))
    form = next(iter(value)) if isinstance(value, dict) and len(value) == 1 else ""
    ends = value[form] if form in BETWEEN else None
    if not isinstance(ends, list) or len(ends) != 2 or not all(map(_is_number, ends)):
        problem = f"'{path}' must be a list of values or two ends, not {words(value)}"
        faults.append(Fault(place, problem, (), FORMS))
        return None
    low, high = ends
    if problem := _ends_fault(form, low, high):
        faults.append(Fault(place, f"'{path}': {problem}", (), FORMS))
        return None
    return Number(path, Axis(low=low, high=high, scale=BETWEEN[form]))  # type: ignore[arg-type]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _ends_fault(form: str, low: float, high: float) -> str:
    if low >= high:
        return f"{low:g} is not below {high:g}"
    if form == "log" and low <= 0:
        return f"a logarithmic scale begins above 0, and this one at {low:g}"
    if form == "whole" and not (float(low).is_integer() and float(high).is_integer()):
        return "whole: takes whole numbers"
    return ""


def _ways(change: Mapping[str, Any]) -> Iterator[Change]:
    """A change without lists of parts: one for each combination of what is swapped in."""
    swapped = change.get("swap") or {}
    several = [value if isinstance(value, list) else [value] for value in swapped.values()]
    for some in product(*several):
        yield {**change, "swap": dict(zip(swapped, some, strict=True))} if swapped else dict(change)


def refuse_unfit(space: Space, sound: Callable[[Point], object], text: Callable[[Point], object]) -> None:
    """Refuses numbers that the base can't have, and changes that it has no place for, each by itself.

    `text` makes the text of a point, and `sound` checks it, too. A change that makes no method by itself may make one
    together with another.
    """
    base = tuple(axis.low if not axis.choices else 0 for axis in space.axes)
    for i, axis in enumerate(space.axes):
        for at in range(1, axis.choices) if axis.choices else (axis.high,):
            point = (*base[:i], at, *base[i + 1 :])
            try:
                (sound if i < len(space.numbers) else text)(point)
            except SslgraphError as wrong:
                raise SslgraphError(f"{space.title}: {space.words(point, {}) or 'the base'}: {wrong}") from wrong
