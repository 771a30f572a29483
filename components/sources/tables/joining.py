"""Which image each row of a text names: the column of files, how a name is found, what the rows of an image say."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import TypeVar

from ..decode.decoding import SUFFIXES
from ..names.map_folders import no_maps
from ..stores.skipped import Skipped
from ..stores.store import Folder
from .tables import Reading, Row, ways

LOOKED_AT = 64  # rows by which the column of files is told
ABOVE = 2  # folders above that of a text from which it may count its paths
# Folders that hold lists alone, with those of Pascal VOC.
OF_LISTS = ("imagesets", "main", "segmentation", "layout", "lists", "list", "splits", "annotations", "labels", "meta")

Image = TypeVar("Image", bound=Hashable)
Find = Callable[[str], Image | None]


def named_by(reading: Reading, column: str, find: Find[Image]) -> tuple[Image, Row] | None:
    """The image that a row names, and the row as it is read then."""
    for row in ways(reading):
        value = "" if row.get(column) is None else str(row[column])
        if value and (image := find(value)) is not None:
            return image, row
    return None


def column_of(rows: Sequence[Reading], finders: Iterable[Find[Image]]) -> tuple[str, Find[Image]] | None:
    """The column whose texts are files, and how they are found: the first in which half the rows name one.

    A later column may name more: every age is an image's number, too, and rows may be of images that are not there.
    """
    some = rows[:LOOKED_AT]
    columns = list(dict.fromkeys(key for reading in some for key in ways(reading)[0]))
    either = [way for find in finders for way in (by_file(find), find)]  # 1 of "1 images/0.png" is not 1.png
    for find, column in product(either, columns):
        if 2 * sum(named_by(one, column, find) is not None for one in some) >= len(some):
            return column, find
    return None


def by_file(find: Find[Image]) -> Find[Image]:
    """Found only by names with their endings."""
    return lambda value: find(value) if is_file(value) else None


def agreed(named: Iterable[tuple[Image, Row]]) -> dict[Image, Row]:
    """A row for each image: of several, such as a row for each box in it, what they agree in."""
    rows: dict[Image, Row] = {}
    for image, row in named:
        first = rows.setdefault(image, row)
        if first is not row:
            rows[image] = {key: value for key, value in first.items() if key in row and row[key] == value}
    return rows


def is_file(value: str) -> bool:
    """Whether a text ends as images do."""
    return value.strip().strip('"').lower().endswith(SUFFIXES)


class Ends:
    """Images by the ends of their paths, with or without their endings."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names, self._known = names, dict[int, dict[str, int | None]]()

    def find(self, value: str) -> int | None:
        """The number of the one whose path ends so; None if there are several."""
        wanted = posixpath.normpath(value.strip().strip('"').replace("\\", "/"))
        depth = wanted.count("/") + 1
        if depth not in self._known:
            known = self._known[depth] = {}
            for number, name in enumerate(self._names):
                tail = "/".join(name.split("/")[-depth:])
                for key in (tail, tail.rpartition(".")[0]):
                    known[key] = None if key in known else number
        return self._known[depth].get(wanted)


class Places:
    """Where the files lie that a text names; a text beside images names none outside their folder."""

    def __init__(self, folder: Path, store: Folder, *, stays_inside: bool) -> None:
        self.folder, self.root, self.store, self.stays_inside = folder, Path(store.place("")), store, stays_inside

    def straight(self, value: str) -> str | None:
        """A path from the text's folder on, or from the root of the disk.

        Also one from a folder above on, if it leads back into the text's own.
        """
        value = value.strip().strip('"')
        if not is_file(value) or "\0" in value:
            return None
        for folder in (self.folder, *self.folder.parents[:ABOVE]):
            for one in (value, value.replace("\\", "/")):
                file = Path(os.path.normpath(folder / one.removeprefix("file://")))
                with suppress(OSError):  # longer than a name may be
                    if (folder == self.folder or file.is_relative_to(self.folder)) and file.is_file():
                        is_inside = file.is_relative_to(self.root)
                        outside = None if self.stays_inside else str(file)
                        return file.relative_to(self.root).as_posix() if is_inside else outside
        return None

    def searched(self, value: str) -> str | None:
        """The one file whose path ends so, with or without its ending; None if there are several."""
        found = self._ends.find(value)
        return None if found is None else self._files[found]

    @cached_property
    def _ends(self) -> Ends:
        return Ends(self._files)

    @cached_property
    def _files(self) -> list[str]:
        """The images below the text's folder; if it is one of lists and has none (ImageSets/Main), below the next."""
        folder, store = self.folder, self.store
        while not (names := [file.name for file in store.files(*SUFFIXES)]):
            if self.stays_inside or folder.name.lower() not in OF_LISTS:
                return []
            folder = folder.parent
            store = Folder(str(folder))
        names = [names[i] for i in no_maps(names, Skipped())]
        return names if store is self.store else [str(folder / name) for name in names]
