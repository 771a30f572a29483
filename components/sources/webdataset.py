"""Tar shards in the form of WebDataset: the files of a sample stand in a row and share a name up to the first dot."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Literal

import numpy as np
import torch

from sslgraph.component import component
from sslgraph.errors import SslgraphError

from .album import Album, chosen
from .decoding import Picture, decode
from .image_folder import SUFFIXES
from .index_cache import Arrays, remembered
from .opening import store_at
from .store import SPLITS, File, Store, beside

THREADS = 8  # shards whose headers are read at a time
# Headers lie scattered over a shard. A piece this large costs a request little more than one of a few kilobytes.
PIECE = 4 * 2**20
NO_LABEL = np.iinfo(np.int64).min


@component(source="own; the form is that of the webdataset library", role="reader")
class WebDataset(Album):
    """Images in tar files, each read where it lies: any order and any resume are exact, and nothing is unpacked.

    A sample is a file such as 000123.jpg, with its label in 000123.cls (a number) or in 000123.json (under "label"), or
    with none. Headers of all shards are read once (some 20,000 samples a second from a local disk; from an address the
    shard passes by in pieces) and kept in the cache folder, `$SSLGRAPH_CACHE` or ~/.cache/sslgraph, until a shard
    changes; pixels are read when they are asked for, a request each. The order is that of the shards' names. Files or
    folders whose names have the word train, test or val in them are the splits; without such names every tenth image
    is the test split. Class names are the lines of a classes.txt beside the shards.

    Settings:
        path: a folder of .tar files, one such file, or an address: s3://bucket/shards, https://host/{000..146}.tar.
    """

    def __init__(
        self,
        *,
        path: str,
        split: Literal["train", "test"] = "train",
        limit: int | None = None,
        memory: float = 4.0,
        reads: int = 32,
        at_least: int | None = None,
    ) -> None:
        self._store, self._at_least = store_at(path, reads=reads), at_least
        files, is_split = _shards(self._store, split)
        self.shards = [file.name for file in files]
        with ThreadPoolExecutor(THREADS) as threads:
            found = list(threads.map(lambda file: _index(self._store, file), files))
        counts = [len(shard["sizes"]) for shard in found]
        if not sum(counts):
            raise SslgraphError(f"the {split} shards of {path} hold no images; images end in {', '.join(SUFFIXES)}")
        labels = np.concatenate([shard["labels"] for shard in found])
        is_labelled = labels != NO_LABEL
        known = torch.from_numpy(np.where(is_labelled, labels, -1)) if is_labelled.any() else None
        use, self.whole = chosen(known, sum(counts), split=split, is_split=is_split, limit=limit, where=path)
        self._shard = np.repeat(np.arange(len(files), dtype=np.int32), counts)[use]
        self._offset, self._size, self._names = (
            np.concatenate([shard[key] for shard in found])[use] for key in ("offsets", "sizes", "names")
        )
        self.labels = None if known is None else known[use]
        self.classes = tuple((beside(self._store, "classes.txt") or "").splitlines())
        super().__init__(count=len(use), memory=memory, reads=self._store.reads)

    @staticmethod
    def recognizes(path: str) -> bool:
        """Whether tar shards lie there."""
        return any(name.endswith(".tar") for name in store_at(path).top())

    def load(self, index: int) -> Picture:
        """One image."""
        shard = self.shards[self._shard[index]]
        encoded = self._store.read(shard, int(self._offset[index]), int(self._size[index]))
        return decode(encoded, self._at_least)

    def name(self, index: int) -> str:
        """Its shard, and its name in there."""
        return f"{self._store.place(self.shards[self._shard[index]])}, {self._names[index].decode()}"

    def listing(self) -> Iterator[bytes]:
        """The names of the samples in their shards, their sizes and labels."""
        yield b"\n".join(self._names.tolist())
        yield self._size.tobytes()
        yield b"" if self.labels is None else self.labels.numpy().tobytes()


def _shards(store: Store, split: str) -> tuple[list[File], bool]:
    """The files of a split, and whether their names say that they hold it and nothing else."""
    files = store.files(".tar")
    if not files:
        packed = next((file.name for file in store.files(".gz", ".tgz", ".zst", ".bz2", ".xz")), None)
        cure = f"{packed} is compressed and can't be read in any order: unpack it to .tar" if packed else (
            "give the folder of the .tar files, or one of them"
        )  # fmt: skip
        raise SslgraphError(f"{store.root} holds no .tar files; {cure}")
    if store.only:
        return files, False
    words = [set(re.split(r"[^a-z]+", file.name.lower())) for file in files]
    found = {name: [file for file, its in zip(files, words, strict=True) if its & set(SPLITS[name])] for name in SPLITS}
    if found["train"] and found["test"]:
        return found[split], True
    return found["train"] or files, False


def _index(store: Store, file: File) -> Arrays:
    return remembered("tar 1", store.place(file.name), file, lambda: _headers(store, file))


def _headers(store: Store, file: File) -> Arrays:
    """What a shard holds, by its headers: an image for each sample, with the label that stands beside it."""
    images: dict[str, tuple[int, int, str]] = {}
    labels: dict[str, int] = {}
    try:
        with store.open(file, PIECE) as shard, tarfile.open(fileobj=shard, mode="r:") as tar:
            for member in tar:
                folder, _, name = member.name.rpartition("/")
                stem, _, ending = name.partition(".")
                if not stem or not member.isreg() or member.issparse():
                    continue
                if member.offset_data + member.size > file.size:
                    raise tarfile.ReadError(f"{member.name} is cut short")
                sample = f"{folder}/{stem}"
                if f".{ending.lower()}" in SUFFIXES:
                    images.setdefault(sample, (member.offset_data, member.size, member.name))
                elif ending in ("cls", "json"):
                    label = _label(shard, member, ending)
                    labels |= {} if label is None else {sample: label}
            shard.seek(tar.offset)
            if not shard.read(tarfile.BLOCKSIZE):  # cut between two samples, where tarfile sees a whole archive
                raise tarfile.ReadError("it ends without the mark of an end")
    except (tarfile.TarError, OSError) as reason:
        raise SslgraphError(
            f"{store.place(file.name)} can't be read as a tar file ({reason}); fetch it again, or remove it"
        ) from reason
    offsets, sizes, names = zip(*images.values(), strict=True) if images else ((), (), ())
    return {
        "offsets": np.array(offsets, dtype=np.int64),
        "sizes": np.array(sizes, dtype=np.int64),
        "names": np.array([name.encode("utf-8", "surrogateescape") for name in names], dtype=np.bytes_),
        "labels": np.array([labels.get(sample, NO_LABEL) for sample in images], dtype=np.int64),
    }


def _label(file: IO[bytes], member: tarfile.TarInfo, ending: str) -> int | None:
    file.seek(member.offset_data)
    text = file.read(member.size)
    try:
        found = json.loads(text).get("label") if ending == "json" else int(text)
    except (ValueError, AttributeError) as reason:
        raise tarfile.ReadError(f"{member.name} holds no label: {text[:20]!r}") from reason
    return found if isinstance(found, int) else None
