"""Which column of a table says the classes of images, and what it says."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from ..names.splits import says_split
from .labels import LIKE, USUAL, single
from .tables import NUMBER, SPLIT, Row

SURE = re.compile(r"label|class|categ|target|species|genus|breed|^y$", re.IGNORECASE)  # names that mean classes
HOT = {"0": 0, "0.0": 0, "1": 1, "1.0": 1, "false": 0, "true": 1}


def others(rows: Sequence[Row], names: Collection[str]) -> list[str]:
    """The columns besides those that name the images, their splits, or the lines."""
    keys = dict.fromkeys(key for row in rows for key in row)
    return [key for key in keys if key not in (*names, NUMBER, SPLIT) and not says_split(key)]


def label_column(rows: Sequence[Row], columns: Sequence[str]) -> str | None:
    """The column of classes: one that is called so, the only one, or the finest of several.

    Of several it is that whose name means classes; of columns without names the only one of words, or one from which
    all the others follow, as from a breed its species. A class stands in two rows at least, on average.
    """
    usual = next((one for one in USUAL if one in columns), None)
    if usual is not None:
        return usual
    kinds = {one: len({_said(row, one) for row in rows}) for one in columns}
    # Numbers and names of the rows themselves are none; fractions are measurements, and might be what is meant.
    columns = [one for one in columns if kinds[one] < len(rows) or any("." in _said(row, one) for row in rows)]
    columns = [one for one in columns if kinds[one] > 1]
    repeating = [one for one in columns if kinds[one] <= len(rows) / 2]
    if len(columns) == 1:
        return next(iter(repeating), None)
    meant = [one for one in repeating if SURE.search(one)]
    if not meant and all(one.isdecimal() for one in columns):
        words = [one for one in repeating if not any(_is_number(row, one) for row in rows)]
        meant = words if len(words) == 1 else repeating if len(repeating) == len(columns) else []
    together = len({tuple(_said(row, one) for one in meant) for row in rows})
    finest = [one for one in meant if kinds[one] == together]
    return min(finest, key=lambda one: all(_is_number(row, one) for row in rows), default=None)


def one_hot(rows: Sequence[Row], columns: Sequence[str]) -> list[str] | None:
    """The class of each row where columns are classes, with a single 1 in each row; None if they are not."""
    hot = [one for one in columns if all(_said(row, one).lower() in HOT for row in rows)]
    if len(hot) < 2 or any(LIKE.search(one) and one not in hot for one in columns):
        return None
    found = [[one for one in hot if HOT[_said(row, one).lower()]] for row in rows]
    return [one for (one,) in found] if all(len(its) == 1 for its in found) else None


def classes_in(rows: Sequence[Row], columns: Sequence[str], wanted: str | None) -> tuple[str, list[Any]] | None:
    """What says the classes of rows: the wanted column, or one that is found, or several; and the class of each row."""
    if wanted is None and (hot := one_hot(rows, columns)) is not None:
        return "a column for each class", list(hot)
    column = label_column(rows, columns) if wanted is None else wanted
    return None if column is None or column not in columns else (column, [single(row.get(column)) for row in rows])


def _is_number(row: Row, column: str) -> bool:
    return _said(row, column).lstrip("-").isdecimal()


def _said(row: Row, column: str) -> str:
    return str(single(row.get(column, ""))).strip()
