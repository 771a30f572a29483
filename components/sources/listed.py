"""Images that a list or a table names, with the labels that stand there."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Container, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from sslgraph.component import component
from sslgraph.errors import SslgraphError
from sslgraph.files.addresses import is_address

from .albums.encoded import EncodedSettings, Filed
from .decode.decoding import SUFFIXES
from .names.arranging import arranged_files, said_by_rows
from .names.splits import NEITHER, by_columns, by_word
from .stores.opening import holds_shards
from .stores.skipped import Skipped
from .stores.store import File, Folder, kind_of
from .stores.wildcards import matching
from .tables.beside import NOT_THERE
from .tables.joining import Places, agreed, column_of, named_by
from .tables.label_column import classes_in, others
from .tables.labels import USUAL, lacking, numbered, of_values
from .tables.tables import ENDINGS, SPLIT, Row, rows_of, ways

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

    def __init__(self, *, path: str, label: str | None = None, **shared: Unpack[EncodedSettings]) -> None:
        super().__init__(**shared)
        texts, is_beside = _texts(path), Path(path).expanduser().is_dir()
        folder = Path(os.path.commonpath([text.parent for text in texts]))
        self._store = Folder(str(folder), links=self.links)
        skipped, named, columns = Skipped(), list[tuple[str, Row]](), set[str]()
        for text in texts:
            column, its = _named(text, self._store, skipped, stays_inside=is_beside)
            named, columns = named + its, columns | ({column} if its else set())
        rows = agreed(named)
        if again := len(named) - len(rows):
            twice = Counter(file for file, _ in named).most_common(1)[0][0]
            skipped.note("row", "names an image of an earlier one; a label counts where all agree", twice, again)
        if is_beside:
            _count_unnamed(self._store, rows, skipped)
        if not rows:
            said = "; ".join(skipped.lines()).replace(f": {NOT_THERE}", "") or "it has no lines"
            raise SslgraphError(f"{path} names no image that is there ({said}); "
                                f"its paths count from {folder} on")  # fmt: skip
        files = list(rows)
        self._store.refuse_links_out([File(one, 0, "", is_link=True) for one in files if not Path(one).is_absolute()])
        there = arranged_files(files, skipped)
        said_by_texts = said_by_rows(
            (row.get(SPLIT, NEITHER) for row in rows.values()), skipped, "image", files.__getitem__
        )
        splits = there.splits if said_by_texts is None else said_by_texts
        found, self.classes, said_of = _labels(path, label, list(rows.values()), columns)
        if found is None:
            found, self.classes = there.labels, there.classes
        kept = self.choose(found, splits, len(rows), where=path, notes=[*said_of, *skipped.lines()])
        self.files = [files[i] for i in kept]
        self._sizes = np.array([self._store.size(file) for file in self.files], dtype=np.int64)
        self.scale_files(len(rows), lambda i: self._store.read(files[i]), path)

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


def _named(text: Path, store: Folder, skipped: Skipped, *, stays_inside: bool) -> tuple[str, list[tuple[str, Row]]]:
    """The column of a text that names images, and the images that are there, each with its row; others are counted."""
    rows, named = rows_of(text.name, text.read_bytes()), list[tuple[str, Row]]()
    place = Places(text.parent, store, stays_inside=stays_inside)
    column, find = column_of(rows, (place.straight, place.searched)) or (
        next(iter(ways(rows[0])[0])) if rows else "",
        place.straight,
    )
    for reading in rows:
        if (found := named_by(reading, column, find)) is not None:
            file, row = found
            split = by_columns(row)
            named.append((file, {**row, SPLIT: split if split >= 0 else by_word(text.stem)}))
        else:
            row = ways(reading)[0]
            said = str(row.get(column, row))[:200]
            why = "is an address, and none is fetched: download the images" if WEB.search(said) else NOT_THERE
            skipped.note("line", why, said)
    return column, named


def _count_unnamed(store: Folder, named: Container[str], skipped: Skipped) -> None:
    for file in store.files(*SUFFIXES):
        if file.name not in named:
            skipped.note("image", "not in the table beside it", file.name)
    skipped.add(store.skipped)


def _labels(path: str, label: str | None, rows: Sequence[Row], names: Collection[str]) -> Any:
    """The labels that the tables say, their names, and what is to be said of that."""
    there = others(rows, names)
    if label is not None and label not in there:
        raise SslgraphError(f"{path} has no column '{label}' (data.label); there are: {', '.join(there) or 'none'}")
    name, values = classes_in(rows, there, label) or ("", [])
    labels, classes = numbered([of_values(values)])
    if labels is None:
        return None, (), lacking(f"no row of {path}", label, [name] if name else there, "column", there)
    said = f"the column {name}" if name in there else f"a column for each of {len(set(values))} classes"
    return labels, classes, [] if name in (label, *USUAL) else [f"labels: {said}"]
