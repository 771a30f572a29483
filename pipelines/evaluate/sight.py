"""Encodes images with a run's encoder, piece by piece: in this process, or in others that start the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph.compile.weights import Encoder
from sslgraph.errors import SslgraphError
from sslgraph.read.spec import Data
from sslgraph.views.views import pixel_view

from ..feed.feed import Index, Source
from ..feed.open_source import images_of
from ..feed.selection import Selection
from ..machine import machine
from ..machine.pieces import Spread
from ..measure.features import Features, extract
from .layers import Layers, parted
from .restored import opened

Which = Literal["trained", "random", "pixels", "supervised"]  # the last one is not shared out
Piece = tuple[int, int]  # the first of some images, and the one after the last
# As many images as are encoded at a time divide it, so that pieces hold the same batches as the whole.
PIECE = 2_048
SPLITS = ("train", "test")


@dataclass(frozen=True)
class Sight:
    """Which encoder of a run looks at which images, in words that any process understands.

    `splits` are those of `data`, read one after the other; `rows` are those of their images that count, None for all.
    `layers` names inner layers, whose features come side by side instead of the
    encoder's own. `places`: whether features of places are wanted, too.
    """

    run: Path
    saved: Path
    data: Data
    splits: tuple[str, ...]
    which: Which = "trained"
    rows: Index | None = None
    layers: tuple[str, ...] = ()
    places: bool = False
    plugins: tuple[str, ...] = ()

    def begin(self) -> Callable[[Piece], Seen]:
        """The encoder and the images, ready for pieces of them."""
        machine.use()
        device = machine.device()
        found = opened(self.run, self.saved, device=device, plugins=self.plugins)
        images = Selection(built(self.data, self.splits, self.plugins), self.rows)
        encoder = {"trained": found.trained, "random": found.random, "pixels": nn.Flatten()}[self.which]
        looking = _Looking(encoder, self.layers, places=self.places)
        view = pixel_view() if self.which == "pixels" else found.view

        def see(piece: Piece) -> Seen:
            some = extract(looking, images, view, device=device, channels_last=True, images=torch.arange(*piece))
            names = tuple(images.name(index) for index in some.index.tolist())
            return looking.parted(some, names)

        return see


@dataclass(frozen=True)
class Seen:
    """Features of some images, with their names; `widths` are those of the layers, `places` the features of places."""

    features: Features
    names: tuple[str, ...]
    widths: tuple[int, ...] = ()
    places: Float[Tensor, "images rows columns dim"] | None = None


class _Looking(nn.Module):
    """An encoder, or its layers, and its places behind them in the same row."""

    def __init__(self, encoder: nn.Module, layers: Sequence[str], *, places: bool) -> None:
        super().__init__()
        self.own = Layers(encoder, layers) if layers and isinstance(encoder, Encoder) else encoder
        self.of_places = encoder.places if places and isinstance(encoder, Encoder) else None
        self.grid: tuple[int, ...] = ()

    def forward(self, image: Tensor) -> Float[Tensor, "batch width"]:
        own: Tensor = self.own(image)
        if self.of_places is None:
            return own
        places = self.of_places(image).permute(0, 2, 3, 1)
        self.grid = tuple(places.shape[1:])
        return torch.cat([own.float(), places.flatten(1).float()], 1)

    def parted(self, some: Features, names: tuple[str, ...]) -> Seen:
        """Separates the features in each row from what follows them."""
        widths = tuple(self.own.widths) if isinstance(self.own, Layers) else ()
        if not self.grid:
            return Seen(some, names, widths)
        behind = self.grid[0] * self.grid[1] * self.grid[2]
        own, places = some.values[:, :-behind], some.values[:, -behind:]
        return Seen(replace(some, values=own), names, widths, places.unflatten(1, self.grid))


def built(data: Data, splits: Sequence[str], plugins: tuple[str, ...]) -> tuple[Source, ...]:
    """The images of these splits; a set too small to hold images out has training images only."""
    sources: list[Source] = []
    for split in splits:
        try:
            sources.append(images_of(data, split, plugins))
        except SslgraphError:
            if not sources:
                raise
    return tuple(sources)


@dataclass(frozen=True)
class Shared:
    """The features that several processes make of a run's training and test images: those that one would make."""

    spread: Spread
    run: Path
    saved: Path
    data: Data
    sources: tuple[Source, ...]
    plugins: tuple[str, ...] = ()

    def features(self, which: Which) -> tuple[Features, ...]:
        """Of the images of each source."""
        return self._whole(which, ())[0]

    def layers(self, which: Which, names: Sequence[str]) -> Mapping[str, tuple[Features, ...]]:
        """The same of some layers, by name."""
        return parted(names, *self._whole(which, tuple(names))) if names else {}

    def _whole(self, which: Which, layers: tuple[str, ...]) -> tuple[tuple[Features, ...], tuple[int, ...]]:
        whole, widths = list[Features](), tuple[int, ...]()
        for source, split in zip(self.sources, SPLITS, strict=True):
            sight = Sight(self.run, self.saved, self.data, (split,), which, layers=layers, plugins=self.plugins)
            found = [seen for seen in self.spread(sight.begin, pieces(len(source))) if len(seen.names)]
            index = torch.cat([seen.features.index for seen in found])
            values, widths = torch.cat([seen.features.values for seen in found]), found[0].widths
            labels = None if source.labels is None else source.labels[index]
            whole.append(Features(values, index, labels, source.classes))
        return tuple(whole), widths


def pieces(count: int, size: int | None = None) -> list[Piece]:
    """All images in their order, `size` at a time."""
    size = size or PIECE
    return [(start, min(start + size, count)) for start in range(0, count, size)]
