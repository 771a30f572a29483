"""Files of rows, opened alike: parquet, and the Arrow files of the datasets library (save_to_disk, and its cache)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sslgraph.errors import SslgraphError

from ..decode.mistaken import said_of
from ..stores.store import File, Folder, Store, beside

PARQUET, ARROW = ".parquet", (".arrow", ".feather")
ENDINGS = (PARQUET, *ARROW)
PIECE = 2**16  # of footers and labels, which lie far from each other
GROUP = 64  # rows of an Arrow file that are held together; it is mapped into memory, so any number would do
HEAD = b"ARROW1"  # how Arrow's file form begins; its stream form has no head
ABOUT = ("state.json", "dataset_info.json", "dataset_dict.json")  # what that library writes beside its rows
LEFTOVER = re.compile(r"(cache|tmp)[-\w]*\.arrow")  # what map and filter of the library leave in its folders


class ParquetRows:
    """A parquet file; `about` is its metadata where it was read before."""

    def __init__(self, opened: Any, about: Any = None) -> None:
        self._file = pq.ParquetFile(opened, metadata=about)
        self.about, self.schema = self._file.metadata, self._file.schema_arrow
        groups = (self.about.row_group(i) for i in range(self.about.num_row_groups))
        self.rows = [group.num_rows for group in groups]

    def bytes_of(self, leaf: str) -> list[int]:
        """How many bytes a column takes in each group of rows."""
        schema = self.about.schema
        at = next((i for i in range(self.about.num_columns) if schema.column(i).path == leaf), None)
        groups = [self.about.row_group(i) for i in range(len(self.rows))]
        return [0 if at is None else group.column(at).total_uncompressed_size for group in groups]

    def first(self, column: str, count: int) -> list[Any]:
        """The first values of a column."""
        rows = next(self._file.iter_batches(batch_size=count, columns=[column]), None)
        return [] if rows is None else rows.column(0).to_pylist()

    def read(self, columns: list[str]) -> Any:
        """Some columns as a table."""
        return self._file.read(columns=columns)

    def group(self, number: int, column: str) -> Any:
        """A column of a group of rows."""
        return self._file.read_row_group(number, columns=[column]).column(0).combine_chunks()


class ArrowRows:
    """An Arrow file of this machine in either of its two forms, mapped into memory."""

    def __init__(self, place: str) -> None:
        source = pa.memory_map(place)
        is_file, _ = source.read(len(HEAD)) == HEAD, source.seek(0)
        self.about: Any = self  # what is mapped once serves all reads
        self._table = (pa.ipc.open_file if is_file else pa.ipc.open_stream)(source).read_all()
        self.schema, count = self._table.schema, self._table.num_rows
        self.rows = [min(GROUP, count - start) for start in range(0, count, GROUP)]

    def bytes_of(self, leaf: str) -> list[int]:
        """How many bytes a column takes in each group of rows."""
        column = leaf.removesuffix(".bytes")
        if column not in self.schema.names:
            return [0] * len(self.rows)
        return [int(self._table[column].slice(i * GROUP, GROUP).nbytes) for i in range(len(self.rows))]

    def first(self, column: str, count: int) -> list[Any]:
        """The first values of a column."""
        values: list[Any] = self._table[column].slice(0, count).to_pylist()
        return values

    def read(self, columns: list[str]) -> Any:
        """Some columns as a table."""
        return self._table.select(columns)

    def group(self, number: int, column: str) -> Any:
        """A column of a group of rows."""
        return self._table[column].slice(number * GROUP, GROUP).combine_chunks()


Rows = ParquetRows | ArrowRows


@contextmanager
def rows_of(store: Store, file: File, about: Any = None) -> Iterator[Rows]:
    """A file of rows; SslgraphError with the reason if it is none. What was read by `about` is not read again."""
    if isinstance(about, ArrowRows):
        yield about
    elif file.name.lower().endswith(ARROW):
        yield _mapped(store, file)
    else:
        with store.open(file, PIECE) as opened:
            try:
                found = ParquetRows(opened, about)
            except pa.ArrowInvalid as reason:
                raise _unreadable(store, file, "parquet", reason) from reason
            yield found


def _mapped(store: Store, file: File) -> ArrowRows:
    if not isinstance(store, Folder):
        raise SslgraphError(
            f"{store.place(file.name)}: an Arrow file is mapped into memory, from a folder of this machine; "
            "bring it there, or write parquet, with to_parquet of the datasets library"
        )
    try:
        return ArrowRows(store.place(file.name))
    except (pa.ArrowException, OSError) as reason:
        raise _unreadable(store, file, "an Arrow file", reason) from reason


def _unreadable(store: Store, file: File, form: str, reason: Exception) -> SslgraphError:
    said = said_of(store.read(file.name, 0, PIECE)) or f"{reason}"
    return SslgraphError(f"{store.place(file.name)} can't be read as {form}: {said}")


def of_rows(store: Store, everything: Sequence[File]) -> list[File]:
    """The files of rows; those of the datasets library that its state.json does not name are counted, and left out."""
    found = [file for file in everything if store.only or file.name.lower().endswith(ENDINGS)]
    states = {file.name.rpartition("/")[0] for file in everything if file.name.rpartition("/")[2] == ABOUT[0]}
    named = {folder: _named(store, folder) for folder in states}
    kept = []
    for file in found:
        folder, _, name = file.name.rpartition("/")
        if not store.only and (LEFTOVER.fullmatch(name) or name not in named.get(folder, [name])):
            store.skipped.note(".arrow file", "left there by the datasets library, no part of the set", file.name)
        else:
            kept.append(file)
    return kept


def _named(store: Store, folder: str) -> list[str]:
    """The files of a saved data set, as its state.json says."""
    place = f"{folder}/{ABOUT[0]}".lstrip("/")
    try:
        state = json.loads(beside(store, place) or "")
        names = [str(one["filename"]) for one in state["_data_files"]]
    except (KeyError, TypeError, ValueError) as reason:
        raise SslgraphError(f"{store.place(place)} names no files of a data set ({reason}); save it again") from None
    if state.get("_indices_data_files") or state.get("_indices_files"):
        raise SslgraphError(
            f"{store.place(folder)} holds rows that an index chooses from; save it with flatten_indices() of datasets"
        )
    return names
