"""Compares several runs: those that differ only in their seed share a row, with mean and spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

import yaml
from rich.table import Table

from sslgraph.amounts import counted

from ..storage import checkpoint
from ..train.start.starting import other_settings
from .evaluation import Evaluation
from .protocols import Figure, protocol

SPREAD = "± : standard deviation over seeds"


@dataclass(frozen=True)
class Group:
    """Runs of one text but for the seed: the folders, the text of the first, what was measured of each."""

    folders: tuple[Path, ...]
    text: str
    found: tuple[Evaluation, ...]


def grouped(folders: Sequence[Path], found: Sequence[Evaluation]) -> list[Group]:
    """The runs by their texts without the seed, in the order in which they were named."""
    texts = [(folder / checkpoint.TEXT).read_text(encoding="utf-8") for folder in folders]
    return [
        Group(tuple(folders[i] for i in members), text, tuple(found[i] for i in members))
        for text, members in alike(texts).items()
    ]


def alike(texts: Sequence[str]) -> dict[str, list[int]]:
    """The resolved texts of runs without their seeds, and by number the runs that have each."""
    groups: dict[str, list[int]] = {}
    for i, text in enumerate(texts):
        whole = yaml.safe_load(text)
        whole.pop("seed", None)
        groups.setdefault(yaml.safe_dump(whole, sort_keys=False), []).append(i)
    return groups


def differences(groups: Sequence[Group]) -> list[str]:
    """In what each group differs from the first, in words."""
    first, *others = groups
    names = [f"{group.folders[0].name}: {other_settings(first.text, group.text)}" for group in others]
    return [f"{first.folders[0].name} against" if names else "", *names] if names else []


def table(groups: Sequence[Group]) -> Table:
    """A row for each figure and group, with the encoder before training beside it."""
    shown = Table(box=None, pad_edge=False)
    for column in ("", "", "", "runs", "trained", "before"):
        shown.add_column(column, justify="left" if not column else "right")
    for name in dict.fromkeys(name for group in groups for one in group.found for name in one.trained):
        for figure in protocol(name).figures:
            for i, group in enumerate(groups):
                sides = [one.trained for one in group.found], [one.random for one in group.found]
                cells = (spread(figure, [values.get(name, {}).get(figure.key) for values in side]) for side in sides)
                heading = ("", "") if i else (name, figure.words)
                shown.add_row(*heading, group.folders[0].name, counted(len(group.found), "seed"), *cells)
    return shown


def spread(figure: Figure, values: Sequence[float | None]) -> str:
    """ "41.2 ± 0.5 %"; one value alone, "-" for none."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return figure.written(known[0] if known else None)
    around = figure.written(stdev(known))
    middle = figure.written(mean(known))
    return f"{middle.removesuffix(' %')} ± {around}"
