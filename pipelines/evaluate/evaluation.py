"""What was measured of a run: its figures, the file that keeps them, and their table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from math import isfinite
from pathlib import Path

from rich.table import Table

from sslgraph.errors import SslgraphError
from sslgraph.files import whole_file
from sslgraph.files.write_whole import reason

from ..measure.cues import Cues
from ..measure.shortcuts import Pretext
from ..record.display import plain_table
from . import labelled_places, protocols
from .protocols import Figure, Values

FILE = "evaluation.json"


@dataclass(frozen=True)
class Evaluation:
    """The trained encoder, the same one before training, and the pixels themselves, all on the same images.

    `trained`, `random` and `pixels` map a protocol to its values; `settings` says of each protocol what it does. `on`
    is another set of images than the run's own; "" if they are its own.
    """

    method: str
    step: int
    bank: int
    queries: int
    begun: str
    on: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    trained: Mapping[str, Values] = field(default_factory=dict)
    random: Mapping[str, Values] = field(default_factory=dict)
    pixels: Mapping[str, Values] = field(default_factory=dict)
    supervised: Mapping[str, Values] = field(default_factory=dict)  # the same net trained on labels, where it is there
    segmentation: labelled_places.Segmented | None = None
    pretext: tuple[Pretext, ...] = ()
    cues: tuple[Cues, ...] = ()
    notes: tuple[str, ...] = ()  # what a reader of the figures must know

    @property
    def sides(self) -> dict[str, Mapping[str, Values]]:
        """The figures of each encoder under what tables call it; of the supervised one where it is there."""
        found = {"trained": self.trained, self.begun: self.random, "raw pixels": self.pixels}
        return {**found, "supervised": self.supervised} if self.supervised else found


def with_others(result: Evaluation, file: Path) -> Evaluation:
    """The same with what the file says of this step and these images by other protocols."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(file.read_text(encoding="utf-8"))
        if all(kept[name] == getattr(result, name) for name in ("method", "step", "bank", "queries", "on")):
            others = {name: kept.get(name, {}) for name in ("settings", "trained", "random", "pixels", "supervised")}
            places = kept["segmentation"]
            found = None if places is None else labelled_places.read(places)
            notes = (*result.notes, *(left_out(file, name) for name in others["trained"] if not figures_of(name)))
            return replace(result, **others, segmentation=found, notes=notes)
    return result


def figures_of(name: str) -> tuple[Figure, ...]:
    """What a protocol gives; nothing of one that a file knows and that is there no more."""
    try:
        return protocols.protocol(name).figures
    except SslgraphError:
        return ()


def left_out(file: Path, name: str) -> str:
    """What a reader is told of figures that no protocol explains."""
    return f"{file}: the protocol {name} is there no more, so its figures are left out"


def measured(values: Iterable[float | None]) -> list[float]:
    """Those that are numbers: what came out infinite or as none counts as not measured."""
    return [value for value in values if value is not None and isfinite(value)]


def written(result: Evaluation, file: Path) -> Evaluation:
    """The figures, kept in the file; they are what was asked for, so a disk that refuses them is a note."""
    try:
        whole_file.put_json(file, asdict(result))
    except OSError as problem:
        note = f"{file} was not written: {reason(problem)}"
        return result if note in result.notes else replace(result, notes=(*result.notes, note))
    return result


def table(result: Evaluation) -> Table:
    """A row for each figure of each protocol: the trained encoder beside the baselines; `settings` says how."""
    counts = f"{result.bank:,} training and {result.queries:,} test images"
    title = f"{result.method}, step {result.step}: {counts}{f' of {result.on}' if result.on else ''}"
    sides, rows = result.sides, list[tuple[str, ...]]()
    for name, values in result.trained.items():
        for i, figure in enumerate(figures_of(name)):
            cells = [one.get(name, {}).get(figure.key) for one in sides.values()]
            chance = values.get("chance") if figure.digits is None else None
            rows.append(("" if i else name, figure.words, *map(figure.written, (*cells, chance))))
    return plain_table(("", "", *sides, "chance"), rows, title)


def settings(results: Sequence[Evaluation]) -> list[str]:
    """What each protocol of these evaluations does, a line each."""
    return [f"{name}: {words}" for name, words in {k: v for one in results for k, v in one.settings.items()}.items()]
