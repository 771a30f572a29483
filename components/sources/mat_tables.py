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
    for key, value in found.items():
        called = f"{name}/{IDS.get(key, key)}"
        if isinstance(value, dict):
            value = [value]
        if isinstance(value, list) or (isinstance(value, np.ndarray) and value.dtype == object):
            rows = [_row(one) for one in value if isinstance(one, dict)]
            if rows:
                yield called, rows
        elif isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "ui":
            yield called, [{PATH if key in IDS else LABEL: number} for number in value.tolist()]


def is_of_numbers(rows: Sequence[Any]) -> bool:
    """Whether rows are an index list: numbers of images alone, each once."""
    numbers = {row.get(PATH) for row in rows if isinstance(row, dict) and len(row) == 1}
    return len(numbers) == len(rows) and all(isinstance(number, int) for number in numbers)


def _row(record: dict[str, Any]) -> Row:
    """The fields of a record that are single numbers or words; whole fractions are whole numbers."""
    there = {key: value for key, value in record.items() if isinstance(value, int | float | str)}
    return {key: int(one) if isinstance(one, float) and one.is_integer() else one for key, one in there.items()}
