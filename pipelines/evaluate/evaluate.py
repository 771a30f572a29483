"""Measures the encoder of a finished run by named protocols, and baselines that need no training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sslgraph.checked import SOURCE
from sslgraph.compile.weights import Encoder
from sslgraph.errors import SslgraphError
from sslgraph.read.load import load_recipe
from sslgraph.views.views import pixel_view

from ..check import check
from ..check.request import moved
from ..feed.feed import Source
from ..feed.open_source import images_of
from ..machine import machine
from ..machine.pieces import Spread
from ..measure.cues import Cues, cues
from ..measure.features import Features, extract, extract_views
from ..measure.shortcuts import Pretext, asked_of_noise
from ..storage import checkpoint
from . import by_recipe, labelled_places, protocols
from .evaluation import FILE, Evaluation, with_others, written
from .layers import of_layers
from .online_probe import classifier_of
from .protocols import Given, Protocol
from .restored import Restored, newest, restored, trained_on
from .sight import SPLITS, Shared, Which
from .supervised import supervised

ROWS = {"trained": "trained", "pixels": "raw pixels", "supervised": "supervised"}
NOTHING = Features(torch.empty(0, 0), torch.empty(0, dtype=torch.long))  # where no frozen features are asked for
IMAGES, VIEWS = 1_000, 10  # of LiDAR: the paper's number of images; of views it has up to 50


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
    wanted = [protocols.asked_for(name, plugins) for name in names]
    saved = newest(run)
    loaded = load_recipe(str(saved / checkpoint.TEXT))
    recipe, on, file = loaded.spec, machine.device(), run / FILE
    own = labelled_places.of_run(recipe.data) if data is None else None
    wish = labelled_places.wish(recipe.evaluate, segmentation) or own
    if wish is None and any(one.of_places for one in wanted):
        raise SslgraphError("dense_linear needs images with label maps; name their folder with --segmentation")
    machine.use()
    allowed = check.allowed_in(loaded, plugins)
    shown = moved(recipe.data, data)
    sources = tuple(images_of(shown, split, allowed) for split in SPLITS)
    images, size = trained_on(run, loaded, plugins) if data else (len(sources[0]), sources[0].size)
    encoders = restored(loaded, saved, images=images, size=size, device=on, plugins=plugins)
    asked = protocols.chosen(names, encoders.wish)
    classifier = classifier_of(encoders.method) if any(one.of_the_run for one in asked.values()) else None
    is_labelled, notes = about_labels(sources, tuple(asked))
    pretext, of_test = _shortcuts(encoders, sources[1], size or SOURCE, on)
    result = Evaluation(
        loaded.spec.method.method, encoders.step, len(sources[0]), len(sources[1]), encoders.begun, on=data or "",
        notes=(*notes, *map(str, (*pretext, *of_test))), pretext=pretext, cues=of_test,
    )  # fmt: skip
    result = with_others(result, file)
    if wish is not None:
        result = _with_places(result, encoders, wish, file, device=on, must=wish is not own)
    asked = {name: one for name, one in asked.items() if is_labelled or not one.needs_labels}
    (seen,) = encoders.training_view.views
    plans = {
        name: by_recipe.planned(name, loaded, seen, shown, sources[0], allowed)
        for name, one in asked.items() if one.is_recipe
    }  # fmt: skip
    said = {name: plans[name].setting if one.is_recipe else one.setting for name, one in asked.items()}
    result = replace(result, settings={**result.settings, **said})
    sides: dict[Which, nn.Module] = {"trained": encoders.trained, "random": encoders.random, "pixels": nn.Flatten()}
    beside = supervised(run, sources[0].labels, seen, weights=weights, trains=with_labels, device=on, plugins=plugins)
    if beside is not None:
        sides["supervised"] = beside.encoder
        result = replace(result, notes=(*result.notes, beside.said))
    others = None if spread is None else Shared(spread, run.resolve(), saved.resolve(), shown, sources, allowed)
    learn = partial(
        by_recipe.learned, plans, run=run, saved=saved, test=sources[1], device=on, plugins=allowed
    )  # fmt: skip
    for side, encoder in sides.items():
        places = result.segmentation if side != "supervised" else None
        given = replace(
            _given(encoder, encoders, asked, sources, on, (others, side) if others and side != "supervised" else None),
            classifier=classifier if side == "trained" else None,
            learn=partial(learn, encoder=encoder, side=side) if side != "pixels" else None,
            places=getattr(places, side).linear if places else None,
        )
        result = _measured(result, side, asked, given, file)
    return result


def _shortcuts(
    encoders: Restored, test: Source, size: tuple[int, int], on: torch.device
) -> tuple[tuple[Pretext, ...], tuple[Cues, ...]]:
    """What predicts the method's own labels: noise, and test images of which only some cues are left."""
    pretext = asked_of_noise(encoders.method, encoders.views, size=size, device=on)
    of_test = cues(encoders.method, encoders.views, lambda rows: test.read(rows)[0], len(test), size=size, device=on)
    return pretext, of_test


def _with_places(
    result: Evaluation, encoders: Restored, wish: labelled_places.Wish, file: Path, *, device: torch.device, must: bool
) -> Evaluation:
    """The same with a segmentation. One that is no `must` and can't be measured becomes a note."""
    try:
        places = labelled_places.segmented(encoders, wish, device=device)
    except SslgraphError as reason:
        if must:
            raise
        return replace(result, notes=(*result.notes, f"segmentation is not measured: {reason}"))
    return written(replace(result, segmentation=places), file)


def _measured(result: Evaluation, side: Which, asked: Mapping[str, Protocol], given: Given, file: Path) -> Evaluation:
    """The same with one encoder's figures by each protocol; the file is written after every one of them."""
    figures = {**getattr(result, side), **{name: {} for name in asked}}
    for name, values, fault in protocols.measures(asked, given):
        figures[name] = {**figures[name], **values}
        notes = (*result.notes, f"{ROWS.get(side, result.begun)}: {fault}") if fault else result.notes
        found: dict[str, Any] = {side: dict(figures), "notes": notes}
        result = written(replace(result, **found), file)
    return result


def _given(
    encoder: nn.Module, encoders: Restored, asked: Mapping[str, Protocol], sources: Sequence[Source], on: torch.device,
    others: tuple[Shared, Which] | None,
) -> Given:  # fmt: skip
    """What these protocols measure of one encoder, or of the pixels themselves; `others` see the images for it."""
    if all(one.of_places or one.is_recipe for one in asked.values()):
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
    by_layer = others[0].layers(others[1], layers) if others else of_layers(encoder, layers, sources, view, device=on)
    return Given(bank, queries, seen, by_layer)


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
    unseen = int((~torch.isin(queries, bank)).sum())
    if unseen:
        notes.append(f"{unseen:,} of {len(queries):,} test images are of classes that no training image has")
    return True, tuple(notes)
