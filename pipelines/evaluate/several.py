"""Compares several runs: those that differ only in their seed share a row, with mean and spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import mean, stdev

import scipy.stats
import yaml
from rich.table import Table

from sslgraph.amounts import counted
from sslgraph.errors import SslgraphError

from ..record.display import plain_table
from ..storage import checkpoint
from ..train.start.starting import other_settings
from .evaluation import Evaluation, figures_of, measured
from .protocols import Figure

FEWEST = 3  # seeds: two pairs leave one degree of freedom, and an interval that says nothing
ROUNDING = 1e-9  # differences that spread less than this are equal, and a test of them divides by nothing
SPREAD = "± : standard deviation over seeds"


@dataclass(frozen=True)
class Group:
    """Runs of one text but for the seed: the folders, the text of the first, what was measured of each, the seeds."""

    folders: tuple[Path, ...]
    text: str
    found: tuple[Evaluation, ...]
    seeds: tuple[int, ...] = ()


def grouped(folders: Sequence[Path], found: Sequence[Evaluation]) -> list[Group]:
    """The runs by their texts without the seed, in the order in which they were named."""
    texts = [(folder / checkpoint.TEXT).read_text(encoding="utf-8") for folder in folders]
    seeds = [int(yaml.safe_load(text).get("seed", 0)) for text in texts]
    return [
        Group(
            tuple(folders[i] for i in members), text, tuple(found[i] for i in members), tuple(seeds[i] for i in members)
        )
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
    rows = []
    for name in dict.fromkeys(name for group in groups for one in group.found for name in one.trained):
        for figure in figures_of(name):
            for i, group in enumerate(groups):
                sides = [one.trained for one in group.found], [one.random for one in group.found]
                cells = (spread(figure, [values.get(name, {}).get(figure.key) for values in side]) for side in sides)
                heading = ("", "") if i else (name, figure.words)
                rows.append((*heading, group.folders[0].name, count(group.found, group.seeds), *cells))
    return plain_table(("", "", "", "runs", "trained", "before"), rows)


def called(methods: Sequence[str], folders: Sequence[Path]) -> list[str]:
    """What runs are called beside each other: their methods; with the names of folders where two are of one method."""
    return [
        method if methods.count(method) == 1 else f"{method}, {folder.name}"
        for method, folder in zip(methods, folders, strict=True)
    ]


def refuse_twice(names: Sequence[str | Path], places: Sequence[Path]) -> None:
    """Refuses runs of which two are at one place."""
    first = dict[Path, str | Path]()
    for name, place in zip(names, (place.resolve() for place in places), strict=True):
        if place in first:
            raise SslgraphError(f"{first[place]} and {name} are one run, and not two seeds; name each run once")
        first[place] = name


def count(runs: Sequence[object], seeds: Sequence[int]) -> str:
    """ "3 seeds"; runs of one seed are no seeds: "3 runs"."""
    return counted(len(runs), "seed" if len(set(seeds)) == len(seeds) else "run")


def paired(groups: Sequence[Group]) -> list[str]:
    """How sure it is that each group differs from the first, by a paired t-test over the seeds that both have."""
    first, *others = groups
    lines = []
    for name in dict.fromkeys(name for one in first.found for name in one.trained):
        for figure, group in product(figures_of(name), others):
            one, other = (_by_seed(some, name, figure) for some in (first, group))
            shared = sorted(one.keys() & other.keys())
            if len(shared) < FEWEST:
                continue
            apart = [other[seed] - one[seed] for seed in shared]
            middle = mean(apart)
            if stdev(apart) < ROUNDING:
                lines.append(
                    f"{name} {figure.words}: {group.folders[0].name} has {_signed(figure, middle)} in each seed"
                )
                continue
            found = scipy.stats.ttest_1samp(apart, 0.0)
            low, high = (_signed(figure, end) for end in found.confidence_interval(0.95))
            lines.append(
                f"{name} {figure.words}: {group.folders[0].name} has {_signed(figure, middle)} (95 % interval {low} to "
                f"{high}, p = {found.pvalue:.2g}, {len(shared)} seeds)"
            )
    is_repeated = any(len(set(group.seeds)) < len(group.seeds) for group in groups)
    means = " (runs of one seed are one: their mean)" if is_repeated else ""
    heading = f"against {first.folders[0].name}, by a paired t-test of the seeds that both have{means}:"
    return [heading, *lines] if lines else []


def _by_seed(group: Group, name: str, figure: Figure) -> dict[int, float]:
    """The value of each seed, of several runs of one seed their mean."""
    values = [one.trained.get(name, {}).get(figure.key) for one in group.found]
    by_seed = {
        seed: measured(value for own, value in zip(group.seeds, values, strict=True) if own == seed)
        for seed in group.seeds
    }
    return {seed: mean(found) for seed, found in by_seed.items() if found}


def _signed(figure: Figure, value: float) -> str:
    return f"{100 * value:+.1f}" if figure.digits is None else f"{value:+.{figure.digits}f}"


def spread(figure: Figure, values: Sequence[float | None]) -> str:
    """ "41.2 ± 0.5 %"; one value alone, "-" for none."""
    known = measured(values)
    if len(known) < 2:
        return figure.written(known[0] if known else None)
    around = figure.written(stdev(known))
    middle = figure.written(mean(known))
    return f"{middle.removesuffix(' %')} ± {around}"
