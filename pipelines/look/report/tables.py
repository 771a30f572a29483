"""The tables of a page: what ran where, what was measured beside the baselines, how the runs differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sslgraph.diff import account
from sslgraph.read.resolved import flat, leaves

from ...evaluate import several
from ...evaluate.evaluation import figures_of
from ...evaluate.protocols import ACCURACY as SHARE
from ...evaluate.protocols import Figure
from .gather import Gathered
from .markup import Markup, element, table

ENCODERS = {"trained": "trained", "random": "random encoder", "pixels": "pixels"}
WAYS = {"linear": "segmentation mIoU, linear", "retrieval": "segmentation mIoU, retrieval"}
MISSING = "not recorded"
Runs = Sequence[Gathered]


def facts(runs: Runs) -> Markup:
    """What ran, where, when, on what and from which commit; of several runs a column each."""
    columns = [_facts(run) for run in runs]
    if len(columns) == 1:
        pairs = [element("div", element("dt", name), element("dd", said)) for name, said in columns[0].items()]
        return element("dl", pairs, class_="facts")
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = [[name, *(column.get(name, "") for column in columns)] for name in names]
    return table(["", *(run.name for run in runs)], rows)


def _facts(run: Gathered) -> dict[str, str]:
    record, recipe = run.record, run.record.loaded.spec
    told: Mapping[str, Any] = {**(record.starts[-1] if record.starts else {}), **record.summary}
    planned = f"{recipe.epochs} epochs" if recipe.epochs else f"{recipe.steps} steps"
    done = f"{record.steps:,} steps of {planned}" + ("" if record.summary else "; the run is not over")
    parameters = told.get("trained_parameters")
    versions = [f"{name} {told[name]}" for name in ("sslgraph", "torch", "python") if told.get(name)]
    starts = ", then ".join(str(start.get("started", "")) for start in record.starts)
    return {
        "method": record.method.method,
        "recipe": recipe.recipe,
        "images": str(recipe.data.settings.get("path", recipe.data.use)) + _count(told),
        "length": done,
        "batch": f"{recipe.batch:,}"
        + (f", accumulated from {recipe.accumulate} parts" if recipe.accumulate > 1 else ""),
        "seed": str(recipe.seed),
        "trained parameters": f"{parameters:,}" if parameters else MISSING,
        "device": ", ".join(filter(None, [_ranks(told), str(told.get("device", MISSING)), told.get("precision")])),
        "machine": ", ".join(filter(None, [told.get("host"), told.get("system")])) or MISSING,
        "versions": ", ".join(versions) or MISSING,
        "commit": told.get("commit") or MISSING,
        "started": starts or MISSING,
        "finished": str(told.get("finished", MISSING)),
        "images a second": f"{told['images_per_second']:,}" if told.get("images_per_second") else MISSING,
        "folder": str(record.folder),
    }


def _count(told: Mapping[str, Any]) -> str:
    return f", {told['images']:,} images" if told.get("images") else ""


def _ranks(told: Mapping[str, Any]) -> str:
    return f"{told['ranks']} processes" if told.get("ranks", 1) > 1 else ""


def measures(runs: Runs) -> Markup | None:
    """Trained encoders beside untrained ones and bare pixels; None if nothing was measured and nothing could be."""
    found = [measured(run) for run in runs]
    names = list(dict.fromkeys(name for figures in found for row in figures.values() for name in row))
    if not names:
        return None
    if len(runs) == 1:
        rows = [[encoder, *(_share(row.get(name)) for name in names)] for encoder, row in found[0].items()]
        return table(["", *names], rows)
    columns = [
        (encoder, name)
        for name in names
        for encoder in dict.fromkeys(encoder for figures in found for encoder in figures)
        if any(name in figures.get(encoder, {}) for figures in found)
    ]
    body = [[run.name, *(_share(f.get(e, {}).get(n)) for e, n in columns)] for run, f in zip(runs, found, strict=True)]
    for members in several.alike([run.record.text for run in runs]).values():
        if len(members) > 1:
            name = f"mean ± standard deviation of {', '.join(runs[i].name for i in members)}"
            cells = ([found[i].get(encoder, {}).get(measure) for i in members] for encoder, measure in columns)
            body.append([name, *(several.spread(SHARE, values) for values in cells)])
    return table(["", *(f"{name}, {encoder}" for encoder, name in columns)], body)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def measured(run: Gathered) -> dict[str, dict[str, float]]:
    """Accuracies by encoder, then by measure: of the stored evaluation, else the run's last ones, else this page's."""
    stored, record = run.record.evaluation, run.record
    if stored:
        found = {name: _shares(stored.get(key, {})) for key, name in ENCODERS.items()}
        found["chance"] = _chances(stored.get("trained", {}))
        places = stored.get("segmentation") or {}
        for key, name in {**ENCODERS, "chance": "chance"}.items():
            told = places.get(key, {})
            ways = {way: told.get(way, told) for way in WAYS}  # chance is the same for both
            found[name] |= {words: ways[way]["miou"] for way, words in WAYS.items() if "miou" in ways[way]}
        return found
    if record.knn:
        last = {"trained": record.knn[-1][1], **record.beside}
        return {name: {"kNN": value} for name, value in last.items()}
    scores = run.seen.knn if run.seen else {}
    found = {name: {"kNN": score.accuracy} for name, score in scores.items()}
    return {**found, "chance": {"kNN": scores["trained"].chance}} if scores else {}


def _shares(encoder: Mapping[str, Any]) -> dict[str, float]:
    """The shares that protocols give of an encoder, such as "knn20 accuracy"."""
    return {
        f"{name} {figure.words}": values[figure.key]
        for name, values, figure in _figures(encoder)
        if values.get(figure.key) is not None
    }


def _chances(encoder: Mapping[str, Any]) -> dict[str, float]:
    return {f"{name} {f.words}": values["chance"] for name, values, f in _figures(encoder) if "chance" in values}


def _figures(encoder: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], Figure]]:
    """Each protocol with its values and each of its shares; figures of an earlier form have no protocol's name."""
    for name, values in encoder.items():
        yield from ((name, values, figure) for figure in figures_of(name) if figure.digits is None)


def measured_on(run: Gathered) -> str:
    """Which images the figures are of."""
    stored, seen = run.record.evaluation, run.seen
    if stored:
        counts = f"{stored.get('bank', 0):,} training and {stored.get('queries', 0):,} held-out images"
        return f"step {stored.get('step', 0):,}, {counts}, by sslgraph evaluate"
    more = "sslgraph evaluate measures all images, and a linear probe"
    if run.record.knn:
        return f"step {run.record.knn[-1][0]:,.0f}, as measured while it trained; {more}"
    if seen is not None and seen.knn:
        counts = f"{seen.bank:,} training and {seen.queries:,} held-out images"
        return f"step {seen.step:,}, {counts}, computed for this page; {more}"
    return ""


def differences(runs: Runs) -> Markup:
    """What the other methods are beside the first one's, in words, and every value of the recipes that is not equal."""
    first, *others = runs
    told = []
    for run in others:
        allowed = (*first.record.loaded.spec.plugins, *run.record.loaded.spec.plugins)
        lines = account(first.record.method, run.record.method, allowed).lines
        told.append(element("p", element("strong", run.name), f" beside {first.name}:"))
        told.append(element("pre", "\n".join(lines), class_="words"))
    columns = [{path: str(value) for path, value in leaves(_recipe(run))} for run in runs]
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = [[name, *(column.get(name, "") for column in columns)] for name in names]
    unequal = [row for row in rows if len(set(row[1:])) > 1]
    heading = ["value", *(run.name for run in runs)]
    return element("div", told, table(heading, unequal) if unequal else element("p", "The recipes are equal."))


def _recipe(run: Gathered) -> dict[str, Any]:
    values: dict[str, Any] = flat(run.record.loaded.spec)
    return {name: value for name, value in values.items() if name != "method"}
