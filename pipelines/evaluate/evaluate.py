"""A finished run measured: nearest neighbours and a linear probe of its encoder, beside what needs no training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from rich.table import Table
from torch import nn

from sslgraph import draws, whole_file
from sslgraph.amounts import percent
from sslgraph.errors import SslgraphError
from sslgraph.parts import registry
from sslgraph.read.load import load_recipe
from sslgraph.read.loaded import Loaded
from sslgraph.read.spec import Recipe

from ..check import check
from ..check.request import located, source_for
from ..feed.feed import Source
from ..machine import machine
from ..measure import online
from ..measure.features import Features, extract, extract_views
from ..measure.knn import Neighbours, knn
from ..measure.linear_probe import Probe, linear_probe
from ..measure.spectra import alpha_req, lidar, rankme, signal
from ..storage import checkpoint
from .restored import restored

FILE = "evaluation.json"
MEANINGS = """\
kNN, linear probe: share of test images classified correctly, higher is better.
RankMe, LiDAR: higher means that more dimensions are in use. alpha-ReQ: best near 1.
images / views: higher means that views of one image lie closer together than different images do."""
SPECTRUM = 2_000  # images whose features' spectrum is measured: it grows with them, so it is always of as many
IMAGES, VIEWS = 1_000, 10  # of LiDAR: the paper's number of images; of views it has up to 50


@dataclass(frozen=True)
class Measured:
    """One encoder's nearest neighbours and linear probe, and measures that need no labels (see spectra).

    LiDAR and the signal beside it are of training's first view; pixels, with more numbers than images, have none.
    """

    knn: Neighbours
    probe: Probe
    rankme: float
    alpha: float | None
    lidar: float | None = None
    signal: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """The trained encoder, the same one before training, and the pixels themselves, all on the same images."""

    method: str
    step: int
    bank: int
    queries: int
    trained: Measured
    random: Measured
    pixels: Measured
    begun: str = "random encoder"


def evaluate(run: Path, *, data: str | None = None, plugins: tuple[str, ...] = ()) -> Evaluation:
    """Measures the newest complete checkpoint of a run folder, and writes evaluation.json into it."""
    loaded, saved = _read(run)
    recipe, on = loaded.spec, machine.device()
    machine.use()
    allowed = check.allowed_in(loaded, plugins)
    use, settings = recipe.data.use, dict(recipe.data.settings)
    if data is not None:
        use, settings = source_for(data), {"path": located(data)}
    sources = [_source(use, settings, split, allowed) for split in ("train", "test")]
    train: Source = (
        registry.build(recipe.data.use, {**recipe.data.settings, "split": "train"}, allowed) if data else sources[0]
    )
    encoders = restored(loaded, saved, images=len(train), size=train.size, device=on, plugins=plugins)

    def measured(encoder: nn.Module) -> Measured:
        bank, queries = (extract(encoder, source, encoders.view, device=on) for source in sources)
        return _measured(bank, queries, encoders.wish)

    def encoded(encoder: nn.Module) -> Measured:
        seen = extract_views(encoder, sources[0], encoders.training_view, images=IMAGES, views=VIEWS, device=on)
        return replace(measured(encoder), lidar=lidar(seen), signal=signal(seen))

    trained, random, pixels = encoded(encoders.trained), encoded(encoders.random), measured(nn.Flatten())
    result = Evaluation(
        loaded.spec.method.method, encoders.step, len(sources[0]), len(sources[1]), trained, random, pixels,
        encoders.begun,
    )  # fmt: skip
    whole_file.put(run / FILE, f"{json.dumps(asdict(result), indent=2)}\n".encode())
    return result


def table(result: Evaluation) -> Table:
    """The figures of the trained encoder above those of the baselines; MEANINGS says how to read them."""
    title = f"{result.method}, step {result.step}: {result.bank:,} training and {result.queries:,} test images"
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in ("", "kNN", "linear probe", "RankMe", "alpha-ReQ", "LiDAR", "images / views"):
        shown.add_column(column, justify="left" if not column else "right")
    for name, found in (("trained", result.trained), (result.begun, result.random), ("raw pixels", result.pixels)):
        accuracies = (percent(found.knn.accuracy), percent(found.probe.accuracy))
        spectra = (_shown(found.alpha, 2), _shown(found.lidar, 0), _shown(found.signal, 2))
        shown.add_row(name, *accuracies, f"{found.rankme:.0f}", *spectra)
    shown.add_row("chance", percent(result.trained.knn.chance), percent(result.trained.probe.chance))
    return shown


def _shown(number: float | None, digits: int) -> str:
    return "-" if number is None else f"{number:.{digits}f}"


def _read(run: Path) -> tuple[Loaded[Recipe], Path]:
    """The newest checkpoint of a run and the recipe that it was trained with, by the checkpoint's own text."""
    there = checkpoint.complete(run / "checkpoints")
    if not there and not (run / checkpoint.TEXT).is_file():
        raise SslgraphError(
            f"{run} is no run folder: there is no {checkpoint.TEXT} in it; give the folder that train printed"
        )
    if not there:
        raise SslgraphError(f"{run} holds no complete checkpoint yet; let the run save one first")
    return load_recipe(str(there[-1] / checkpoint.TEXT)), there[-1]


def _source(use: str, settings: Mapping[str, Any], split: str, plugins: tuple[str, ...]) -> Source:
    found: Source = registry.build(use, {**settings, "split": split}, plugins)
    if found.labels is None:
        raise SslgraphError(
            f"evaluation compares labels, and the {split} images of {settings.get('path', use)} have none; "
            "give labelled images with --data"
        )
    return found


@torch.no_grad()
def _measured(bank: Features, queries: Features, wish: online.Setting) -> Measured:
    neighbours = knn(bank, queries, k=wish.k, temperature=wish.temperature)
    rows = bank.values[draws.fair(len(bank.values), SPECTRUM, bank.labels)]
    return Measured(neighbours, linear_probe(bank, queries), rankme(rows), alpha_req(rows))
