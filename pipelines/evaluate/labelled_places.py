"""Segments images by the features of a run's encoder at their places, and compares with label maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int16, UInt8
from rich.table import Table
from torch import Tensor

from sslgraph.amounts import percent
from sslgraph.errors import SslgraphError
from sslgraph.parts import registry
from sslgraph.read.spec import Data
from sslgraph.views.views import ViewProgram

from ..check.request import located
from ..measure import segmentation
from ..measure.segmentation import Segmentation
from ..record.display import plain_table
from .restored import Restored

BATCH = 16
ENCODERS = ("trained", "random", "pixels")
PIXELS = 4  # a side: as many of an image's own pixels as the baseline sees of each place
MEANINGS = """\
mIoU: mean over classes of intersection over union, over all labelled pixels of the test images. Linear: a classifier of
frozen features of places. Retrieval: each place takes the classes of the 30 most alike places of training images."""

Seen = Callable[[Float[Tensor, "batch 3 side side"]], Float[Tensor, "batch dim rows columns"]]


@dataclass(frozen=True)
class Wish:
    """The `evaluate: {segmentation: ...}` of a recipe.

    Settings:
        path: a folder of images with label maps.
        size: side of the square to which images are squeezed, pixels; twice that of the first training view if left
            out.
        ignore: numbers in the maps that mean "not labelled".
        bank, queries: the most images of the train and of the test split.
    """

    path: str
    size: int | None = None
    ignore: tuple[int, ...] = (255,)
    bank: int = 500
    queries: int = 500


@dataclass(frozen=True)
class Told:
    """What one encoder's places tell."""

    linear: Segmentation
    retrieval: Segmentation


@dataclass(frozen=True)
class Segmented:
    """The trained encoder, the same one before training, raw pixels, and always the most frequent class."""

    size: int
    rows: int
    columns: int
    bank: int
    queries: int
    classes: tuple[str, ...]
    trained: Told
    random: Told
    pixels: Told
    chance: Segmentation


class LabelMaps(Protocol):
    """A source with the role "label maps"."""

    classes: tuple[str, ...]

    def __len__(self) -> int: ...

    def pair(self, index: int) -> tuple[Tensor, Tensor]: ...


def wish(evaluate: Mapping[str, Any], given: Mapping[str, Any] | None = None) -> Wish | None:
    """What a recipe's mapping and the settings of a command line ask for; None if neither asks for segmentation."""
    asked = {**(evaluate.get("segmentation") or {}), **(given or {})}
    return Wish(**{**asked, "ignore": tuple(asked.get("ignore", Wish.ignore))}) if "path" in asked else None


def of_run(data: Data) -> Wish | None:
    """The same for a run that was trained on images with label maps: they are measured, too. None for other images."""
    if data.use not in registry.with_role("label maps", "sources"):
        return None
    return Wish(data.settings["path"], ignore=tuple(data.settings.get("ignore", Wish.ignore)))


def segmented(encoders: Restored, asked: Wish, *, device: torch.device) -> Segmented:
    """Measures both encoders and the pixels on the same images; SslgraphError where that can't be."""
    encoders.trained.eval(), encoders.random.eval()
    size = asked.size or 2 * encoders.view.sizes(512, 512)["x"][0]
    program = encoders.sized_view(size)
    bank, queries = (
        _pairs(asked, split, most, size) for split, most in (("train", asked.bank), ("test", asked.queries))
    )
    classes = 1 + max(int(map_.max()) for map_ in (*bank.maps, *queries.maps))
    if len({int(class_) for map_ in bank.maps for class_ in map_.unique() if class_ >= 0}) < 2:
        raise SslgraphError(f"{asked.path}: segmentation needs training pixels of two classes or more")
    seen = {"trained": encoders.trained.places, "random": encoders.random.places}
    rows, columns = seen["trained"](_view(bank.squares[:1], program).to(device)).shape[2:]
    grid, found = (rows, columns), dict[str, Told]()
    shares = _rows(torch.stack([segmentation.shares(map_, classes, grid) for map_ in bank.maps]))
    for name, places in (seen | {"pixels": _pixels(grid)}).items():
        known, asked_of = (_places(some.squares, places, program, device) for some in (bank, queries))
        ways = [way(_rows(known), shares) for way in (segmentation.linear, segmentation.retrieval)]
        found[name] = Told(*(segmentation.judged(way, zip(asked_of, queries.maps, strict=True)) for way in ways))
    frequent = segmentation.always(int(shares.sum(0).argmax()), classes)
    chance = segmentation.judged(frequent, ((torch.zeros(1, *grid), map_) for map_ in queries.maps))
    names = bank.classes if len(bank.classes) >= classes else tuple(map(str, range(classes)))
    counts = (len(bank.maps), len(queries.maps))
    return Segmented(
        size, *grid, *counts, names[:classes], found["trained"], found["random"], found["pixels"], chance=chance
    )


def read(kept: Mapping[str, Any]) -> Segmented:
    """What evaluation.json says of it, as it was."""

    def one(told: Mapping[str, Any]) -> Segmentation:
        return Segmentation(**{**told, "classes": tuple(told["classes"])})

    sides = {name: Told(*(one(kept[name][way]) for way in ("linear", "retrieval"))) for name in ENCODERS}
    return Segmented(**{**kept, **sides, "classes": tuple(kept["classes"]), "chance": one(kept["chance"])})


def table(found: Segmented, begun: str) -> Table:
    """The figures of the trained encoder above those of the baselines; MEANINGS says how to read them."""
    counts = f"{found.bank:,} training and {found.queries:,} test images"
    title = f"segmentation: {counts}, {found.rows} x {found.columns} places"
    sides = {"trained": found.trained, begun: found.random, "raw pixels": found.pixels,
             "one class": Told(found.chance, found.chance)}  # fmt: skip
    rows = [
        (name, *(percent(figure) for way in (told.linear, told.retrieval) for figure in (way.miou, way.pixels)))
        for name, told in sides.items()
    ]
    return plain_table(("", "linear mIoU", "pixels right", "retrieval mIoU", "pixels right"), rows, title)


@dataclass(frozen=True)
class _Pairs:
    """Whole images squeezed to squares, so that each place has its truth, and the classes of their own pixels."""

    squares: UInt8[Tensor, "images 3 size size"]
    maps: list[Int16[Tensor, "height width"]]
    classes: tuple[str, ...]


def _pairs(asked: Wish, split: str, most: int, size: int) -> _Pairs:
    settings = {"path": located(asked.path), "split": split, "limit": most, "ignore": list(asked.ignore)}
    source: LabelMaps = registry.build(registry.with_role("label maps", "sources")[0], settings)
    squares, maps = torch.zeros(len(source), 3, size, size, dtype=torch.uint8), []
    for i in range(len(source)):
        image, map_ = source.pair(i)
        squares[i] = squeezed(image, size)
        maps.append(map_.short())
    return _Pairs(squares, maps, source.classes)


def squeezed(image: UInt8[Tensor, "3 height width"], side: int) -> UInt8[Tensor, "3 side side"]:
    """A whole image as a square."""
    return F.interpolate(image[None], (side, side), mode="bilinear", antialias=True)[0]


def _view(squares: Tensor, program: ViewProgram) -> Float[Tensor, "batch 3 size size"]:
    return program(squares, torch.arange(len(squares)), seed=0, epoch=0)["x.image"]


@torch.no_grad()
def _places(
    squares: Tensor, seen: Seen, program: ViewProgram, device: torch.device
) -> Float[Tensor, "images dim rows columns"]:
    return torch.cat([seen(_view(some, program).to(device)).float().cpu() for some in squares.split(BATCH)])


def _rows(maps: Float[Tensor, "images dim rows columns"]) -> Float[Tensor, "places dim"]:
    return maps.permute(0, 2, 3, 1).flatten(0, 2)


def _pixels(grid: tuple[int, int]) -> Seen:
    """The baseline: the image at 4 x 4 pixels a place, all of them in a row."""
    small = (PIXELS * grid[0], PIXELS * grid[1])
    return lambda images: F.pixel_unshuffle(F.adaptive_avg_pool2d(images, small), PIXELS)
