"""A finished run measured: its encoder by named protocols, beside what needs no training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.table import Table
from torch import nn

from sslgraph.checked import SOURCE
from sslgraph.compile.weights import Encoder
from sslgraph.errors import SslgraphError
from sslgraph.files import whole_file
from sslgraph.files.write_whole import reason
from sslgraph.parts import registry
from sslgraph.read.load import load_recipe
from sslgraph.views.views import pixel_view

from ..check import check
from ..check.request import moved
from ..feed.feed import Source
from ..machine import machine
from ..machine.pieces import Spread
from ..measure.cues import Cues, cues
from ..measure.features import Features, extract, extract_views
from ..measure.fine_tune import fine_tune
from ..measure.shortcuts import Pretext, asked_of_noise
from ..storage import checkpoint
from . import labelled_places, protocols
from .layers import of_layers
from .online_probe import classifier_of
from .protocols import Given, Protocol, Values
from .restored import Restored, newest, restored, trained_on
from .sight import Shared, Which
from .supervised import supervised

FILE = "evaluation.json"
ROWS = {"trained": "trained", "pixels": "raw pixels", "supervised": "supervised"}
NOTHING = Features(torch.empty(0, 0), torch.empty(0, dtype=torch.long))  # where label maps alone are asked for
IMAGES, VIEWS = 1_000, 10  # of LiDAR: the paper's number of images; of views it has up to 50


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


def evaluate(
    run: Path,
    *,
    names: Sequence[str] = (),
    data: str | None = None,
    segmentation: Mapping[str, Any] | None = None,
    plugins: tuple[str, ...] = (),
    spread: Spread | None = None,
    with_labels: bool = False,
    weights: str | None = None,
) -> Evaluation:
    """Measures the newest complete checkpoint of a run folder, and writes evaluation.json into it with each measure.

    `names` are protocols (see protocols). What that file says of others stays, if it is of this step and these images.
    `segmentation` has settings of that measure, which go before those of the recipe. `spread` shares the images out.
    `with_labels` trains the same net on labels, once for all evaluations, and `weights` is a file of such a net.
    """
    wanted = [protocols.protocol(name) for name in names]
    saved = newest(run)
    loaded = load_recipe(str(saved / checkpoint.TEXT))
    recipe, on = loaded.spec, machine.device()
    own = labelled_places.of_run(recipe.data) if data is None else None
    wish = labelled_places.wish(recipe.evaluate, segmentation) or own
    if wish is None and any(one.of_places for one in wanted):
        raise SslgraphError("dense_linear needs images with label maps; name their folder with --segmentation")
    machine.use()
    allowed = check.allowed_in(loaded, plugins)
    use, settings = recipe.data.use, dict(recipe.data.settings)
    if data is not None:
        use, settings = moved(recipe.data, data)
    words = [(use, {**settings, "split": split}) for split in ("train", "test")]
    sources = [registry.build(*one, allowed) for one in words]
    others = (
        None
        if spread is None
        else Shared(spread, run.resolve(), saved.resolve(), tuple(words), tuple(sources), allowed)
    )
    images, size = trained_on(run, loaded, plugins) if data else (len(sources[0]), sources[0].size)
    encoders = restored(loaded, saved, images=images, size=size, device=on, plugins=plugins)
    asked = protocols.chosen(names, encoders.wish)
    classifier = classifier_of(encoders.method) if any(one.of_the_run for one in asked.values()) else None
    is_labelled, notes = about_labels(sources, tuple(asked))
    title, step = loaded.spec.method.method, encoders.step
    pretext = asked_of_noise(encoders.method, encoders.views, size=size or SOURCE, device=on)
    of_test = cues(
        encoders.method, encoders.views, lambda rows: sources[1].read(rows)[0], len(sources[1]), size=size or SOURCE,
        device=on,
    )  # fmt: skip
    notes += tuple(map(str, (*pretext, *of_test)))
    result = Evaluation(
        title, step, len(sources[0]), len(sources[1]), encoders.begun, on=data or "", notes=notes, pretext=pretext,
        cues=of_test,
    )  # fmt: skip
    result = _with_others(result, run / FILE)
    if wish is not None:
        try:
            places = labelled_places.segmented(encoders, wish, device=on)
            result = _written(replace(result, segmentation=places), run / FILE)
        except SslgraphError as reason:
            if wish is not own:  # what nobody asked for need not be there
                raise
            result = replace(result, notes=(*result.notes, f"segmentation is not measured: {reason}"))
    asked = {name: one for name, one in asked.items() if is_labelled or not one.needs_labels}
    result = replace(result, settings={**result.settings, **{name: one.setting for name, one in asked.items()}})
    measured_of: dict[Which, nn.Module] = {
        "trained": encoders.trained, "random": encoders.random, "pixels": nn.Flatten(),
    }  # fmt: skip
    (seen,) = encoders.training_view.views
    beside = supervised(run, sources[0].labels, seen, weights=weights, trains=with_labels, device=on, plugins=plugins)
    if beside is not None:
        measured_of["supervised"] = beside.encoder
        result = replace(result, notes=(*result.notes, beside.said))
    for name, encoder in measured_of.items():
        shares = others if name != "supervised" else None
        given = _given(encoder, encoders, asked, sources, on, (shares, name) if shares else None)
        given = replace(given, classifier=classifier if name == "trained" else None)
        if result.segmentation is not None and name != "supervised":
            given = replace(given, places=getattr(result.segmentation, name).linear)
        measured = {**getattr(result, name), **{protocol: {} for protocol in asked}}
        for protocol, values, fault in protocols.measures(asked, given):
            measured[protocol] = {**measured[protocol], **values}
            notes = (*result.notes, f"{ROWS.get(name, result.begun)}: {fault}") if fault else result.notes
            found: dict[str, Any] = {name: dict(measured), "notes": notes}
            result = _written(replace(result, **found), run / FILE)
    return result


def _given(
    encoder: nn.Module, encoders: Restored, asked: Mapping[str, Protocol], sources: Sequence[Source], on: torch.device,
    others: tuple[Shared, Which] | None,
) -> Given:  # fmt: skip
    """What these protocols measure of one encoder, or of the pixels themselves; `others` see the images for it."""
    if all(one.of_places for one in asked.values()):
        return Given(NOTHING, NOTHING)
    view = encoders.view if isinstance(encoder, Encoder) else pixel_view()
    bank, queries = (
        others[0].features(others[1])
        if others
        else (extract(encoder, source, view, device=on, channels_last=True) for source in sources)
    )
    if not isinstance(encoder, Encoder):
        return Given(bank, queries)
    seen, layers = None, [one.layer for one in asked.values() if one.layer]
    if any(one.of_views for one in asked.values()):
        seen = extract_views(encoder, sources[0], encoders.training_view, images=IMAGES, views=VIEWS, device=on)
    tune = partial(fine_tune, encoder, sources[0], sources[1], view, device=on)
    by_layer = others[0].layers(others[1], layers) if others else of_layers(encoder, layers, sources, view, device=on)
    return Given(bank, queries, seen, tune, by_layer)


def _with_others(result: Evaluation, file: Path) -> Evaluation:
    """The same with what the file says of this step and these images by other protocols."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(file.read_text(encoding="utf-8"))
        if all(kept[name] == getattr(result, name) for name in ("method", "step", "bank", "queries", "on")):
            others = {name: kept.get(name, {}) for name in ("settings", "trained", "random", "pixels", "supervised")}
            places = kept["segmentation"]
            found = None if places is None else labelled_places.read(places)
            return replace(result, **others, segmentation=found)
    return result


def _written(result: Evaluation, file: Path) -> Evaluation:
    """The figures, kept in the file; they are what was asked for, so a disk that refuses them is a note."""
    try:
        whole_file.put(file, f"{json.dumps(asdict(result), indent=2)}\n".encode())
    except OSError as problem:
        note = f"{file} was not written: {reason(problem)}"
        return result if note in result.notes else replace(result, notes=(*result.notes, note))
    return result


def about_labels(sources: Sequence[Source], names: Sequence[str]) -> tuple[bool, tuple[str, ...]]:
    """Whether labels can be compared, and what is to be known about them for these protocols, in words."""
    known = [source.labels[source.labels >= 0] for source in sources if source.labels is not None]
    if len(known) < 2 or not all(map(len, known)):
        which = "training and test images" if not any(map(len, known)) else "images of one split"
        needy = " and no ".join(name for name in names if protocols.protocol(name).needs_labels)
        said = f"the {which} have no labels: without labelled images (--data) there is no {needy}"
        return False, (said,) if needy else ()
    (bank, queries), notes = known, []
    if len(bank.unique()) == 1:
        notes.append("all training images are of one class: kNN and linear probe are the same for every encoder")
    elif len(queries.unique()) == 1:
        notes.append("all test images are of one class: kNN and linear probe say little")
    most = max((int(name[3:]) for name in names if name.startswith("knn")), default=0)
    if most > len(bank):
        notes.append(f"k is {most}, and there are {len(bank)} training images with a label: all of them vote")
    return True, tuple(notes)


def table(result: Evaluation) -> Table:
    """A row for each figure of each protocol: the trained encoder beside the baselines; `settings` says how."""
    counts = f"{result.bank:,} training and {result.queries:,} test images"
    title = f"{result.method}, step {result.step}: {counts}{f' of {result.on}' if result.on else ''}"
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False)
    with_labels = {"supervised": result.supervised} if result.supervised else {}
    for column in ("", "", "trained", result.begun, "raw pixels", *with_labels, "chance"):
        shown.add_column(column, justify="left" if not column else "right")
    for name, values in result.trained.items():
        for i, figure in enumerate(protocols.protocol(name).figures):
            beside = (result.random, result.pixels, *with_labels.values())
            sides = [one.get(name, {}).get(figure.key) for one in (result.trained, *beside)]
            chance = values.get("chance") if figure.digits is None else None
            shown.add_row("" if i else name, figure.words, *(figure.written(value) for value in (*sides, chance)))
    return shown


def settings(results: Sequence[Evaluation]) -> list[str]:
    """What each protocol of these evaluations does, a line each."""
    return [f"{name}: {words}" for name, words in {k: v for one in results for k, v in one.settings.items()}.items()]
