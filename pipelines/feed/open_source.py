"""Builds the source of a recipe's `data`: a shipped one, one's own, or a data set of torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sslgraph import draws
from sslgraph.errors import SslgraphError
from sslgraph.parts import registry
from sslgraph.read.spec import Data

from .feed import Images, Index, Source, has_labels

NEEDS = ("labels", "classes", "broken", "size", "read")
ASKED = ("split", "limit")  # what is asked of every source, whatever its settings
TENTH = 10
CURE = "sslgraph new part sources/my_images.py writes one that works"


def open_source(use: str, settings: Mapping[str, Any], plugins: tuple[str, ...] = ()) -> Source:
    """The source with these settings, `split` and `limit` among them.

    An own class without a setting `split` is divided: a tenth of each class is held out, drawn once and for all, as of
    a folder without splits. One without `limit` is cut by the rule of all sources: each class equally often.
    """
    if ":" not in use:
        return registry.build(use, dict(settings), plugins)  # type: ignore[no-any-return]
    known = registry.signature(use, plugins).settings
    given = {name: value for name, value in settings.items() if name in known or name not in ASKED}
    made = _of(use, registry.build(use, given, plugins))
    rows = None if "split" in known else _split(made, str(settings.get("split", "train")))
    limit = None if "limit" in known else settings.get("limit")
    if limit is not None:
        there = torch.arange(len(made)) if rows is None else rows
        rows = there[draws.fair(len(there), limit, None if made.labels is None else made.labels[there])]
    return made if rows is None else Rows(made, rows)


def images_of(data: Data, split: str, plugins: tuple[str, ...] = (), **changes: Any) -> Source:
    """The images of a recipe's split; `changes` of its settings go before them."""
    return open_source(data.use, {**data.settings, "split": split, **changes}, plugins)


def unlabelled(data: Data, plugins: tuple[str, ...] = ()) -> str | None:
    """The first split in which no image has a label; None if both have some."""
    return next((split for split in ("train", "test") if not has_labels(images_of(data, split, plugins))), None)


def _split(made: Source, split: str) -> Index:
    held_out = draws.each_nth(len(made), TENTH, made.labels)
    if split != "train":
        if not len(held_out):
            raise SslgraphError(f"{len(made)} images are too few to hold a tenth of them out")
        return held_out
    is_trained = torch.ones(len(made), dtype=torch.bool)
    is_trained[held_out] = False
    return is_trained.nonzero()[:, 0]


def _of(use: str, made: Any) -> Source:
    if hasattr(made, "read"):
        missing = [name for name in NEEDS if not hasattr(made, name)]
        if missing or not hasattr(made, "__len__"):
            raise SslgraphError(f"the source '{use}' has no {', '.join(missing) or '__len__'}; {CURE}")
        return made  # type: ignore[no-any-return]
    if hasattr(made, "__getitem__") and hasattr(made, "__len__"):
        return Items(use, made)
    raise SslgraphError(f"'{use}' is no source of images: it has neither read nor __getitem__ and __len__; {CURE}")


class Rows:
    """Some of the images of a source."""

    def __init__(self, whole: Source, rows: Index) -> None:
        self.whole_source, self.rows = whole, rows
        self.labels = None if whole.labels is None else whole.labels[rows]
        self.classes, self.broken = whole.classes, whole.broken  # by the numbers of the whole; it grows while one reads
        self._place = torch.full((len(whole),), -1)
        self._place[rows] = torch.arange(len(rows))

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width, if all images share them."""
        return self.whole_source.size

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, indices: Index) -> tuple[Images, Index]:
        """The images; for a broken one the next good one among these, never one that is held out."""
        images, found = self.whole_source.read(self.rows[indices])
        places, tries = self._place[found], 0
        while bool((places < 0).any()) and tries < len(self):
            tries += 1
            indices = torch.where(places < 0, (indices + 1) % len(self), indices)
            images, found = self.whole_source.read(self.rows[indices])
            places = self._place[found]
        return images, places


class Items:
    """A data set of torch: `data[i]` is an image, or a tuple that begins with one. Labels are its `targets`."""

    def __init__(self, use: str, data: Any) -> None:
        self.use, self.data = use, data
        labels = next((getattr(data, name) for name in ("targets", "labels") if hasattr(data, name)), None)
        self.labels = None if labels is None else torch.as_tensor(labels).long()
        self.classes = tuple(map(str, getattr(data, "classes", ())))
        if self.labels is not None and not self.classes and len(self.labels):
            self.classes = tuple(map(str, range(1 + int(self.labels.max()))))
        self.broken: dict[int, str] = {}

    @property
    def size(self) -> tuple[int, int] | None:
        """Not known without reading all of them."""
        return None

    def __len__(self) -> int:
        return len(self.data)

    def read(self, indices: Index) -> tuple[Images, Index]:
        """The images as bytes, one by one; a broken one is an error of the data set's own."""
        return [_as_bytes(self.use, self.data[i]) for i in indices.tolist()], indices


def _as_bytes(use: str, item: Any) -> Tensor:
    """An image of channels, height and width from 0 to 255, from what a data set gives."""
    image = item[0] if isinstance(item, tuple | list) else item
    if isinstance(image, Tensor) and image.ndim == 3:
        return image if image.dtype == torch.uint8 else (image.clamp(0, 1) * 255).round().to(torch.uint8)
    if hasattr(image, "convert"):
        image = np.asarray(image.convert("RGB"))
    if isinstance(image, np.ndarray) and image.ndim == 3 and image.dtype == np.uint8:
        return torch.from_numpy(image.copy()).permute(2, 0, 1)
    raise SslgraphError(
        f"'{use}' gives a {type(image).__name__}, and no image: give a PIL image, an array of bytes [height, width, "
        "channels], or a tensor [channels, height, width] of bytes or of 0..1"
    )
