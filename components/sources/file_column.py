"""Which column of a table names files, and which files these are."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from .decoding import SUFFIXES
from .store import Folder
from .tables import Row

LOOKED_AT = 64  # rows by which the column of files is told


class Places:
    """Where the files lie that a text names; a text beside images names none outside their folder."""

    def __init__(self, folder: Path, store: Folder, *, stays_inside: bool) -> None:
        self.folder, self.root, self.store, self.stays_inside = folder, Path(store.place("")), store, stays_inside
        self._known: dict[str, str | None] | None = None

    def straight(self, value: str) -> str | None:
        """A path from the text's folder on, or from the root of the disk."""
        value = value.strip().strip('"')
        if not value.lower().endswith(SUFFIXES) or "\0" in value:
            return None
        for one in (value, value.replace("\\", "/")):
            file = Path(os.path.normpath(self.folder / one.removeprefix("file://")))
            with suppress(OSError):  # longer than a name may be
                if file.is_file():
                    is_inside = file.is_relative_to(self.root)
                    return file.relative_to(self.root).as_posix() if is_inside else self._outside(file)
        return None

    def _outside(self, file: Path) -> str | None:
        return None if self.stays_inside else str(file)

    def searched(self, value: str) -> str | None:
        """The one file below the folder of this name, with or without its ending; None if there are several."""
        if self._known is None:
            self._known = {}
            for file in self.store.files(*SUFFIXES):
                last = file.name.rpartition("/")[2]
                for key in {file.name, last, last.rpartition(".")[0]}:
                    self._known[key] = None if key in self._known else file.name
        return self._known.get(value.strip().replace("\\", "/"))


def column_of(rows: Sequence[Row | Sequence[Row]], place: Places) -> tuple[str, Callable[[str], str | None]]:
    """The column whose texts are files, and how they are found: most of the first rows must be."""
    some = [row if isinstance(row, dict) else row[0] for row in rows[:LOOKED_AT]]
    ways = [[row] if isinstance(row, dict) else row for row in rows[:LOOKED_AT]]
    columns = list(dict.fromkeys(key for row in some for key in row))

    def hits(column: str, find: Callable[[str], str | None]) -> int:
        return sum(any(row.get(column) is not None and find(str(row[column])) for row in each) for each in ways)

    for find in (place.straight, place.searched):
        best = max(columns, key=lambda column: hits(column, find), default="")
        if best and 2 * hits(best, find) >= len(some):
            return best, find
    return (columns or [""])[0], place.straight
