"""Images that are arrays of numbers: .npz and .npy files of numpy, and .mat files of MATLAB."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from sslgraph import draws
from sslgraph.component import component
from sslgraph.errors import SslgraphError

from .albums.encoded import Scaled, ScaledSettings
from .decode.decoding import Picture, pictured
from .decode.pixels import SAMPLE
from .names.arranging import arranged
from .packed.array_files import ENDINGS, Held, held
from .packed.array_layout import (
    axis_of,
    has_channels_first,
    images_of,
    is_of_images,
    labels_in,
    labels_of,
    names_of,
    spoken,
)
from .packed.row_files import ENDINGS as OF_ROWS
from .stores.opening import holds_shards, store_at
from .stores.store import class_names
from .tables.labels import numbered

LOOKED_AT = 16  # files that tell whether a folder is one of arrays
MEMORY = 0.8  # of the machine's, that arrays may take


@component(source="own; the layouts are those of keras, MedMNIST (arXiv:2110.14795) and SVHN", role="reader")
class Arrays(Scaled):
    """Arrays of images [images, height, width] or with channels behind or before them, and of their labels.

    Each array of three or four axes is one of images; an array with one number or word for each image, in the same
    .npz or .mat file or the same folder of .npy files, is that of its labels, or the one of several that is called so.
    Words of names say the splits: train_images and test_images, x_train and x_test, train.npz and test.npz
    (docs/data.md); without them a tenth is the test split. The images may stand along the last axis, as in .mat files.
    An .npy file is mapped into memory; the others are read whole. Nothing is unpickled.

    Settings:
        path: a .npz, .npy or .mat file, several by wildcards, or a folder of them.
        label: the name of the array that holds the labels.
        image: the name of the array that holds the images, where there are several.
    """

    def __init__(
        self, *, path: str, label: str | None = None, image: str | None = None, **shared: Unpack[ScaledSettings]
    ) -> None:
        super().__init__(**shared)
        store = store_at(path)
        files = store.files()
        everything = [one for file in files if file.name.lower().endswith(ENDINGS) for one in held(store, file)]
        skipped = store.skipped
        for file in files:
            if not file.name.lower().endswith((*ENDINGS, "classes.txt")) and not store.only:
                skipped.ending(file.name, "no array")
        images = images_of(path, everything, image, skipped)
        _refuse_beyond_memory(path, images)
        found = [labels_of(one, images, everything, label) for one in images]
        axes = [axis_of(*both) for both in zip(images, found, strict=True)]
        counts = [one.shape[axis] for one, axis in zip(images, axes, strict=True)]
        pieces = [labels_in(*both) for both in zip(found, counts, strict=True)]
        labels, self.classes = numbered(pieces, names_of(everything) or class_names(store))
        there = ", ".join(one.key for one in everything if one not in images)
        if labels is None and label is not None:
            cure = f"there are: {there or 'none'}"
            raise SslgraphError(f"{path} has no array '{label}' (data.label) with a class of each image; {cure}")
        taken = ", ".join(dict.fromkeys(one.key for one in found if one is not None))
        said = f"no array says a class of each image (data.label names one); beside the images there are: {there}"
        said = f"labels: {taken}" if labels is not None else said if there else ""
        of_image = np.repeat(np.arange(len(images)), counts)
        splits = arranged([spoken(one.place) for one in images], of_image, skipped).splits
        notes = [*([said] if said else []), *skipped.lines()]
        rows = self.choose(labels, splits, len(of_image), where=path, notes=notes)
        within = np.concatenate([np.arange(count) for count in counts])
        self._of, self._within = of_image[rows], within[rows]
        array = cache(lambda i: np.moveaxis(images[i].read(), axes[i], 0))
        self._arrays: dict[int, NDArray[Any]] = {i: array(i) for i in np.unique(self._of).tolist()}
        self._images, self._path, self.columns = images, path, tuple(map(str, everything))
        some = draws.fair(len(of_image), SAMPLE).tolist()  # of all splits, so that one range holds for all
        self.scale(lambda: (array(int(of_image[item]))[int(within[item])] for item in some), path)

    @staticmethod
    def recognizes(path: str) -> bool:
        """Whether arrays of images lie there, and neither images nor rows of them."""
        if not holds_shards(path, ENDINGS) or holds_shards(path, (*OF_ROWS, ".tar")):
            return False
        store = store_at(path)
        if store.only:
            return True
        return any(is_of_images(one) for file in store.files(*ENDINGS)[:LOOKED_AT] for one in held(store, file))

    def load(self, index: int) -> Picture:
        return pictured(self._pixels_of(index), self.scaling)

    def name(self, index: int) -> str:
        return f"{self._path}, {self._images[self._of[index]].key}[{self._within[index]}]"

    def listing(self) -> Iterator[bytes]:
        """The arrays, the sizes of their files, which images are used, and the labels: images have no names."""
        yield "\n".join(f"{one.place} {one.file.size} {one}" for one in self._images).encode("utf-8", "surrogateescape")
        yield self._of.tobytes()
        yield self._within.tobytes()
        yield self.label_bytes

    def _pixels_of(self, index: int) -> NDArray[Any]:
        image = np.array(self._arrays[int(self._of[index])][int(self._within[index])])  # a copy
        if image.ndim == 3 and has_channels_first(image.shape):
            image = image.transpose(1, 2, 0)
        return image.astype(np.uint8) * 255 if image.dtype == np.bool_ else image


def _refuse_beyond_memory(path: str, images: Sequence[Held]) -> None:
    """Arrays that would not fit in memory, as the head of a small file may claim."""
    needed = sum(
        int(np.prod(one.shape)) * one.dtype.itemsize for one in images if not one.file.name.lower().endswith(".npy")
    )
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > MEMORY * there:
        raise SslgraphError(
            f"{path}: its images take {needed / 2**30:,.0f} GiB unpacked, and this machine has "
            f"{there / 2**30:,.0f}; save each array as an .npy file, which is read as it is needed"
        )
