"""The charts of one run, or of several in one chart: losses, nearest neighbours, collapse measures, pace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sslgraph.read.spec import Loss, Part
from sslgraph.schedules import Clock, is_schedule, schedule

from .chart import Chart, merged
from .frame import Curve, Level
from .gather import Gathered
from .records import Points, Record

# More levels than these would be a carpet: the table of figures holds them.
MOST_LEVELS = 4
PLANNED = 120  # points of a schedule
WORDS = {
    "lr": "learning rate",
    "weight_decay": "weight decay",
    "gradient_norm": "gradient norm",
    "images_per_second": "images a second",
    "waiting": "share of the time spent waiting for images",
}
# What the measures of edges are called, and which of their values mean something.
MEANING: dict[str, tuple[str, dict[str, float]]] = {
    "std": ("spread of directions: std, times the root of the width", {"all images alike": 0.0, "even": 1.0}),
    "cosine": ("mean cosine of two different images", {"all images alike": 1.0}),
    "rank": ("effective rank", {"a single direction": 1.0}),
    "align": ("alignment: squared distance of two views of an image", {"nothing in common": 2.0}),
    "uniform": ("uniformity", {"all images alike": 0.0}),
    "age": ("age of what a memory holds, in steps", {}),
}
PACE = ("images_per_second", "waiting")
Runs = Sequence[Gathered]


def losses(runs: Runs) -> list[Chart]:
    """One chart for each loss with the values that mean something; runs share one where name and part are the same."""
    kinds = [(name, run.record.part_of(name)) for run in runs for name in run.record.losses]
    charts = []
    for name, part in dict.fromkeys(kinds):
        having = [run.record.losses.get(name, []) if run.record.part_of(name) == part else [] for run in runs]
        title = f"loss {name}" if len(runs) == 1 else f"loss {name} ({part})"
        charts.append(Chart(title, _over(runs, having), _landmarks(runs, name, part)))
    return charts


def nearest(runs: Runs) -> list[Chart]:
    """The accuracy of nearest neighbours, with what needs no training as lines; none if it was not measured."""
    curves = _over(runs, [run.record.knn for run in runs])
    if not curves:
        return []
    levels = _levels([(run, run.record.beside) for run in runs])
    is_few = len(levels) <= MOST_LEVELS
    note = "" if is_few else "what untrained encoders and pixels reach stands in the table below"
    return [Chart("kNN accuracy on held-out images", curves, levels if is_few else (), True, note)]


def monitors(runs: Runs) -> list[Chart]:
    """A chart for each measure that was recorded, a curve for each edge that it was measured at."""
    charts: list[Chart] = []
    for measure in _names(runs, lambda record: record.monitors):
        curves = [
            Curve(_edge(run, edge, len(runs) > 1), points)
            for run in runs
            for edge, points in run.record.monitors.get(measure, {}).items()
        ]
        title, levels = MEANING.get(measure, (_words(measure), {}))
        charts.append(Chart(title, _coloured(curves), [Level(name, value) for name, value in levels.items()]))
    return charts


def whole(runs: Runs) -> list[Chart]:
    """Measures of the whole method, such as the gradient norm."""
    names = _names(runs, lambda record: record.whole)
    return [Chart(_words(name), _over(runs, [run.record.whole.get(name, []) for run in runs])) for name in names]


def schedules(runs: Runs) -> list[Chart]:
    """What moved over the run by plan; what stayed as it was needs no chart."""
    names = _names(runs, lambda record: record.schedules)
    charts = [Chart(_words(name), _over(runs, [run.record.schedules.get(name, []) for run in runs])) for name in names]
    return [chart for chart in charts if any(len({y for _, y in curve.points}) > 1 for curve in chart.curves)]


def plans(runs: Runs) -> list[Chart]:
    """Momenta of slow copies, temperatures and weights that move, as the spec plans them."""
    made = [planned(run.record) for run in runs]
    names = list(dict.fromkeys(name for found in made for name in found))
    return [
        Chart(_setting(name), _over(runs, [found.get(name, []) for found in made]), note="as the spec plans it")
        for name in names
    ]


def planned(record: Record) -> dict[str, Points]:
    """The schedule of every setting that moves, under its path; nothing if the run did not note how long it is."""
    told = record.starts[-1] if record.starts else {}
    if not (told.get("total_steps") and told.get("steps_per_epoch")):
        return {}
    clock = Clock(int(told["steps_per_epoch"]), int(told["total_steps"]))
    last = clock.total_steps - 1
    steps = sorted({round(i * last / PLANNED) for i in range(PLANNED + 1)})
    return {
        name: [(float(step), float(schedule(value).at(step, clock))) for step in steps]
        for name, value in _moving(record)
        if is_schedule(value)
    }


def _moving(record: Record) -> Iterator[tuple[str, Any]]:
    method, losses = record.method, record.loss_specs
    for name, target in method.averages.items():
        yield f"{name}.momentum", target.momentum
    parts: dict[str, Part | Loss] = {**method.nets, **method.state, **method.ops, **losses}
    for name, part in parts.items():
        yield from ((f"{name}.{setting}", value) for setting, value in part.settings.items())
    yield from ((f"{name}.weight", loss.weight) for name, loss in losses.items())


def _setting(path: str) -> str:
    """A path of a setting as people say it: ft.momentum is the momentum of ft."""
    part, _, setting = path.partition(".")
    return f"{_words(setting)} of {part}"


def pace(runs: Runs) -> list[Chart]:
    """How fast it went, and how long it waited for images."""
    charts = [
        Chart(WORDS[name], _over(runs, [run.record.series.get(name, []) for run in runs]), is_share=name == "waiting")
        for name in PACE
    ]
    return [chart for chart in charts if chart.curves]


def _over(runs: Runs, series: Sequence[Points]) -> list[Curve]:
    """The curves of all runs that have one; a run keeps its colour on the whole page."""
    found = enumerate(zip(runs, series, strict=True))
    return [Curve(run.name, points, i) for i, (run, points) in found if points]


def _words(name: str) -> str:
    return WORDS.get(name, name.replace("_", " "))


def _coloured(curves: list[Curve]) -> list[Curve]:
    return [Curve(curve.name, curve.points, i) for i, curve in enumerate(curves)]


def _edge(run: Gathered, edge: str, is_one_of_many: bool) -> str:
    return f"{run.name}, {edge}" if is_one_of_many else edge


def _names(runs: Runs, pick: Callable[[Record], Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(name for run in runs for name in pick(run.record)))


def _landmarks(runs: Runs, loss: str, part: str) -> list[Level]:
    """Chance and collapse of a loss, times the weight with which it is recorded; none where that weight moves."""
    having = [run for run in runs if loss in run.record.losses and run.record.part_of(loss) == part]
    levels = _levels([(run, _weighted(run, loss)) for run in having])
    return levels if len(levels) <= MOST_LEVELS else []


def _weighted(run: Gathered, loss: str) -> dict[str, float]:
    said = run.record.loss_specs[loss].weight
    weight = schedule(1.0 if isinstance(said, str) else said)  # one that the flow makes has no landmarks
    known = run.landmarks.get(loss, {}) if weight.is_constant else {}
    return {name: value * weight.first for name, value in known.items()}


def _levels(values: Sequence[tuple[Gathered, Mapping[str, float]]]) -> list[Level]:
    """Values that mean something; where runs differ in one, each says in brackets whose it is."""
    owners: dict[tuple[str, float], list[str]] = {}
    for run, found in values:
        for name, value in found.items():
            owners.setdefault((_words(name), value), []).append(run.name)
    names = [name for name, _ in owners]
    return merged(
        [
            Level(name if names.count(name) == 1 else f"{name} ({', '.join(runs)})", value)
            for (name, value), runs in owners.items()
        ]
    )
