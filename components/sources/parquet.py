"""Parquet shards in the form of the Hugging Face hub: a column of encoded images, and perhaps one of labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from sslgraph.component import component
from sslgraph.errors import SslgraphError

from .album import Album, chosen
from .decoding import Picture, decode
from .index_cache import Arrays, remembered
from .kept import Kept
from .opening import store_at
from .store import SPLITS, File, Store, beside

IMAGE_COLUMNS = ("image", "img")
LABEL_COLUMNS = ("label", "labels", "fine_label")
THREADS = 8  # files whose footers are read at a time
PIECE = 2**16  # of footers and labels, which lie far from each other


@component(source="own; the form is that of the datasets library's Image feature", role="reader")
class Parquet(Album):
    """Images of parquet files: a column `image` of {bytes, path}, or of bytes, and a column `label` if there is one.

    Files whose names begin with train, test or val are the splits; without such names every tenth row is the test
    split. Class names come from the files' own schema, or from a classes.txt beside them. Footers and labels are read
    once and kept in the cache folder (see sources.webdataset). Parquet can't give one row without its whole group, so
    groups are kept, still encoded: each is read once if all fit in `memory`. If not, an image costs the reading of a
    group, and large groups are refused.

    Settings:
        path: a folder of .parquet files, one such file, or an address: s3://bucket/rows, https://host/{000..9}.parquet.
        memory: most that encoded groups, and decoded images of one size, may each take to be held, GiB.
        reads: row groups that are fetched at a time from an address.
        largest_group: most that the images of a row group may take where not all fit in memory, MiB.
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
        largest_group: float = 4.0,
    ) -> None:
        self._store, self._at_least = store_at(path, reads=reads), at_least
        files, is_split = _shards(self._store, split)
        with ThreadPoolExecutor(THREADS) as threads:
            found = list(threads.map(lambda file: _index(self._store, file), files))
        self._column = _one_column([str(index["column"]) for index in found], files)
        rows, sizes, labels = (np.concatenate([index[key] for index in found]) for key in ("rows", "bytes", "labels"))
        known = torch.from_numpy(labels) if len(labels) else None
        self._row, self.whole = chosen(known, int(rows.sum()), split=split, is_split=is_split, limit=limit, where=path)
        if not len(self._row):
            raise SslgraphError(f"the {split} split of {path} has no rows")
        counts = [len(index["rows"]) for index in found]
        self._groups = [(file, i) for file, count in zip(files, counts, strict=True) for i in range(count)]
        self._first = rows.cumsum() - rows
        self._group = np.searchsorted(self._first + rows, self._row, side="right")
        used = np.unique(self._group)
        _refuse_large_groups(path, sizes[used], rows[used], memory, largest_group)
        self._kept: Kept[int, Any] = Kept(max(int(memory * 2**30), 2 * int(sizes[used].max())))
        self._about = lru_cache(1024)(self._footer)
        self.labels = None if known is None else known[self._row]
        names = found[0]["classes"].tolist() or (beside(self._store, "classes.txt") or "").splitlines()
        self.classes = tuple(names) if self.labels is not None else ()
        self._names = f"{path}, {split} row"
        super().__init__(count=len(self._row), memory=memory, reads=self._store.reads)

    @staticmethod
    def recognizes(path: str) -> bool:
        """Whether parquet files lie there."""
        return any(name.endswith(".parquet") for name in store_at(path).top())

    def load(self, index: int) -> Picture:
        """One image."""
        group = int(self._group[index])
        encoded = self._kept.get(group, lambda: self._encoded(*self._groups[group]))
        return decode(encoded[int(self._row[index] - self._first[group])].as_py() or b"", self._at_least)

    def name(self, index: int) -> str:
        """Its split and number."""
        return f"{self._names} {index}"

    def listing(self) -> Iterator[bytes]:
        """The names and sizes of the files, which of their rows are used, and the labels: rows have no names."""
        yield "\n".join(f"{file.name} {file.size}" for file, _ in self._groups).encode("utf-8", "surrogateescape")
        yield self._row.tobytes()
        yield b"" if self.labels is None else self.labels.numpy().tobytes()

    def _encoded(self, file: File, group: int) -> tuple[Any, int]:
        """The encoded images of a row group of a file, and how many bytes they take."""
        with self._store.open(file, PIECE) as opened:
            table = pq.ParquetFile(opened, metadata=self._about(file)).read_row_group(group, columns=[self._column])
        images = table.column(0).combine_chunks()
        images = images.field("bytes") if pa.types.is_struct(images.type) else images
        return images, int(images.nbytes)

    def _footer(self, file: File) -> Any:
        with self._store.open(file, PIECE) as opened:
            return pq.read_metadata(opened)


def _shards(store: Store, split: str) -> tuple[list[File], bool]:
    """The files of a split, and whether their names say that they hold it and nothing else."""
    files = store.files(".parquet")
    if not files:
        raise SslgraphError(f"{store.root} holds no .parquet files; give the folder of the files, or one of them")
    if store.only:
        return files, False
    found = {
        name: [file for file in files if file.name.rpartition("/")[2].startswith(begins)]
        for name, begins in SPLITS.items()
    }
    if found["train"] and found["test"]:
        return found[split], True
    return found["train"] or files, False


def _index(store: Store, file: File) -> Arrays:
    return remembered("parquet 1", store.place(file.name), file, lambda: _columns_and_groups(store, file))


def _columns_and_groups(store: Store, shard: File) -> Arrays:
    """The column of images, rows and bytes of each group, all labels, and the names of classes."""
    name = shard.name
    with store.open(shard, PIECE) as opened:
        try:
            file = pq.ParquetFile(opened)
        except pa.ArrowInvalid as reason:
            raise SslgraphError(f"{store.place(name)} can't be read as parquet: {reason}") from reason
        schema, about = file.schema_arrow, file.metadata
        images = sorted((f.name for f in schema if _holds_images(f.type)), key=lambda name: name not in IMAGE_COLUMNS)
        if not images:
            raise SslgraphError(
                f"{store.place(name)} has no column of images; its columns are {', '.join(schema.names)}, "
                "and one must hold encoded bytes, or {bytes, path}"
            )
        column = f"{images[0]}.bytes" if pa.types.is_struct(schema.field(images[0]).type) else images[0]
        leaf = next(i for i in range(about.num_columns) if about.schema.column(i).path == column)
        groups = [about.row_group(i) for i in range(about.num_row_groups)]
        whole = [field.name for field in schema if pa.types.is_integer(field.type)]
        label = next((name for name in LABEL_COLUMNS if name in whole), None)
        labels = file.read(columns=[label])[label].fill_null(-1).to_numpy() if label else []
    return {
        "column": np.array(column),
        "rows": np.array([group.num_rows for group in groups], dtype=np.int64),
        "bytes": np.array([group.column(leaf).total_uncompressed_size for group in groups], dtype=np.int64),
        "labels": np.asarray(labels, dtype=np.int64),
        "classes": np.array(_classes(schema.metadata or {}, label), dtype=np.str_),
    }


def _holds_images(kind: Any) -> bool:
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and _holds_images(field.type) for field in kind)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _classes(about: dict[bytes, bytes], label: str | None) -> list[str]:
    """Class names as the datasets library writes them into the schema."""
    features = json.loads(about[b"huggingface"]).get("info", {}).get("features", {}) if b"huggingface" in about else {}
    return list((features.get(label) or {}).get("names") or ())


def _one_column(columns: list[str], files: list[File]) -> str:
    for column, file in zip(columns, files, strict=True):
        if column != columns[0]:
            raise SslgraphError(f"{file.name} has its images in {column}, and {files[0].name} in {columns[0]}")
    return columns[0]


def _refuse_large_groups(path: str, sizes: Any, rows: Any, memory: float, largest: float) -> None:
    total, group = int(sizes.sum()), int(sizes.max())
    if total <= memory * 2**30 or group <= largest * 2**20:
        return
    fitting = max(1, int(largest * 2**20 * rows.sum() / total))
    raise SslgraphError(
        f"{path}: an image can be read only with its row group, here of up to {group / 2**20:,.0f} MiB, and all of "
        f"them ({total / 2**30:,.1f} GiB) do not fit in memory: {memory:g} GiB\n"
        f"  prepare them once (sslgraph data PATH --prepare OUT), or write them with row groups of {fitting} rows; "
        f"or raise memory:, or allow it with largest_group: {group / 2**20 + 1:.0f}"
    )
