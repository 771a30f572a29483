"""What a run's encoder makes of real images: nearest neighbours, a two-dimensional map, predicted labels."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from PIL import Image
from torch import Tensor, nn

from sslgraph import draws
from sslgraph.checked import augmentations
from sslgraph.errors import SslgraphError
from sslgraph.read.loaded import method_in
from sslgraph.views.views import ViewProgram, pixel_view

from ...check import check
from ...evaluate.restored import restored
from ...feed.feed import Source, has_labels
from ...feed.label_maps import maps_of
from ...feed.open_source import Rows
from ...machine import machine
from ...measure.features import Features, extract
from ...measure.knn import GRID, Neighbours, knn
from ...measure.likeness import directions, mean_of
from ..contact_picture import scaled
from ..contact_sheet import class_name, file_name, undoing
from .painted import Painted, painted
from .place_colours import Coloured, coloured, principal
from .records import Record
from .sources import Sources

ASKED, NEAREST = 10, 6
MAPPED = 600
COLOURED = 5
THUMB = 64
Plane = Float[Tensor, "images 2"]


@dataclass(frozen=True)
class Picture:
    """An image of the data set: its index, its class if it has one, and for a neighbour how near it is (cosine).

    `name` is its file's, "" where it has none of its own.
    """

    index: int
    label: str
    image: Image.Image
    similarity: float = 1.0
    name: str = ""


@dataclass(frozen=True)
class Map:
    """Places of images in two dimensions, and the class of each (-1: none)."""

    title: str
    places: Plane
    labels: Int64[Tensor, "images"]
    index: Int64[Tensor, "images"]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """All of it, of one checkpoint; `notes` say in words what could not be had."""

    step: int
    bank: int
    queries: int
    asked: tuple[tuple[Picture, tuple[Picture, ...]], ...]
    maps: tuple[Map, ...]
    coloured: tuple[Coloured, ...]
    painted: tuple[Painted, ...]
    knn: dict[str, Neighbours]
    notes: tuple[str, ...]


def look(record: Record, train: Source, sources: Sources, *, most: int, plugins: tuple[str, ...] = ()) -> Seen:
    """Encodes at most `most` images of each split with the newest checkpoint; raises SslgraphError if it can't."""
    if record.checkpoint is None:
        raise SslgraphError("the run has saved no checkpoint yet")
    on = machine.device()
    machine.use()
    allowed = check.allowed_in(record.loaded, plugins)
    bank, queries, notes = _parts(lambda: sources(record.loaded.spec, "test", allowed), train, most)
    encoders = restored(
        record.loaded, record.checkpoint, images=len(train), size=train.size, device=on, plugins=plugins
    )

    def encoded(encoder: nn.Module, view: ViewProgram) -> tuple[Features, Features]:
        return extract(encoder, bank, view, device=on), extract(encoder, queries, view, device=on)

    trained, random = encoded(encoders.trained, encoders.view), encoded(encoders.random, encoders.view)
    scores = {}
    if not (has_labels(bank) and has_labels(queries)):
        notes.append("the images have no labels, so neighbours and map are shown without classes")
    elif not (record.evaluation or record.knn):  # nobody has measured it yet
        asked = {"trained": trained, "random encoder": random, "pixels": encoded(nn.Flatten(), pixel_view())}
        wish = encoders.wish
        scores = {n: knn(b, q, k=wish.k, temperature=wish.temperature) for n, (b, q) in asked.items()}
    colours: tuple[Coloured, ...] = ()
    try:
        shown = fair(queries, COLOURED)
        colours = coloured(encoders, queries.read(shown)[0], queries.rows[shown].tolist(), on)
    except (SslgraphError, RuntimeError, ValueError) as reason:  # of a net that takes images of one size only
        notes.append(f"places of images are not shown: {str(reason).splitlines()[0]}")
    images, index = queries.whole_source.read(queries.rows[fair(queries, COLOURED)])
    text = method_in(record.loaded)
    undo = undoing(text, augmentations(text, allowed))[encoders.method.graph.seen]
    return Seen(
        coloured=colours,
        painted=painted(encoders, images, index, undo, on, maps_of(queries.whole_source)),
        step=encoders.step,
        bank=len(trained[0].values),
        queries=len(trained[1].values),
        asked=neighbours(trained[0], trained[1], bank, queries),
        maps=(*maps("trained", trained[1]), *maps("before training", random[1])),
        knn=scores,
        notes=tuple(notes),
    )


def _parts(held_out: Callable[[], Source], train: Source, most: int) -> tuple[Rows, Rows, list[str]]:
    """What is compared with (training images) and what is asked about (held-out ones, if there are any)."""
    try:
        test = held_out()
    except SslgraphError as reason:
        chosen = fair(train, most)
        ask = torch.arange(len(chosen)) % 10 == 0
        note = f"there are no held-out images ({reason}); those asked about are training images"
        return Rows(train, chosen[~ask]), Rows(train, chosen[ask]), [note]
    return Rows(train, fair(train, most)), Rows(test, fair(test, most)), []


def fair(source: Source, most: int) -> Int64[Tensor, "images"]:
    """So many images of a source, drawn fairly, or all of them."""
    return draws.fair(len(source), most, source.labels)


def neighbours(
    bank: Features,
    queries: Features,
    bank_images: Rows,
    query_images: Rows,
    *,
    asked: int = ASKED,
    nearest: int = NEAREST,
) -> tuple[tuple[Picture, tuple[Picture, ...]], ...]:
    """For `asked` queries, drawn fairly, the `nearest` images of the bank by cosine; of equals the first.

    Cosines are of directions less their mean over the bank, as those of `sslgraph neighbours`: without that, an encoder
    that has learned little finds all images alike.
    """
    rows = draws.fair(len(queries.values), asked, queries.labels)
    mean = mean_of(bank.values)
    similarity = directions(queries.values[rows], mean) @ directions(bank.values, mean).T
    order = (similarity * GRID).round().argsort(dim=1, descending=True, stable=True)[:, :nearest]
    found = []
    for row, near, values in zip(rows.tolist(), order, similarity, strict=True):
        (query,) = _pictures(query_images, queries.index[row : row + 1], torch.ones(1))
        found.append((query, tuple(_pictures(bank_images, bank.index[near], values[near]))))
    return tuple(found)


def _pictures(source: Rows, index: Tensor, similarity: Tensor) -> list[Picture]:
    images, _ = source.read(index)
    labels = [-1] * len(index) if source.labels is None else source.labels[index].tolist()
    numbers = source.rows[index].tolist()
    return [
        Picture(
            number, class_name(source.classes, label), thumbnail(image), value, file_name(source.whole_source, number)
        )
        for number, label, image, value in zip(numbers, labels, images, similarity.tolist(), strict=True)
    ]


def thumbnail(image: Tensor) -> Image.Image:
    """A small picture; one that is small already stays as it is."""
    return scaled(image.float() / 255, min(1.0, THUMB * 1.5 / max(image.shape[1:])))


def maps(name: str, features: Features) -> tuple[Map, ...]:
    """The features of up to 600 images, brought to unit length, in two dimensions: linearly, and by neighbourhoods."""
    rows = draws.fair(len(features.values), MAPPED, features.labels)
    values = F.normalize(features.values[rows], dim=1)
    values = values[:, values.isfinite().all(0)]
    labels = torch.full((len(rows),), -1) if features.labels is None else features.labels[rows]
    if len(rows) <= 5 or values.shape[1] < 2 or float(values.std(0).max()) < 1e-6:
        return ()  # too few images, or an encoder that says the same of all of them
    ways: dict[str, Callable[[Tensor], Plane]] = {"PCA": pca, "t-SNE": tsne}
    return tuple(
        Map(f"{name}, {way}", make(values), labels, features.index[rows], features.classes)
        for way, make in ways.items()
    )


def pca(values: Float[Tensor, "images dim"]) -> Plane:
    """The two directions in which the features spread most, each pointing to where its largest weight is positive."""
    centred, first, _ = principal(values.double(), 2)
    places: Plane = (centred @ first.T).float()
    return places


def tsne(values: Float[Tensor, "images dim"]) -> Plane:
    """t-SNE (van der Maaten and Hinton, 2008), begun at the linear map and on one thread: no chance is in it."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(30.0, (len(values) - 1) / 3)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of equal features, which a collapsed encoder gives
        made = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(values.double().numpy())
    return torch.from_numpy(made).float().nan_to_num()
