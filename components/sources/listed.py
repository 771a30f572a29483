"""Images that a list or a table names, with the labels that stand there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from sslgraph.component import component
from sslgraph.errors import SslgraphError
from sslgraph.files.addresses import is_address

from .albums.encoded import EncodedSettings, Filed
from .decode.decoding import SUFFIXES
from .names.arranging import arranged, by_folder
from .names.splits import NEITHER, are_split, by_columns, by_word
from .stores.opening import holds_shards
from .stores.skipped import Skipped
from .stores.store import File, Folder, kind_of
from .stores.wildcards import matching
from .tables.beside import NOT_THERE
from .tables.file_column import Places, column_of
from .tables.label_column import label_column, one_hot, others, values_in
from .tables.labels import USUAL, Raw, advice, none, numbered, raw
from .tables.tables import ENDINGS, Row, rows_of

BESIDE, FILES = ("metadata.csv", "metadata.jsonl"), "file_name"  # a table of a folder of images, and its column
HEAD = 2**16  # bytes of a table's first line
WEB = re.compile(r"^\W*https?://")


@component(source="own; metadata.csv is that of the datasets library's ImageFolder", role="reader")
class Listed(Filed):
    """The images that a text names: lines of paths, a CSV or TSV table, JSON lines, JSON of COCO's form.

    Also a folder of images with a `metadata.csv` or `metadata.jsonl`. A path counts from the text's own folder on;
    where the table has names only, or numbers, the files below that folder are searched for them. Lines that begin with
    # are none. The column of files is the one whose texts are files. Labels stand in the column `label`, or in the only
    other one; else folders say them. Splits are a column `split`, words of several lists' names, or folders and words
    as everywhere (docs/data.md).

    Settings:
        path: a .txt, .csv, .tsv, .jsonl or .json file, several by wildcards, or a folder with a metadata.csv.
        label: the column that holds the labels.
    """

    def __init__(
        self,
        *,
        path: str,
        label: str | None = None,
        **shared: Unpack[EncodedSettings],
    ) -> None:
        super().__init__(**shared)
        texts, is_beside = _texts(path), Path(path).expanduser().is_dir()
        folder = Path(os.path.commonpath([text.parent for text in texts]))
        self._store = Folder(str(folder), links=self.links)
        skipped, rows = Skipped(), list[_Named]()
        for text in texts:
            rows += _named(text, self._store, skipped, stays_inside=is_beside)
        rows = _once(rows, skipped)
        if is_beside:
            _count_unnamed(self._store, rows, skipped)
        if not rows:
            said = "; ".join(skipped.lines()).replace(f": {NOT_THERE}", "") or "it has no lines"
            raise SslgraphError(f"{path} names no image that is there ({said}); "
                                f"its paths count from {folder} on")  # fmt: skip
        images = [File(row.file, 0, "", is_link=True) for row in rows]
        self._store.refuse_links_out([one for one in images if not Path(one.name).is_absolute()])
        folders, of_image = by_folder(row.file for row in rows)
        names = (row.file.rpartition("/")[2] for row in rows)
        there = arranged(folders, of_image, skipped, lambda: names)
        splits = there.splits
        said_splits = {row.split for row in rows}
        if are_split(said_splits):
            splits = np.array([row.split for row in rows], dtype=np.int64)
            if left := int((splits == NEITHER).sum()):
                skipped.note("image", "in none of the splits", rows[int((splits == NEITHER).argmax())].file, left)
        found, self.classes, said_of = _labels(path, label, [row.row for row in rows], [row.column for row in rows])
        if found is None:
            found, self.classes = there.labels, there.classes
        kept = self.choose(found, splits, len(rows), where=path, notes=[*said_of, *skipped.lines()])
        self.files = [rows[i].file for i in kept]
        self._sizes = np.array([self._store.size(file) for file in self.files], dtype=np.int64)
        self.scale_files(len(rows), lambda i: self._store.read(rows[i].file), path)

    @staticmethod
    def recognizes(path: str) -> bool:
        """Whether the path is a list, or a folder of images with a table of them."""
        if is_address(path):
            return False
        given = Path(path).expanduser()
        if given.is_dir():
            return bool(_beside(given)) and not holds_shards(path, ".parquet") and not holds_shards(path, ".tar")
        return path.lower().endswith(ENDINGS) and (given.is_file() or not given.exists())

    def listing(self) -> Iterator[bytes]:
        """The names as the text has them, the sizes and the labels."""
        yield from super().listing()
        yield self.label_bytes


@dataclass(frozen=True)
class _Named:
    """A row of a table with the file that it names, the column that names it, and the split that it says."""

    row: Row
    file: str
    column: str
    split: int


def _texts(path: str) -> list[Path]:
    given = Path(path).expanduser().absolute()
    if given.is_dir():
        return _beside(given)
    if given.is_file():
        return [given]
    several = matching(str(given))
    if several is None:
        raise SslgraphError(f"{path} does not exist; give the list of the images, their folder, or one file")
    return several[1]


def _beside(folder: Path) -> list[Path]:
    """The tables of a folder of images, or of those in it: others of that name, without the column, are not theirs."""
    with os.scandir(folder) as entries:  # not every file is looked at: there may be millions
        folders = [str(folder), *sorted(entry.path for entry in entries if kind_of(entry) == "folder")]
    found = []
    for one in (Path(where, name) for where in folders for name in BESIDE):
        with suppress(OSError):  # a folder that may not be read, or a link in a circle
            if one.is_file():
                with one.open("rb") as opened:
                    found += [one] if FILES.encode() in opened.readline(HEAD) else []
    return found


def _named(text: Path, store: Folder, skipped: Skipped, *, stays_inside: bool) -> Iterator[_Named]:
    """The images that a text names and that are there; the others are counted."""
    rows = rows_of(text.name, text.read_bytes())
    place = Places(text.parent, store, stays_inside=stays_inside)
    column, find = column_of(rows, place)
    of_text = by_word(text.stem)
    for ways in rows:
        for row in [ways] if isinstance(ways, dict) else ways:
            value = row.get(column)
            if value is not None and (file := find(str(value))) is not None:
                split = by_columns(row)
                yield _Named(row, file, column, split if split >= 0 else of_text)
                break
        else:
            first = ways if isinstance(ways, dict) else ways[0]
            said = str(first.get(column, first))[:200]
            why = "is an address, and none is fetched: download the images" if WEB.search(said) else NOT_THERE
            skipped.note("line", why, said)


def _once(rows: Sequence[_Named], skipped: Skipped) -> list[_Named]:
    """Each image once: of several rows of one, such as a row for each box in it, what they agree in."""
    found: dict[str, _Named] = {}
    for one in rows:
        if (first := found.get(one.file)) is None:
            found[one.file] = one
        else:
            skipped.note("row", "names an image of an earlier one; a label counts where all agree", one.file)
            agreed = {key: value for key, value in first.row.items() if key in one.row and one.row[key] == value}
            found[one.file] = replace(first, row=agreed, split=first.split if first.split == one.split else NEITHER)
    return list(found.values())


def _count_unnamed(store: Folder, rows: Sequence[_Named], skipped: Skipped) -> None:
    named = {row.file for row in rows}
    for file in store.files(*SUFFIXES):
        if file.name not in named:
            skipped.note("image", "not in the table beside it", file.name)
    skipped.add(store.skipped)


def _labels(path: str, label: str | None, rows: Sequence[Row], names: Sequence[str]) -> Any:
    """The labels that the tables say, their names, and what is to be said of that."""
    there = others(rows, names)
    if label is not None and label not in there:
        raise SslgraphError(f"{path} has no column '{label}' (data.label); there are: {', '.join(there) or 'none'}")
    if label is None and (hot := one_hot(rows, there)) is not None:
        return *numbered([np.array(hot, dtype=np.str_)]), [f"labels: a column for each of {len(set(hot))} classes"]
    name = label or label_column(rows, there)
    if name is None:
        found = advice(there, "column")
        return None, (), [found] if found else []
    pieces: Raw = raw(values_in(rows, name))  # type: ignore[assignment]
    labels, classes = numbered([none(len(rows)) if pieces is None else pieces])
    if labels is None and label is not None:
        raise SslgraphError(f"no row of {path} has a label in the column '{label}' (data.label)")
    if labels is None:
        return labels, classes, [advice([name], "column")]
    return labels, classes, [] if name in (label, *USUAL) else [f"labels: the column {name}"]
