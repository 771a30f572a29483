"""Tables in MATLAB's .mat files: lists of records, and rows of numbers, as data sets keep their labels in them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy import io as matlab

from sslgraph.errors import SslgraphError

from .tables import LABEL, PATH, Row

ENDING = ".mat"
IDS = {"trnid": "train", "tstid": "test", "valid": "val"}  # names of index lists, which are no words


def tables_of(name: str, data: bytes) -> Iterator[tuple[str, list[Row]]]:
    """Each table of a file with its name: cars_train_annos.mat/annotations, or setid.mat/train."""
    try:
        found = matlab.loadmat(io.BytesIO(data), simplify_cells=True)
    except Exception as reason:  # scipy's reader raises anything on damaged bytes, and refuses HDF5
        raise SslgraphError(f"{name} can't be read as a .mat file: {reason}") from None
    columns: dict[int, dict[str, list[Any]]] = {}
    for key, value in found.items():
        several = [value] if isinstance(value, dict) else value
        if not isinstance(several, list | np.ndarray) or not len(several) or np.ndim(several) != 1:
            continue
        if rows := [_row(one) for one in several if isinstance(one, dict)]:
            yield f"{name}/{key}", rows
        elif all(isinstance(one, int | str | np.integer) for one in several):
            columns.setdefault(len(several), {})[key] = [getattr(one, "item", lambda one=one: one)() for one in several]
    for its in columns.values():
        if len(its) > 1:
            yield name, [dict(zip(its, row, strict=True)) for row in zip(*its.values(), strict=True)]
        for key, values in its.items():
            yield f"{name}/{IDS.get(key, key)}", [{PATH if key in IDS else LABEL: value} for value in values]


def is_of_numbers(rows: Sequence[Any]) -> bool:
    """Whether rows are an index list: numbers of images alone, each once."""
    numbers = [row.get(PATH) for row in rows if isinstance(row, dict) and len(row) == 1]
    return all(isinstance(number, int) for number in numbers) and len(set(numbers)) == len(rows)


def _row(record: dict[str, Any]) -> Row:
    """The fields of a record that are single numbers or words; whole fractions are whole numbers."""
    there = {key: value for key, value in record.items() if isinstance(value, int | float | str)}
    return {key: int(one) if isinstance(one, float) and one.is_integer() else one for key, one in there.items()}
