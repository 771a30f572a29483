"""What a file of rows says at its end or its head: its column of images, groups of rows, and labels of the rows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa

from ..decode.decoding import is_image
from ..names.splits import by_columns, says_split
from ..stores.index_cache import Arrays, remembered
from ..stores.store import File, Store
from ..tables.labels import INNER, LIKE, NONE, USUAL, Raw, none, of_values, single
from .row_files import Rows, rows_of

IMAGE_COLUMNS = ("image", "img")
LOOKED_AT = 4  # rows that tell whether bytes are images


def indexed(store: Store, file: File, label: str | None, image: str | None) -> Arrays:
    """The column of images ("" if there is none), rows and bytes of each group, labels, classes and columns, kept."""
    return remembered(
        f"parquet 6 {label} {image}", store.place(file.name), file, lambda: read(store, file, label, image)
    )


def read(store: Store, shard: File, label: str | None, image: str | None = None) -> Arrays:
    """The same, read anew."""
    with rows_of(store, shard) as file:
        schema, count = file.schema, sum(file.rows)
        columns = _images(file, image)
        column = (*columns, "")[0]
        there = [field.name for field in schema if _may_be_label(field.type) and field.name != column]
        texts = [field.name for field in schema if _holds_bytes(field.type) and field.name != column.split(".")[0]]
        name = next((name for name in (USUAL if label is None else (label,)) if name in (*there, *texts)), None)
        return {
            "column": np.array(column),
            "others": np.array(columns[1:], dtype=np.str_),
            "rows": np.array(file.rows, dtype=np.int64),
            "bytes": np.array(file.bytes_of(column), dtype=np.int64),
            "labels": none(count) if name is None or not column else _labels(file, name),
            "splits": _splits(file, there) if column else none(count),
            "classes": np.array(_classes(schema.metadata or {}, name), dtype=np.str_),
            "columns": np.array([f"{field.name} ({_kind(field.type)})" for field in schema], dtype=np.str_),
            "like": np.array(_like([field.name for field in schema], there), dtype=np.str_),
        }


def _images(file: Rows, wanted: str | None) -> list[str]:
    """The paths of the columns of images, the likeliest first: of {bytes, path}, or of bytes that are images."""
    found = [field for field in file.schema if _holds_bytes(field.type) and wanted in (None, field.name)]
    found.sort(key=lambda field: (field.name not in IMAGE_COLUMNS, not pa.types.is_struct(field.type)))
    columns = list[str]()
    for field in found:
        is_struct = pa.types.is_struct(field.type)
        if is_struct or field.name in IMAGE_COLUMNS or _shows_images(file, field.name):
            columns.append(f"{field.name}.bytes" if is_struct else str(field.name))
    return columns


def _holds_bytes(kind: Any) -> bool:
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and _holds_bytes(field.type) for field in kind)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _shows_images(file: Rows, name: str) -> bool:
    return any(is_image(row) for row in file.first(name, LOOKED_AT) if row)


def _may_be_label(kind: Any) -> bool:
    if pa.types.is_dictionary(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        kind = kind.value_type
    if pa.types.is_struct(kind):
        return _inner(kind) is not None
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return bool(is_number or pa.types.is_boolean(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _like(names: list[str], there: list[str]) -> list[str]:
    """The columns that look like labels: one that is called so, even if it can't be one, else those that may be."""
    usual = [name for name in names if name in USUAL]
    return usual or [name for name in there if LIKE.search(name)] or there


def _inner(kind: Any) -> str | None:
    """The field of a struct such as {id, name} that says the class."""
    there = {field.name for field in kind if not pa.types.is_nested(field.type) and _may_be_label(field.type)}
    return next((name for name in INNER if name in there), None)


def _splits(file: Rows, columns: list[str]) -> Any:
    """The split that columns such as `split` say of each row (see splits)."""
    names = [name for name in columns if says_split(name)]
    if not names:
        return none(sum(file.rows))
    return np.array([by_columns(row) for row in file.read(names).to_pylist()], dtype=np.int64)


def _labels(file: Rows, name: str) -> Raw:
    """The labels of a column; a list of one label is that label, and of several none."""
    column = file.read([name])[name]
    if pa.types.is_integer(column.type) and not pa.types.is_uint64(column.type):  # millions at once
        whole: Raw = column.cast(pa.int64()).fill_null(NONE).to_numpy()
        return whole
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    values = [single(value) for value in column.to_pylist()]
    return of_values([None if isinstance(value, list) else value for value in values])


def _kind(kind: Any) -> str:
    if pa.types.is_struct(kind):
        return "{" + ", ".join(field.name for field in kind) + "}"
    return str(kind)


def _classes(about: dict[bytes, bytes], label: str | None) -> list[str]:
    """Class names as the datasets library writes them into the schema."""
    try:
        features = json.loads(about[b"huggingface"])["info"]["features"]
        return [str(name) for name in features[label]["names"]]
    except (KeyError, TypeError, ValueError):
        return []
