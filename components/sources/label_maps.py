"""Photographs with a class for each pixel: a folder of images, and beside it one of label maps."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Literal, Unpack

import numpy as np
import torch
from jaxtyping import Int64
from PIL import Image
from torch import Tensor

from sslgraph.component import component
from sslgraph.errors import SslgraphError
from sslgraph.ranges import NotNegative, Whole

from .albums.encoded import Filed
from .decode.decoding import SUFFIXES, Picture
from .names.arranging import arranged_files
from .names.splits import SplitSettings
from .stores.opening import store_at
from .stores.store import class_names

IMAGES = ("images",)
LABELS = ("labels", "masks", "annotations")
FORM = "images lie in a folder images, and their label maps under the same names in a folder labels beside it"
NOT_LABELLED = -1


@component(source="own", role="label maps")
class LabelMaps(Filed):
    """Images, and for each a picture of the same size whose numbers are the classes of its pixels.

    The images lie in a folder `images`, the maps in a folder `labels` (or `masks`, `annotations`) in its place, under
    the same name with any ending: train/images/a.jpg and train/labels/a.png, or images/train/a.jpg and
    labels/train/a.png. Splits are those of all sources (docs/data.md). Maps are grey or have a palette, whose numbers
    count. An image without a map is left out and counted. Lines of a classes.txt at the top name the classes.

    Settings:
        path: the folder, or an address.
        ignore: numbers that mean "not labelled".
    """

    def __init__(
        self,
        *,
        path: str,
        memory: NotNegative = 0.0,
        ignore: list[Whole] = [255],  # noqa: B006
        range: list[float] | Literal["auto"] | None = None,
        channels: list[Whole] | None = None,
        **shared: Unpack[SplitSettings],
    ) -> None:
        super().__init__(memory=memory, range=range, channels=channels, **shared)
        self.ignore, self._store = ignore, store_at(path)
        self.reads = self._store.reads
        files, skipped = self._store.files(), self._store.skipped
        found = [file.name for file in files if file.name.lower().endswith(SUFFIXES)]
        images = {key: name for name in found if (key := _key(name, IMAGES)) is not None}
        maps = {key: name for name in found if (key := _key(name, LABELS)) is not None}
        pairs = sorted((name, maps[key]) for key, name in images.items() if key in maps)
        if not pairs:
            there = f"{len(images)} images in folders images, {len(maps)} maps in folders labels, no two of one name"
            raise SslgraphError(f"{path} has no images with label maps: it holds {there}; {FORM}")
        if lonely := [name for key, name in images.items() if key not in maps]:
            skipped.note("image", "without a label map", lonely[0], len(lonely))
        splits = arranged_files([name for name, _ in pairs], skipped).splits
        rows = self.choose(None, splits, len(pairs), where=path, notes=skipped.lines())
        self.files, self._maps = ([pairs[i][k] for i in rows] for k in (0, 1))
        self.classes = tuple(class_names(self._store))
        self.scale_files(len(pairs), lambda i: self._store.read(pairs[i][0]), path)

    def listing(self) -> Iterator[bytes]:
        """The names of images and maps: they are another set's if any of them differs."""
        yield "\n".join(map("\t".join, zip(self.files, self._maps, strict=True))).encode("utf-8", "surrogateescape")

    def maps(self, indices: Int64[Tensor, "batch"]) -> list[Int64[Tensor, "height width"]]:
        """The class of each pixel of these images, -1 where it has none."""
        return [self._map(index) for index in indices.tolist()]

    def pair(self, index: int) -> tuple[Picture, Int64[Tensor, "height width"]]:
        """An image, and the class of each of its pixels, -1 where it has none."""
        try:
            image = self.load(index)
        except (OSError, ValueError) as wrong:
            raise SslgraphError(f"{self.name(index)} can't be read: {wrong}") from wrong
        classes = self._map(index)
        if classes.shape != image.shape[1:]:
            sizes = (f"{shape[1]} x {shape[0]}" for shape in (classes.shape, image.shape[1:]))
            file = self._store.place(self._maps[index])
            raise SslgraphError(f"the label map {file} has {' pixels, and its image '.join(sizes)}: both need one size")
        return image, classes

    def _map(self, index: int) -> Int64[Tensor, "height width"]:
        file = self._store.place(self._maps[index])
        try:
            picture = Image.open(io.BytesIO(self._store.read(self._maps[index])))
            numbers = np.asarray(picture)
        except (OSError, ValueError) as wrong:
            raise SslgraphError(f"the label map {file} can't be read: {wrong}") from wrong
        if numbers.ndim != 2:
            raise SslgraphError(
                f"the label map {file} has colours ({picture.mode}), and a map holds the number of a class in each "
                "pixel: save it as grey, or with a palette"
            )
        classes = torch.from_numpy(numbers.astype(np.int64))
        return torch.where(torch.isin(classes, torch.tensor(self.ignore)), NOT_LABELLED, classes)


def _key(name: str, folders: Sequence[str]) -> str | None:
    """What the path of an image and that of its map have in common; None if no folder of theirs is in it."""
    *parts, file = name.split("/")
    at = next((i for i in reversed(range(len(parts))) if parts[i].lower() in folders), None)
    return None if at is None else "/".join([*parts[:at], "*", *parts[at + 1 :], file.rpartition(".")[0]])
