"""Joins several sources, or some of their images, into one source."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Int64
from torch import Tensor

from sslgraph.errors import SslgraphError

from .feed import Images, Index, Source


class Selection:
    """The images of some sources, one source after the other; classes of one name are one class.

    An image that can't be read gives way to the next one of the selection. A source without names of classes has their
    numbers as names.
    """

    def __init__(self, sources: Sequence[Source], rows: Index | None = None) -> None:
        """`rows` counts through all images of all sources; None takes all."""
        self.sources = tuple(sources)
        ends = torch.tensor([0, *map(len, self.sources)]).cumsum(0)
        self._start, everyone = ends[:-1], torch.arange(int(ends[-1]))
        self.rows = everyone if rows is None else rows
        self._of = torch.searchsorted(ends[1:], self.rows, right=True)
        self.classes, labels = _together(self.sources)
        self.labels = None if labels is None else labels[self.rows]
        self.broken: dict[int, str] = {}

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width, if all images share them."""
        sizes = {source.size for source in self.sources}
        return sizes.pop() if len(sizes) == 1 else None

    def __len__(self) -> int:
        return len(self.rows)

    def name(self, index: int) -> str:
        """What its source calls it."""
        source, row = self._at(index)
        called = getattr(source, "name", None)
        return str(called(row)) if called else f"image {row}"

    def read(self, indices: Index) -> tuple[Images, Index]:
        """The images at these indices, each broken one replaced by the next good one, and the indices really read."""
        found: dict[int, Tensor] = {}
        wanted = [self._good(index) for index in indices.tolist()]
        while missing := [index for index in dict.fromkeys(wanted) if index not in found]:
            for number, source in enumerate(self.sources):
                its = [index for index in missing if int(self._of[index]) == number]
                if its:
                    self._read(source, its, found)
            wanted = [self._good(index) for index in wanted]
        images = [found[index] for index in wanted]
        return (images if self.size is None else torch.stack(images)), torch.tensor(wanted, dtype=torch.long)

    def _read(self, source: Source, its: list[int], found: dict[int, Tensor]) -> None:
        rows = torch.tensor([self._at(index)[1] for index in its])
        images, really = source.read(rows)
        for index, image, row, asked in zip(its, images, really.tolist(), rows.tolist(), strict=True):
            if row == asked:
                found[index] = image
            else:
                self.broken[index] = source.broken.get(asked, f"{self.name(index)} can't be read")

    def _at(self, index: int) -> tuple[Source, int]:
        number = int(self._of[index])
        return self.sources[number], int(self.rows[index] - self._start[number])

    def _good(self, index: int) -> int:
        if len(self.broken) == len(self):
            raise SslgraphError(f"none of the {len(self)} images can be read: {next(iter(self.broken.values()), '')}")
        while index in self.broken:
            index = (index + 1) % len(self)
        return index


def _together(sources: Sequence[Source]) -> tuple[tuple[str, ...], Int64[Tensor, "images"] | None]:
    """The classes of all sources and the label of each image among them; -1 for none, None if no source has labels."""
    named = [_named(source.classes, source.labels) for source in sources]
    classes = tuple(dict.fromkeys(name for names in named for name in names))
    if all(source.labels is None for source in sources):
        return classes, None
    labels = []
    for source, names in zip(sources, named, strict=True):
        place = torch.tensor([*(classes.index(name) for name in names), -1])  # the last one: a label of -1
        its = source.labels
        labels.append(torch.full((len(source),), -1) if its is None else place[its.clamp(min=-1)])
    return classes, torch.cat(labels)


def _named(classes: tuple[str, ...], labels: Tensor | None) -> tuple[str, ...]:
    """A name for each class that a label says: its number where the names do not reach so far."""
    there = 0 if labels is None or not len(labels) else int(labels.max()) + 1
    return (*classes, *map(str, range(len(classes), there)))
