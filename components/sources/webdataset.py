"""Tar shards in the form of WebDataset: the files of a sample stand in a row and share a name up to the first dot."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Unpack

import numpy as np

from sslgraph.component import component
from sslgraph.errors import SslgraphError

from .albums.encoded import Encoded, EncodedSettings
from .decode.decoding import SUFFIXES
from .names.arranging import arranged, by_folder
from .names.map_folders import no_maps
from .packed.tar_index import indexed
from .stores.opening import holds_shards
from .stores.skipped import Skipped
from .stores.store import File, Store, class_names
from .tables.labels import lacking, numbered

PACKED = (".gz", ".tgz", ".zst", ".bz2", ".xz", ".zip")
THREADS = 8  # shards whose headers are read at a time


@component(source="own; the form is that of the webdataset library", role="reader")
class WebDataset(Encoded):
    """Images in tar files, each read where it lies: any order and any resume are exact, and nothing is unpacked.

    A sample is a file such as 000123.jpg, with its label in 000123.cls (a number or a word) or in 000123.json (under
    "label"); where none has one, the folders in the tars are the classes, and so are tars in a tar. Headers of all
    shards are read once (some 20,000 samples a second from a local disk; from an address the shard passes by in pieces)
    and kept in the cache folder, `$SSLGRAPH_CACHE` or ~/.cache/sslgraph, until a shard changes; pixels are read when
    they are asked for, a request each. The order is that of the shards' names. Splits are folders or words of names,
    such as train and val (docs/data.md); without them a tenth is the test split. Class names are the lines
    of a classes.txt beside the shards.

    Settings:
        path: a folder of .tar files, one such file, a path with wildcards, or an address: s3://bucket/shards,
            https://host/{000..146}.tar.
        label: the key of the json files, or the ending of the files, that holds the labels.
    """

    def __init__(self, *, path: str, label: str | None = None, **shared: Unpack[EncodedSettings]) -> None:
        super().__init__(**shared)
        self._store = self.store_at(path)
        files, skipped = _shards(self._store)
        self.shards = [file.name for file in files]
        with ThreadPoolExecutor(THREADS) as threads:
            found = list(threads.map(lambda file: indexed(self._store, file, label), files))
        counts = [len(shard["sizes"]) for shard in found]
        if not sum(counts):
            raise SslgraphError(f"the shards of {path} hold no images; images end in {', '.join(SUFFIXES)}")
        for shard, name in zip(found, self.shards, strict=True):
            for what, why, count, example in shard["skipped"].tolist():
                skipped.note(what, why, f"{name}/{example}", int(count))
        of_shard = np.repeat(np.arange(len(files), dtype=np.int32), counts)
        offsets, sizes, names = (
            np.concatenate([shard[key] for shard in found]) for key in ("offsets", "sizes", "names")
        )
        labels, self.classes = numbered([shard["labels"] for shard in found], class_names(self._store))
        places = [
            f"{self.shards[i]}/{name.decode('utf-8', 'surrogateescape')}"
            for i, name in zip(of_shard.tolist(), names.tolist(), strict=True)
        ]
        kept = no_maps(places, skipped)
        if len(kept) < len(places):
            of_shard, offsets, sizes, names = (array[kept] for array in (of_shard, offsets, sizes, names))
            labels, places = labels if labels is None else labels[kept], [places[i] for i in kept]
        there = arranged(*by_folder(places), skipped)
        keys = [key for shard in found for key in shard["keys"].tolist()]
        what = "key of the json files" if label is None else "key or ending"
        said = lacking(f"no sample of {path}", label, keys, what, keys) if labels is None else []
        if labels is None:
            labels, self.classes = there.labels, there.classes
        rows = self.choose(labels, there.splits, len(sizes), where=path, notes=[*said, *skipped.lines()])
        self._shard, self._offset, self._size, self._names = (
            array[rows] for array in (of_shard, offsets, sizes, names)
        )
        read = self._store.read
        self.scale_files(len(sizes), lambda i: read(self.shards[of_shard[i]], int(offsets[i]), int(sizes[i])), path)

    @staticmethod
    def recognizes(path: str) -> bool:
        """Whether tar shards lie there."""
        return holds_shards(path, ".tar")

    def encoded(self, index: int) -> bytes:
        """The bytes of its member."""
        shard = self.shards[self._shard[index]]
        return self._store.read(shard, int(self._offset[index]), int(self._size[index]))

    def name(self, index: int) -> str:
        return f"{self._store.place(self.shards[self._shard[index]])}, {self._names[index].decode('utf-8', 'replace')}"

    def listing(self) -> Iterator[bytes]:
        """The names of the samples in their shards, their sizes and labels."""
        yield b"\n".join(self._names.tolist())
        yield self._size.tobytes()
        yield self.label_bytes


def _shards(store: Store) -> tuple[list[File], Skipped]:
    """The tar files, and what lies beside them."""
    everything = store.files()
    skipped, files = store.skipped, [file for file in everything if store.only or file.name.lower().endswith(".tar")]
    for other in everything:
        if other not in files and other.name != "classes.txt":
            is_packed = other.name.lower().endswith(PACKED)
            skipped.ending(other.name, "compressed: unpack it to .tar" if is_packed else "not a .tar file")
    if not files:
        packed = next((f.name for f in everything if f.name.lower().endswith(PACKED)), None)
        cure = f"{packed} is compressed and can't be read in any order: unpack it to .tar" if packed else (
            "give the folder of the .tar files, or one of them"
        )  # fmt: skip
        raise SslgraphError(f"{store.root} holds no .tar files; {cure}")
    store.refuse_links_out(files)
    return files, skipped
