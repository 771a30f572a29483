"""Rows in the form of the Hugging Face hub: a column of encoded images, and perhaps one of labels."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from typing import Any, Unpack

import numpy as np

from sslgraph.component import component
from sslgraph.errors import SslgraphError
from sslgraph.ranges import NotNegative

from .albums.encoded import Encoded, EncodedSettings
from .decode.decoding import SUFFIXES
from .names.arranging import arranged, said_by_rows
from .packed.kept import Kept
from .packed.parquet_index import indexed, read
from .packed.row_files import ABOUT, ARROW, ENDINGS, of_rows, rows_of
from .stores.index_cache import Arrays
from .stores.opening import holds_shards, store_at
from .stores.store import File, Store, beside, class_names
from .tables.labels import Codes, as_named, lacking, numbered

THREADS = 8  # files whose footers are read at a time


@component(source="own; the form is that of the datasets library's Image feature", role="reader")
class Parquet(Encoded):
    """Images of parquet or Arrow files: a column of {bytes, path}, or of bytes, and a column `label` if there is one.

    Where bytes are null, the path is that of a file, from the folder of the parquet file on. Splits are folders or
    words of names, such as train and test (docs/data.md); without them a tenth is the test split. Class names
    come from the files' own schema, or from a classes.txt beside them; labels that are texts are numbered in their
    order. Footers and labels are read once and kept in the cache folder (see sources.webdataset). Parquet can't give
    one row without its whole group, so groups are kept, still encoded: each is read once if all fit in `memory`. If
    not, an image costs the reading of a group, and large groups are refused. Arrow files, as save_to_disk of the
    datasets library writes them, are mapped into memory, from a folder of this machine.

    Settings:
        path: a folder of .parquet or .arrow files, one such file, a path with wildcards, the name of a data set in the
            Hugging Face hub's cache, or an address: s3://bucket/rows, https://host/{000..9}.parquet.
        memory: most that encoded groups, and decoded images of one size, may each take to be held, GiB.
        reads: row groups that are fetched at a time from an address.
        label: the column that holds the labels.
        image: the column that holds the images, where there are several.
        largest_group: most that the images of a row group may take where not all fit in memory, MiB.
    """

    def __init__(
        self,
        *,
        path: str,
        label: str | None = None,
        image: str | None = None,
        largest_group: NotNegative = 4.0,
        **shared: Unpack[EncodedSettings],
    ) -> None:
        super().__init__(**shared)
        self._store = self.store_at(path)
        files, found = _shards(self._store, label, image)
        skipped = self._store.skipped
        self._column = _one_column([str(index["column"]) for index in found], files)
        rows, sizes = (np.concatenate([index[key] for index in found]) for key in ("rows", "bytes"))
        labels, self.classes = _numbered(found, class_names(self._store))
        of_row = np.repeat(np.arange(len(files)), [int(index["rows"].sum()) for index in found])
        splits = arranged([file.name for file in files], of_row, skipped).splits
        if not splits.any():
            by_column = np.concatenate([index["splits"] for index in found])
            said_by_column = said_by_rows(by_column, skipped, "row", "row {}".format)
            splits = splits if said_by_column is None else said_by_column
        for other in sorted({name for index in found for name in index["others"].tolist()} - {self._column}):
            why = "holds images, too, and is not used; data.image names the one that is"
            skipped.note("further column", why, other.removesuffix(".bytes"))
        names, like = ([name for index in found for name in index[key].tolist()] for key in ("columns", "like"))
        said = lacking(f"no row of {path}", label, like, "column", names) if labels is None else []
        self._row = self.choose(labels, splits, len(of_row), where=path, notes=[*said, *skipped.lines()])
        if not len(self._row):
            raise SslgraphError(f"the {self.split} split of {path} has no rows")
        self.scale_files(len(of_row), self._in_row, path)
        counts = [len(index["rows"]) for index in found]
        self._groups = [(file, i) for file, count in zip(files, counts, strict=True) for i in np.arange(count).tolist()]
        self._first = rows.cumsum() - rows
        used = np.unique(np.searchsorted(self._first + rows, self._row, side="right"))
        if not files[0].name.lower().endswith(ARROW):  # they are mapped, and give one row alone
            _refuse_large_groups(path, sizes[used], rows[used], self.memory, largest_group)
        self._kept: Kept[int, Any] = Kept(max(int(self.memory * 2**30), 2 * int(sizes[used].max())))
        self._about = lru_cache(1024)(self._footer)
        self._names = f"{path}, {self.split} row"
        self.columns = tuple(dict.fromkeys(names))

    @staticmethod
    def recognizes(path: str) -> bool:
        """Whether parquet files lie there, and are no table of a folder's images; one that names their files is."""
        return holds_shards(path, ENDINGS) or _names_images(store_at(path))

    def encoded(self, index: int) -> bytes:
        """The bytes of its row, or of the file that its row names."""
        return self._in_row(int(self._row[index]))

    def _in_row(self, number: int) -> bytes:
        group = int(np.searchsorted(self._first, number, side="right")) - 1
        encoded = self._kept.get(group, lambda: self._encoded(*self._groups[group]))
        row = encoded[int(number - self._first[group])].as_py()
        if isinstance(row, dict):
            row = row["bytes"] or self._beside(self._groups[group][0], row.get("path"))
        return row or b""

    def name(self, index: int) -> str:
        return f"{self._names} {index}"

    def listing(self) -> Iterator[bytes]:
        """The names and sizes of the files, which of their rows are used, and the labels: rows have no names."""
        yield "\n".join(f"{file.name} {file.size}" for file, _ in self._groups).encode("utf-8", "surrogateescape")
        yield self._row.tobytes()
        yield self.label_bytes

    def _encoded(self, file: File, group: int) -> tuple[Any, int]:
        """The encoded images of a row group of a file, and how many bytes they take."""
        with rows_of(self._store, file, self._about(file)) as rows:
            images = rows.group(group, self._column.removesuffix(".bytes"))
        return images, int(images.nbytes)

    def _beside(self, file: File, path: str | None) -> bytes:
        """The image that a row names instead of holding it: a path from the folder of the file on."""
        if not path:
            return b""
        name = posixpath.normpath(posixpath.join(posixpath.dirname(file.name), path))
        if name.startswith(("/", "../")):
            raise ValueError(f"its path {path} leads out of the folder")
        self._store.refuse_links_out([File(name, 0, "", is_link=True)])
        return self._store.read(name)

    def _footer(self, file: File) -> Any:
        with rows_of(self._store, file) as rows:
            return rows.about


def _shards(store: Store, label: str | None, image: str | None) -> tuple[list[File], list[Arrays]]:
    """The parquet files with images and what their footers say; the others are counted."""
    everything = store.files()
    files = of_rows(store, everything)
    if not files:
        raise SslgraphError(f"{store.root} holds no .parquet files; give the folder of the files, or one of them")
    store.refuse_links_out(files)
    _refuse_several_configurations(store, files)
    with ThreadPoolExecutor(THREADS) as threads:
        found = list(threads.map(lambda file: indexed(store, file, label, image), files))
    named = SUFFIXES if any(map(_are_named, found)) else ()  # these are read where rows name them
    for other in everything:
        is_read = other.name == "classes.txt" or other.name.rpartition("/")[2] in ABOUT
        if not is_read and not other.name.lower().endswith((*ENDINGS, *named)):
            store.skipped.ending(other.name, "not a .parquet file")
    for file, index in zip(files, found, strict=True):
        if not str(index["column"]):
            store.skipped.ending(file.name, "no column of images")
    kept = [pair for pair in zip(files, found, strict=True) if str(pair[1]["column"])]
    if not kept:
        what = "of images" if image is None else f"{image!r} (data.image) of images"
        raise SslgraphError(
            f"{store.place(files[0].name)} has no column {what}; its columns are "
            f"{', '.join(found[0]['columns'].tolist())}, and one must hold encoded bytes, or {{bytes, path}}"
        )
    return [file for file, _ in kept], [index for _, index in kept]


def _refuse_several_configurations(store: Store, files: list[File]) -> None:
    """One data set of the hub in several forms, a folder for each: their rows are the same images twice."""
    named = re.findall(r"^\s*-?\s*config_name:\s*['\"]?([\w.-]+)", beside(store, "README.md") or "", re.MULTILINE)
    folders = {part for file in files for part in file.name.split("/")[:-1]}
    if len(there := [name for name in dict.fromkeys(named) if name in folders]) > 1:
        raise SslgraphError(f"{store.root} holds the configurations {', '.join(there)} of one data set (README.md); "
                            f"give the folder of one: {store.place(there[0])}")  # fmt: skip


def _numbered(found: list[Arrays], names: list[str]) -> tuple[Codes | None, tuple[str, ...]]:
    """The classes of all rows, and their names: by the schemas of the files, or `names`, the lines of a classes.txt."""
    pieces, named = [index["labels"] for index in found], [tuple(index["classes"].tolist()) for index in found]
    lists = set(named) - {()}
    if len(lists) < 2:
        return numbered(pieces, next(iter(lists), names))
    return numbered([as_named(*both) for both in zip(pieces, named, strict=True)])


def _names_images(store: Store) -> bool:
    """Whether the first of some parquet files holds paths in place of images."""
    first = next((name for name in store.top() if name.lower().endswith(ENDINGS)), None)
    if first is None:
        return False
    with suppress(SslgraphError):
        return _are_named(read(store, File(first, store.size(first), ""), None))
    return False


def _are_named(index: Arrays) -> bool:
    """Whether rows hold the paths of images in place of their bytes."""
    return bool(str(index["column"]).endswith(".bytes") and index["bytes"].sum() < 16 * index["rows"].sum())


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
