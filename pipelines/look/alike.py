"""Finds images that an encoder considers similar: the nearest to one image, and near-duplicates of a set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from sslgraph.errors import SslgraphError
from sslgraph.files.write_whole import write_whole
from sslgraph.parts import registry

from ..check.request import located, source_for
from ..evaluate.restored import newest, opened
from ..feed.feed import Source
from ..feed.inspection import splits_at
from ..machine import machine
from ..measure.features import extract
from ..measure.knn import GRID
from ..measure.likeness import directions, groups, mean_of
from .contact_picture import scaled

SIDE, GAP, LINE, TEXT = 150, 12, 15, 11
INK, PALE, PAPER = "#1B2733", "#5A6672", "#FFFFFF"


@dataclass(frozen=True)
class Likeness:
    """An image by its name, how near it is to the first of its row (cosine), and where to read it again."""

    name: str
    similarity: float
    source: Source
    index: int


Row = tuple[Likeness, ...]


@dataclass(frozen=True)
class Bank:
    """The images of a set, training and held-out, as an encoder sees them: rows of length 1, less their mean."""

    images: tuple[tuple[str, Source, int], ...]
    values: Float[Tensor, "images dim"]
    mean: Float[Tensor, "1 dim"]

    def likeness(self, row: int, similarity: float) -> Likeness:
        """One of its images."""
        name, source, index = self.images[row]
        return Likeness(name, similarity, source, index)


class Eye:
    """A run's encoder with what is needed to show it images."""

    def __init__(self, run: Path, plugins: tuple[str, ...] = ()) -> None:
        self.device = machine.device()
        self.run = opened(run, newest(run), device=self.device, plugins=plugins)

    def bank(self, path: str) -> Bank:
        """All images at a path that can be read; SslgraphError if there are fewer than two."""
        images, values = list[tuple[str, Source, int]](), list[Tensor]()
        for _, source in splits_at(path):
            found = extract(self.run.trained, source, self.run.view, device=self.device)
            images += [(_name(source, index), source, index) for index in found.index.tolist()]
            values.append(found.values)
        if len(images) < 2:
            raise SslgraphError(f"{path} holds one image, and there is nothing to compare it with")
        rows = torch.cat(values)
        mean = mean_of(rows)
        return Bank(tuple(images), directions(rows, mean), mean)

    def nearest(self, bank: Bank, image: str, count: int) -> Row:
        """An image and the `count` others of the set that are nearest to it; of equals the first."""
        path = located(image)
        source: Source = registry.build(source_for(path), {"path": path, "split": "train"})
        if len(source) != 1:
            raise SslgraphError(f"--of {image} holds {len(source)} images; name one image")
        found = extract(self.run.trained, source, self.run.view, device=self.device)
        similarity = bank.values @ directions(found.values, bank.mean)[0]
        order = (similarity * GRID).round().argsort(descending=True, stable=True).tolist()
        others = [row for row in order if bank.images[row][0] != _name(source, 0)]
        return (
            Likeness(_name(source, 0), 1.0, source, 0),
            *(bank.likeness(row, float(similarity[row])) for row in others[:count]),
        )


def duplicates(bank: Bank, above: float) -> Iterator[Row]:
    """Groups of images that a chain of likenesses above this cosine joins, the largest first."""
    for first, *others in groups(bank.values, above):
        cosine = (bank.values[others] @ bank.values[first]).tolist()
        yield (
            bank.likeness(first, 1.0),
            *(bank.likeness(row, value) for row, value in zip(others, cosine, strict=True)),
        )


def words(row: Row) -> str:
    """A row as lines: its first image, then each other with its cosine."""
    first, *others = row
    return "\n".join([first.name, *(f"  {other.similarity:.3f}  {other.name}" for other in others)])


def write_picture(rows: Sequence[Row], file: Path) -> None:
    """Each row as a line of small pictures, the first one apart; a PNG, whole or not at all."""
    step, high = SIDE + GAP, SIDE + 2 * GAP + 2 * LINE
    page = Image.new("RGB", (GAP * 3 + step * max(map(len, rows)), high * len(rows) + GAP), PAPER)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(TEXT)
    for line, row in enumerate(rows):
        top = GAP + line * high
        for place, one in enumerate(row):
            left = GAP + place * step + (2 * GAP if place else 0)
            (image,), _ = one.source.read(torch.tensor([one.index]))
            small = scaled(image.float() / 255, SIDE / max(image.shape[1:]))
            page.paste(small, (left, top + (SIDE - small.height) // 2))
            said = f"{one.similarity:.3f}" if place else "asked"
            pen.text((left, top + SIDE + 2), said, INK, font)
            pen.text((left, top + SIDE + 2 + LINE), _fitted(Path(one.name).name, font), PALE, font)
    write_whole(file, lambda opened: page.save(opened, format="PNG"))


def _fitted(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """A name as far as a small picture is wide: its end is what tells names apart."""
    if font.getlength(text) <= SIDE:
        return text
    while font.getlength(f"…{text}") > SIDE:
        text = text[1:]
    return f"…{text}"


def _name(source: Source, index: int) -> str:
    called = getattr(source, "name", None)
    return str(called(index)) if called else f"image {index}"
