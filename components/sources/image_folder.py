"""Any folder of photographs: nested or flat, labelled by its subfolders or not at all."""

from __future__ import annotations

from typing import Literal, Unpack

import numpy as np

from sslgraph.amounts import counted
from sslgraph.component import component
from sslgraph.errors import SslgraphError

from .albums.encoded import EncodedSettings, Filed
from .decode.decoding import SUFFIXES, is_image
from .names.arranging import arranged_files
from .names.file_names import advice_on, by_file_names
from .names.map_folders import no_maps
from .stores.skipped import NOT_READ, Skipped
from .stores.store import Store
from .tables.beside import with_texts


@component(source="own", role="last reader")
class ImageFolder(Filed):
    """The image files below a folder or an address (s3://bucket/images), in the order of their paths.

    Labels come from the first level at which the folders part, besides those of splits; images that all lie in one
    folder have none, but held-out ones whose classes stand in a text beside them. Splits are folders such as train and
    val at any level, or words of all file names; without them a tenth of the images is the test split (docs/data.md).
    Rotation tags of cameras are obeyed, any colour mode becomes RGB, and a file that can't be decoded is replaced by
    the next one and named in `broken`. Files that are not read are counted in `notes`. A bucket is listed at each
    start, a thousand files a request: a million images are better read from tar shards.

    Settings:
        path: the folder, a .zip file, an image, a path with wildcards (photos/*.jpg), or the address.
        classes: what says the class of an image: its folder, or its file's name before the number (cat.0.jpg).
        label: the column that holds the labels, of a text beside the images; folders then say none.
    """

    def __init__(
        self,
        *,
        path: str,
        classes: Literal["folders", "names"] = "folders",
        label: str | None = None,
        **shared: Unpack[EncodedSettings],
    ) -> None:
        super().__init__(**shared)
        self._store = self.store_at(path)
        files, skipped = self._store.files(), self._store.skipped
        images = [file for file in files if file.name.lower().endswith(SUFFIXES)]
        others = [file for file in files if not file.name.lower().endswith(SUFFIXES)]
        self._store.refuse_links_out(images)
        if not images:
            for other in others:
                skipped.ending(other.name)
            raise SslgraphError(_nothing_found(path, skipped, self._store))
        images = [images[i] for i in no_maps([file.name for file in images], skipped)]
        names = [file.name for file in images]
        found = arranged_files(names, skipped)
        if classes == "names":
            found = by_file_names(found, names)
        found, known = with_texts(found, images, others, self._store, skipped, label)
        for other in others:
            if other.name not in known:
                skipped.ending(other.name)
        said = advice_on(found, names) if classes == "folders" else []
        rows = self.choose(found.labels, found.splits, len(images), where=path, notes=[*said, *skipped.lines()])
        self.files = [images[i].name for i in rows]
        self._sizes = np.array([images[i].size for i in rows], dtype=np.int64)
        self.classes = found.classes
        self.scale_files(len(images), lambda i: self._store.read(images[i].name), path)


def _nothing_found(path: str, skipped: Skipped, store: Store) -> str:
    others = sum(count for count, _ in skipped.found.values())
    said = next((line for line in skipped.lines() if NOT_READ not in line), "")
    if said:
        return f"{path} has no images; it holds {said}"
    for (what, _), (count, name) in skipped.found.items():
        if what == "extensionless file" and is_image(store.read(name)):
            return f"{path} has no images by their names, but {counted(count, what)}: add .jpg or .png to the names"
    example = next((example for _, example in skipped.found.values()), "")
    there = f"it holds {counted(others, 'other file')}, such as {example}" if others else "it is empty"
    return f"{path} has no images; {there}, and images end in {', '.join(SUFFIXES)}"
