"""Parquet shards in the form of the Hugging Face hub: a column of encoded images, and perhaps one of labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import Int64
from torch import Tensor

from sslgraph.component import component
from sslgraph.errors import SslgraphError

from .album import Album, Picture, decode, held_out, limited

PREFIXES = {"train": ("train",), "test": ("test", "val", "validation", "valid")}
IMAGE_COLUMNS = ("image", "img")
LABEL_COLUMNS = ("label", "labels", "fine_label")


@component(source="own; the form is that of the datasets library's Image feature")
class Parquet:
    """Images of parquet files: a column `image` of {bytes, path}, or of bytes, and a column `label` if there is one.

    Files whose names begin with train, test or val are the splits; without such names every tenth row is the test
    split. Class names come from the files' own schema, or from a classes.txt beside them.

    Settings:
        path: a folder of .parquet files, or one such file.
        split: train or test.
        limit: only the first so many rows of the split.
        memory: most that images of one size may take to be held decoded, GiB; 0 decodes them anew each time.
    """

    def __init__(
        self, *, path: str, split: Literal["train", "test"] = "train", limit: int | None = None, memory: float = 4.0
    ) -> None:
        files, is_split = _shards(Path(path).expanduser(), split)
        column, label = _columns(files[0])
        table = _rows(files, [name for name in (column, label) if name], limit if is_split else None)
        rows = list(range(len(table))) if is_split else held_out(range(len(table)), split, path)
        chosen = limited(rows, limit)
        table = table.slice(0, len(chosen)) if is_split else table.take(chosen)
        if not len(table):
            raise SslgraphError(f"the {split} split of {path} has no rows")
        self._encoded = _encoded(table[column])
        self.labels = torch.tensor(table[label].to_pylist(), dtype=torch.long) if label else None
        self.classes = _classes(files[0], label) if label else ()
        self._names = f"{path}, {split} row"
        self._album = Album(count=len(table), load=self._load, name=self._name, memory=memory)
        self.broken = self._album.broken

    def __len__(self) -> int:
        return self._album.count

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width if all images share them and fit in memory, else None."""
        return self._album.size

    def read(self, indices: Int64[Tensor, "batch"]) -> tuple[Tensor | list[Tensor], Int64[Tensor, "batch"]]:
        """The images, and the indices that were really read."""
        return self._album.read(indices)

    def _load(self, index: int) -> Picture:
        return decode(self._encoded[index].as_py() or b"")

    def _name(self, index: int) -> str:
        return f"{self._names} {index}"


def _shards(path: Path, split: str) -> tuple[list[Path], bool]:
    """The files of a split, and whether their names say that they hold it and nothing else."""
    files = [path] if path.is_file() else sorted(path.rglob("*.parquet"))
    if not files:
        what = "holds no .parquet files" if path.is_dir() else "does not exist"
        raise SslgraphError(f"{path} {what}; give the folder of the files, or one of them")
    if path.is_file():
        return files, False
    found = {name: [f for f in files if f.name.startswith(prefixes)] for name, prefixes in PREFIXES.items()}
    if found["train"] and found["test"]:
        return found[split], True
    return found["train"] or files, False


def _columns(file: Path) -> tuple[str, str | None]:
    """The names of the image column and of the label column."""
    try:
        schema = pq.read_schema(file)
    except (pa.ArrowInvalid, OSError) as reason:
        raise SslgraphError(f"{file} can't be read as parquet: {reason}") from reason
    images = sorted((f.name for f in schema if _holds_images(f.type)), key=lambda name: name not in IMAGE_COLUMNS)
    if not images:
        raise SslgraphError(
            f"{file} has no column of images; its columns are {', '.join(schema.names)}, "
            "and one must hold encoded bytes, or {bytes, path}"
        )
    labels = [name for name in LABEL_COLUMNS if name in schema.names and pa.types.is_integer(schema.field(name).type)]
    return images[0], labels[0] if labels else None


def _holds_images(kind: Any) -> bool:
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and _holds_images(field.type) for field in kind)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _rows(files: list[Path], columns: list[str], limit: int | None) -> Any:
    """The rows of all files, in the order of their names, reading no more files than the limit needs."""
    tables: list[Any] = []
    for file in files:
        if limit is None or sum(map(len, tables)) < limit:
            tables.append(pq.read_table(file, columns=columns))
    return pa.concat_tables(tables)


def _encoded(column: Any) -> Any:
    if not pa.types.is_struct(column.type):
        return column
    return pa.chunked_array([chunk.field("bytes") for chunk in column.chunks])


def _classes(file: Path, label: str) -> tuple[str, ...]:
    """Class names as the datasets library writes them into the schema, or the lines of classes.txt."""
    about = (pq.read_schema(file).metadata or {}).get(b"huggingface")
    features = json.loads(about).get("info", {}).get("features", {}) if about else {}
    if names := features.get(label, {}).get("names"):
        return tuple(names)
    beside = file.parent / "classes.txt"
    return tuple(beside.read_text(encoding="utf-8").split("\n")[:-1]) if beside.is_file() else ()
