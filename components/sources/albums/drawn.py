"""Data that the program draws itself: an image is a function of its number, and is drawn when first asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from sslgraph import draws
from sslgraph.errors import SslgraphError
from sslgraph.ranges import Count, Whole

from ..names.splits import SplitSettings

Index = Int64[Tensor, "batch"]
# Images rendered at a time: few enough that the planes of one step stay in a core's cache.
CHUNK = 128


class DrawnSettings(SplitSettings, total=False):
    """The settings that `Drawn` describes, for the sources that pass them on; each says its own size."""

    seed: int


class Drawn(ABC):
    """A source whose `render` draws images by their numbers. It adds settings of its own, and passes these on.

    Settings:
        size: side of an image, pixels.
        split: train or test; they share no image.
        limit: so many of the images, as many of each label as there are.
        seed: another seed is another data set, no unit.
    """

    kind: ClassVar[str]  # of its streams of random numbers, and of sources.KIND

    def __init__(
        self, *, size: Count, split: Literal["train", "test"] = "train", limit: Count | None = None, seed: Whole = 0
    ) -> None:
        self.side, self.split, self.limit, self.seed = size, split, limit, seed
        self.size: tuple[int, int] | None = (size, size)
        self.broken: dict[int, str] = {}

    def choose(self, labels: Index, classes: tuple[str, ...]) -> None:
        """The images are those of these labels, the labels of all numbers there are, or a fair part of them."""
        self.count = len(labels) if self.limit is None else min(self.limit, len(labels))
        if self.count < 1 or self.side < 8:
            raise SslgraphError(
                f"sources.{self.kind} can't draw {self.count} images of {self.side} px; ask for 1 image of 8 px or more"
            )
        self.classes = classes
        self._rows = draws.fair(len(labels), self.count, labels)
        self.labels, self.whole = labels[self._rows], (len(labels), len(classes))
        self._pixels: UInt8[Tensor, "images 3 height width"] | None = None

    def __len__(self) -> int:
        return self.count

    def uniform(self, indices: Index, factor: str, count: int) -> Float[Tensor, "batch count"]:
        """Numbers of one factor for these images, from 0 to 1; each factor has a stream of its own."""
        stream = draws.stream_of(f"{self.kind} {factor}")
        return draws.uniform(draws.keyed(self.seed, int(self.split == "test"), indices, stream), count).float()

    def one_of(self, indices: Index, factor: str, count: int) -> Index:
        """For each of these images one of so many kinds."""
        return (self.uniform(indices, factor, 1)[:, 0] * count).long()

    @abstractmethod
    def render(self, indices: Index) -> UInt8[Tensor, "batch 3 height width"]:
        """These images, drawn anew."""

    def read(self, indices: Index) -> tuple[UInt8[Tensor, "batch 3 height width"], Index]:
        """The images at these indices; all are rendered at the first call and kept."""
        if self._pixels is None:
            self._pixels = torch.cat([self.render(chunk) for chunk in self._rows.split(CHUNK)])
        return self._pixels[indices], indices
