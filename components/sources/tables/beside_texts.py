"""Texts beside images, and which row of each belongs to which image: by its name, its number, or its place."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sslgraph.errors import SslgraphError

from ..names.arranging import Arranged
from ..names.splits import TRAIN, WORDS, split_in, words_in
from ..packed.row_files import PARQUET
from ..stores.store import File, Store
from . import mat_tables
from .joining import Ends, Find, agreed, by_file, column_of, named_by
from .tables import ENDINGS, NUMBER, Reading, Row, rows_of, ways

LARGEST = 2**26  # bytes of such a text: those of ImageNet have three million
TRIED, MANY = 24, 50  # texts that are read, the upper ones; and texts of one folder, where they are one for an image
ENOUGH = 0.9  # of the rows that another text numbers
EXAMPLES = re.compile(r"sample|submission", re.IGNORECASE)  # labels that are none
ORDERED = re.compile(r"label|truth|target|class|annot", re.IGNORECASE)  # texts whose lines follow the images' numbers
OF_OTHERS = (TypeError, KeyError, ValueError, AttributeError)  # what a text of some other use may raise


@dataclass(frozen=True)
class Text:
    """A text that says something of images: a row for each, by the image's number; `column` names the images."""

    name: str
    rows: Mapping[int, Row]
    column: str
    left: tuple[str, ...] = ()  # what rows name that is not there

    @property
    def split(self) -> int:
        """The split that its name says; NEITHER if it says none or several."""
        return split_in(self.name)

    @property
    def is_of_numbers(self) -> bool:
        """Whether it names images by numbers alone, which may as well be those that another text gives them."""
        return bool(self.column) and all(_is_whole(row.get(self.column)) for row in self.rows.values())

    @property
    def keys(self) -> dict[str, int]:
        """The image of each number in front of a line, if no two lines have the same."""
        keys = {str(row[NUMBER]): image for image, row in self.rows.items() if NUMBER in row}
        return keys if len(keys) >= ENOUGH * len(self.rows) else {}

    @property
    def group(self) -> str:
        """Its name without words of splits: train1.txt belongs to test1.txt, and not to test2.txt."""
        stem = self.name.lower().rpartition(".")[0]
        return " ".join(re.findall(r"\d+|/", stem) + [w for w in words_in(stem) if w not in WORDS])


class Beside:
    """The texts that name images, and those that name classes."""

    def __init__(self, found: Arranged, names: Sequence[str], texts: Sequence[File], store: Store) -> None:
        self.names, self.splits, self._files, self._store = names, found.splits, texts, store
        self.classes = found.classes

    @cached_property
    def texts(self) -> list[Text]:
        """Those that name images: by paths, by numbers that another text gives them, or by their order."""
        left, known = list[tuple[str, list[Reading], Text | None]](), list[Text]()
        for name, rows in self._readings:
            text = self._ordered(name, rows) or self._joined(name, rows, self._find(split_in(name)))
            is_sure = text is not None and not text.is_of_numbers
            left += [] if is_sure else [(name, rows, text)]
            known += [text] if text and is_sure else []
        keys = {key: image for text in known for key, image in text.keys.items()}
        for name, rows, text in left:
            by_key = [keys.get] if len(rows) >= ENOUGH * len(keys) > 0 else []
            by_number = [self._of_number.get] if text is None and mat_tables.is_of_numbers(rows) else []
            text = self._joined(name, rows, *by_key, *by_number) or text
            known += [text] if text else []
        return known

    def are_images(self, rows: Sequence[Row], column: str) -> bool:
        """Whether a column names images, and so no classes."""
        return 2 * sum(named_by(row, column, by_file(self._ends.find)) is not None for row in rows) > len(rows)

    @cached_property
    def class_of_number(self) -> dict[str, str]:
        """Which class a number stands for, where a text has a row for each class."""
        for _, rows in self._readings:
            found = dict[str, str]()
            for row in (row for reading in rows for row in ways(reading)):
                words = [str(value).rpartition("/")[2] for value in row.values()]
                name = next((word for word in words if word in self.classes), None)
                number = next((word for word in words if word.isdecimal() and word != name), None)
                found |= {number: name} if name is not None and number is not None else {}
            if set(found.values()) == set(self.classes):
                return found
        return {}

    @cached_property
    def _readings(self) -> list[tuple[str, list[Reading]]]:
        read = list[tuple[str, list[Reading]]]()
        for file in self._files:
            with suppress(OSError, SslgraphError, pa.ArrowInvalid, *OF_OTHERS):
                data = self._store.read(file.name)
                if file.name.lower().endswith(mat_tables.ENDING):
                    read += [(name, [*rows]) for name, rows in mat_tables.tables_of(file.name, data)]
                else:
                    is_parquet = file.name.lower().endswith(PARQUET)
                    read.append((file.name, rows_of_parquet(data) if is_parquet else rows_of(file.name, data)))
        return read

    def _find(self, split: int) -> Find[int]:
        """How a name in a text of a split is found: among the images of that split, if there are some, or all."""
        its = np.flatnonzero(self.splits == split) if (self.splits > TRAIN).any() and split >= 0 else np.arange(0)
        if not len(its):
            return self._ends.find
        ends = Ends([self.names[i] for i in its.tolist()])
        return lambda value: None if (at := ends.find(value)) is None else int(its[at])

    @cached_property
    def _ends(self) -> Ends:
        return Ends(self.names)

    def _joined(self, name: str, rows: Sequence[Reading], *finders: Find[int]) -> Text | None:
        if (by := column_of(rows, finders)) is None:
            return None
        column, find = by
        found = [named_by(reading, column, find) for reading in rows]
        left = [str(ways(row)[0].get(column)) for row, one in zip(rows, found, strict=True) if one is None]
        left = left[1:] if found[0] is None else left  # a head
        return Text(name, agreed(one for one in found if one is not None), column, tuple(left))

    @cached_property
    def _of_number(self) -> dict[str, int]:
        """The image of each number, where the names of all are numbered."""
        found = {str(int(numbers[-1])): i for i, name in enumerate(self.names) if (numbers := re.findall(r"\d+", name))}
        return found if len(found) == len(self.names) else {}

    def _ordered(self, name: str, rows: Sequence[Reading]) -> Text | None:
        """A text of as many lines as there are images of its split, whose names are numbered without a gap."""
        split, lines = split_in(name), [ways(row)[0] for row in rows]
        if not ORDERED.search(name) or any(len(row) != 1 or not _is_whole(*row.values()) for row in lines):
            return None
        its = np.flatnonzero(self.splits == split) if split >= 0 else np.arange(len(self.names))
        numbers = {int(found[-1]): i for i in its.tolist() if (found := re.findall(r"\d+", self.names[i]))}
        if not len(rows) == len(its) == len(numbers) or max(numbers) - min(numbers) != len(rows) - 1:
            return None
        return Text(
            name, {numbers[min(numbers) + k]: {"label": v} for k, row in enumerate(lines) for v in row.values()}, ""
        )


def texts_among(files: Sequence[File], images: Sequence[File]) -> list[File]:
    """The tables beside images, the upper ones first, but for examples and where there is one for each image."""
    stems = {image.name.rpartition(".")[0] for image in images}
    endings = (*ENDINGS, mat_tables.ENDING, PARQUET)
    there = [one for one in files if one.name.lower().endswith(endings) and one.size <= LARGEST]
    folders = [one.name.rpartition("/")[0] for one in there]
    many = {folder for folder in set(folders) if folders.count(folder) > MANY} if len(there) > MANY else set()
    there = [
        one for one, folder in zip(there, folders, strict=True)
        if folder not in many and one.name.rpartition(".")[0] not in stems and not EXAMPLES.search(one.name)
    ]  # fmt: skip
    return sorted(there, key=lambda one: one.name.count("/"))[:TRIED]


def rows_of_parquet(data: bytes) -> list[Reading]:
    """The rows of a small parquet file of names and labels, as metadata.parquet is."""
    table = pq.read_table(io.BytesIO(data))
    plain = [
        field.name for field in table.schema if not (pa.types.is_binary(field.type) or pa.types.is_nested(field.type))
    ]
    return list(table.select(plain).to_pylist())


def _is_whole(value: Any) -> bool:
    return str(value).strip().isdecimal()
