"""One figure of several runs for a paper: a recorded curve of each method, or what evaluation found of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from statistics import mean, stdev
from typing import Any
from warnings import catch_warnings, filterwarnings

from matplotlib import rc_context
from matplotlib.figure import Figure as Drawing

from sslgraph.errors import SslgraphError
from sslgraph.files.whole_file import whole_file
from sslgraph.files.write_whole import told

from ..evaluate.evaluation import figures_of, left_out, measured
from ..evaluate.several import alike, called, count, refuse_twice
from .report.chart import thinned
from .report.curves import WORDS
from .report.records import EVALUATION, KNN, Points, Record, read

FORMS = (".pdf", ".svg", ".png")
WIDTH = 3.25  # inches, a column of most conferences
NARROWEST = 1.0  # inches: the numbers and words beside the axes need that much
HEIGHT = 0.68  # of the width
STYLE: Any = {
    "font.size": 8, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "savefig.dpi": 300,
    "pdf.fonttype": 42, "svg.hashsalt": "sslgraph",
}  # fmt: skip
# Okabe and Ito's colours, which people of any sight tell apart, darkest first for a print without colours.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":")
GREY = "#767676"
# Of evaluation.json: the mark of each encoder, and what a legend calls those that are no method.
SIDES = {"trained": ("o", None), "random": ("s", "before training"), "pixels": ("x", "raw pixels")}


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed alone, under the name that the figure has for them."""

    name: str
    runs: tuple[Record, ...]


def write_figure(
    folders: Sequence[Path], file: Path, *, of: str | None = None, width: float = WIDTH,
    say: Callable[[str], object] = print,
) -> Path:  # fmt: skip
    """Draws one thing of these runs, a curve or a dot for each method; seeds are its mean and a standard deviation.

    `of` is what metrics.jsonl calls a curve, or a protocol that was evaluated, such as linear or health.rankme; left
    out, it is kNN, or else the first loss, or else the first protocol. `width` is in inches.
    """
    if file.suffix not in FORMS:
        raise SslgraphError(
            f"--figure {file}: a figure is written as {', '.join(FORMS)}; end the name with one of them"
        )
    if width < NARROWEST:
        raise _narrow(width)
    refuse_twice(folders, folders)
    groups = _groups([read(folder) for folder in folders])
    runs = [run for group in groups for run in group.runs]
    for gone in _gone(runs):
        say(gone)
    curves = {name: None for run in runs for name in run.series if _curve(run, name)}
    there = {**curves, **{name: None for run in runs for name, _, _ in _measures(run)}}
    if not there:
        raise SslgraphError(f"{folders[0]} has recorded nothing yet; train it, or evaluate it")
    wanted = of or next(name for name in (KNN, *runs[0].losses, *there) if name in there)
    if wanted not in there:
        raise SslgraphError(
            f"--of {wanted}: these runs have no such curve and no such measure; there are: {', '.join(there)}"
        )
    with rc_context(STYLE):
        drawing = Drawing(figsize=(width, HEIGHT * width), layout="constrained")
        (_draw_curves if wanted in curves else _draw_measures)(drawing.subplots(), groups, wanted)
        stamp = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}.get(file.suffix)
        with told(file, "--figure"), whole_file(file) as out, catch_warnings():
            filterwarnings("error", "constrained_layout not applied")
            try:
                drawing.savefig(out, format=file.suffix[1:], metadata=stamp)
            except UserWarning as collapsed:
                raise _narrow(width) from collapsed
    return file


def _narrow(width: float) -> SslgraphError:
    return SslgraphError(f"--width: {width:.2g} in leave no room for this figure; give a larger width")


def _gone(runs: Sequence[Record]) -> list[str]:
    """What is said of protocols that evaluation.json knows and that are there no more."""
    return [
        left_out(run.folder / EVALUATION, name)
        for run in runs
        for name in run.evaluation.get("trained", {})
        if not figures_of(name)
    ]


def _curve(run: Record, name: str) -> Points:
    """The points of a curve that are numbers."""
    return [(step, value) for step, value in run.series.get(name, []) if isfinite(value)]


def _groups(records: Sequence[Record]) -> list[Group]:
    found = [tuple(records[i] for i in members) for members in alike([run.text for run in records]).values()]
    names = called([runs[0].method.method for runs in found], [runs[0].folder for runs in found])
    return [
        Group(name if len(runs) == 1 else f"{name} ({count(runs, [run.loaded.spec.seed for run in runs])})", runs)
        for name, runs in zip(names, found, strict=True)
    ]


def _draw_curves(axes: Any, groups: Sequence[Group], name: str) -> None:
    scale = 100 if name.startswith(KNN) else 1
    for i, group in enumerate(groups):
        points = _averaged([points for run in group.runs if (points := _curve(run, name))])
        look = {"color": COLOURS[i % len(COLOURS)], "linestyle": DASHES[i // len(COLOURS) % len(DASHES)]}
        steps = [step for step, _, _ in points]
        axes.plot(steps, [scale * middle for _, middle, _ in points], label=group.name, linewidth=1.2, **look)
        if any(around for _, _, around in points):
            low, high = ([scale * (middle + sign * around) for _, middle, around in points] for sign in (-1, 1))
            axes.fill_between(steps, low, high, color=look["color"], alpha=0.2, linewidth=0)
    levels = _levels(groups) if name == KNN else {}
    for words, level in levels.items():
        axes.axhline(scale * level, color=GREY, linewidth=0.8, linestyle=":")
        place = {"ha": "right", "va": "bottom" if level == max(levels.values()) else "top"}
        axes.text(1, scale * level, words, color=GREY, fontsize=6, transform=axes.get_yaxis_transform(), **place)
    axes.set_xlabel("step")
    axes.set_ylabel("kNN accuracy (%)" if name == KNN else WORDS.get(name, name.replace("_", " ")))
    _explain(axes, most=1)


def _levels(groups: Sequence[Group]) -> dict[str, float]:
    """What an untrained encoder and the pixels reach, as the mean over all runs."""
    beside = [each for group in groups for run in group.runs for each in run.beside.items() if isfinite(each[1])]
    names = dict.fromkeys(words for words, _ in beside)
    return {name: mean(value for words, value in beside if words == name) for name in names}


def _explain(axes: Any, most: int) -> None:
    """A legend above the picture, where it covers nothing, of more than `most` entries."""
    if len(axes.get_legend_handles_labels()[0]) > most:
        axes.legend(fontsize=7, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0)


def _averaged(series: Sequence[Points]) -> list[tuple[float, float, float]]:
    """The mean and the standard deviation at the steps that all seeds have; of one curve means of its neighbours."""
    if len(series) == 1:
        return [(step, value, 0.0) for step, value in thinned(series[0])[0]]
    by_step = [dict(points) for points in series]
    shared = sorted(set.intersection(*map(set, by_step))) if by_step else []
    return [(step, mean(one[step] for one in by_step), stdev(one[step] for one in by_step)) for step in shared]


def _draw_measures(axes: Any, groups: Sequence[Group], name: str) -> None:
    words = next(words for group in groups for run in group.runs for key, words, _ in _measures(run) if key == name)
    for i, group in enumerate(groups):
        for side, (mark, legend) in SIDES.items():
            values = [value for run in group.runs for key, _, value in _measures(run, side) if key == name]
            if values:
                axes.errorbar(
                    [i], [mean(values)], yerr=stdev(values) if len(values) > 1 else None, fmt=mark, capsize=3,
                    color=GREY if legend else COLOURS[i % len(COLOURS)], markersize=4,
                )  # fmt: skip
            if values and legend and i == 0:
                axes.plot([], [], mark, color=GREY, markersize=4, label=legend)
    axes.set_xticks(range(len(groups)), [group.name.replace(" (", "\n(") for group in groups])
    axes.set_xlim(-0.6, len(groups) - 0.4)
    axes.set_ylabel(words)
    _explain(axes, most=0)


def _measures(run: Record, side: str = "trained") -> Iterator[tuple[str, str, float]]:
    """What evaluation found of one encoder: linear, or health.rankme of several; in words; shares in hundredths."""
    for name, values in run.evaluation.get(side, {}).items():
        figures = figures_of(name)
        for figure in figures:
            for value in measured([values.get(figure.key)]):
                key = name if len(figures) == 1 else f"{name}.{figure.key}"
                is_share = figure.digits is None
                yield key, f"{name} {figure.words}{' (%)' if is_share else ''}", value * (100 if is_share else 1)
