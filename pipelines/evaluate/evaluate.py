"""A finished run measured: nearest neighbours and a linear probe of its encoder, beside what needs no training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.table import Table
from torch import nn

from sslgraph import whole_file
from sslgraph.amounts import percent
from sslgraph.checked import SOURCE
from sslgraph.parts import registry
from sslgraph.read.load import load_recipe
from sslgraph.read.loaded import Loaded
from sslgraph.read.spec import Recipe
from sslgraph.settle.views import pixel_view
from sslgraph.write_whole import reason

from ..check import check
from ..check.request import moved
from ..feed.feed import Source
from ..machine import machine
from ..measure import online
from ..measure.features import extract, extract_views
from ..measure.knn import Neighbours
from ..measure.linear_probe import Probe
from ..measure.shortcuts import Pretext, asked_of_noise
from ..storage import checkpoint
from . import labelled_places
from .measured import NOTHING, Measured, measures
from .restored import newest, restored, trained_on

FILE = "evaluation.json"
ROWS = {"trained": "trained", "pixels": "raw pixels"}
MEANINGS = """\
kNN, linear probe: share of test images classified correctly, higher is better.
RankMe, LiDAR: higher means that more dimensions are in use. alpha-ReQ: best near 1.
images / views: higher means that views of one image lie closer together than different images do."""
IMAGES, VIEWS = 1_000, 10  # of LiDAR: the paper's number of images; of views it has up to 50


@dataclass(frozen=True)
class Evaluation:
    """The trained encoder, the same one before training, and the pixels themselves, all on the same images."""

    method: str
    step: int
    bank: int
    queries: int
    begun: str
    trained: Measured = NOTHING
    random: Measured = NOTHING
    pixels: Measured = NOTHING
    segmentation: labelled_places.Segmented | None = None
    pretext: tuple[Pretext, ...] = ()
    notes: tuple[str, ...] = ()  # what a reader of the figures must know


def evaluate(
    run: Path,
    *,
    data: str | None = None,
    segmentation: Mapping[str, Any] | None = None,
    plugins: tuple[str, ...] = (),
) -> Evaluation:
    """Measures the newest complete checkpoint of a run folder, and writes evaluation.json into it with each measure.

    `segmentation` has settings of that measure, which go before those of the recipe.
    """
    loaded, saved = _read(run)
    recipe, on = loaded.spec, machine.device()
    machine.use()
    allowed = check.allowed_in(loaded, plugins)
    use, settings = recipe.data.use, dict(recipe.data.settings)
    if data is not None:
        use, settings = moved(recipe.data, data)
    sources = [registry.build(use, {**settings, "split": split}, allowed) for split in ("train", "test")]
    images, size = trained_on(run, loaded, plugins) if data else (len(sources[0]), sources[0].size)
    encoders = restored(loaded, saved, images=images, size=size, device=on, plugins=plugins)
    is_labelled, notes = about_labels(sources, encoders.wish)
    title, step = loaded.spec.method.method, encoders.step
    pretext = asked_of_noise(encoders.method, encoders.views, size=size or SOURCE, device=on)
    notes += tuple(map(str, pretext))
    result = Evaluation(title, step, len(sources[0]), len(sources[1]), encoders.begun, notes=notes, pretext=pretext)
    if (wish := labelled_places.wish(recipe.evaluate, segmentation)) is not None:
        found = labelled_places.segmented(encoders, wish, device=on)
        result = _written(replace(result, segmentation=found), run / FILE)
    asked = {"trained": encoders.trained, "random": encoders.random, "pixels": nn.Flatten()}
    for name, encoder in asked.items():
        is_net = name != "pixels"
        view = encoders.view if is_net else pixel_view()
        bank, queries = (extract(encoder, source, view, device=on) for source in sources)
        seen = None
        if is_net:
            seen = extract_views(encoder, sources[0], encoders.training_view, images=IMAGES, views=VIEWS, device=on)
        for measure, value, fault in measures(bank, queries, encoders.wish, seen, labelled=is_labelled):
            found = replace(getattr(result, name), **{measure: value})
            notes = (*result.notes, f"{ROWS.get(name, result.begun)}: {fault}") if fault else result.notes
            result = replace(result, **{name: found}, notes=notes)
            result = _written(result, run / FILE)
    return result


def _written(result: Evaluation, file: Path) -> Evaluation:
    """The figures, kept in the file; they are what was asked for, so a disk that refuses them is a note."""
    try:
        whole_file.put(file, f"{json.dumps(asdict(result), indent=2)}\n".encode())
    except OSError as problem:
        note = f"{file} was not written: {reason(problem)}"
        return result if note in result.notes else replace(result, notes=(*result.notes, note))
    return result


def about_labels(sources: Sequence[Source], wish: online.Setting) -> tuple[bool, tuple[str, ...]]:
    """Whether labels can be compared, and what is to be known about them, in words."""
    known = [source.labels[source.labels >= 0] for source in sources if source.labels is not None]
    if len(known) < 2 or not all(map(len, known)):
        which = "training and test images" if not any(map(len, known)) else "images of one split"
        return False, (f"the {which} have no labels: kNN and the linear probe need labelled images (--data)",)
    (bank, queries), notes = known, []
    if len(bank.unique()) == 1:
        notes.append("all training images are of one class: kNN and linear probe are the same for every encoder")
    elif len(queries.unique()) == 1:
        notes.append("all test images are of one class: kNN and linear probe say little")
    if wish.k > len(bank):
        notes.append(f"k is {wish.k}, and there are {len(bank)} training images with a label: all of them vote")
    return True, tuple(notes)


def table(result: Evaluation) -> Table:
    """The figures of the trained encoder above those of the baselines; MEANINGS says how to read them."""
    title = f"{result.method}, step {result.step}: {result.bank:,} training and {result.queries:,} test images"
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in ("", "kNN", "linear probe", "RankMe", "alpha-ReQ", "LiDAR", "images / views"):
        shown.add_column(column, justify="left" if not column else "right")
    for name, found in (("trained", result.trained), (result.begun, result.random), ("raw pixels", result.pixels)):
        accuracies = (_share(found.knn, "accuracy"), _share(found.probe, "accuracy"))
        spectra = (_shown(found.rankme, 0), _shown(found.alpha, 2), _shown(found.lidar, 0), _shown(found.signal, 2))
        shown.add_row(name, *accuracies, *spectra)
    shown.add_row("chance", _share(result.trained.knn, "chance"), _share(result.trained.probe, "chance"))
    return shown


def _share(found: Neighbours | Probe | None, what: str) -> str:
    return "-" if found is None else percent(getattr(found, what))


def _shown(number: float | None, digits: int) -> str:
    return "-" if number is None else f"{number:.{digits}f}"


def _read(run: Path) -> tuple[Loaded[Recipe], Path]:
    """The newest checkpoint of a run and the recipe that it was trained with, by the checkpoint's own text."""
    saved = newest(run)
    return load_recipe(str(saved / checkpoint.TEXT)), saved
