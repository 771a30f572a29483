"""Writes features of images to a file: one row an image, in parts, so that a killed command can continue."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors.torch import save
from torch import Tensor

from sslgraph.amounts import counted
from sslgraph.errors import SslgraphError, unknown
from sslgraph.files.whole_file import whole_file
from sslgraph.files.write_whole import put_whole, told, write_whole
from sslgraph.parts import registry
from sslgraph.read.load import load_recipe
from sslgraph.read.spec import Data

from ..check import check
from ..check.request import moved
from ..feed.feed import Index
from ..feed.selection import Selection
from ..machine.pieces import Spread, here
from ..storage import checkpoint
from ..train.start.fingerprint import fingerprint
from .restored import newest
from .sight import PIECE, Piece, Seen, Sight, built, pieces

SOURCES, GRID = b"sources", b"places"  # in the file's metadata: where its images were read; rows, columns, features
SPLITS = {"train": ("train",), "test": ("test",), "all": ("train", "test")}
WITH_PLACES = 256  # images of a part: features of places take a hundred times as much
ENDINGS = (".parquet", ".safetensors")
# Images are read once and in their order: none are held decoded, and large row groups cost no more than small ones.
ONCE = {"memory": 0.0, "largest_group": 1e6}


def embed(
    run: Path, file: Path, *, data: str | None = None, split: str = "train", classes: Sequence[str] | None = None,
    places: bool = False, plugins: tuple[str, ...] = (), spread: Spread = here, say: Callable[[str], object] = print,
) -> dict[str, Any]:  # fmt: skip
    """Writes a row for each image that can be read: index, file, label (-1 for none), features as float32.

    The images are the run's own, or those of a path; they are seen as evaluation sees them. `split: all` are the
    training images and then the held-out ones. `classes` names those whose images are taken. `places` adds the features
    of each place. The ending of `file` says its form. Parts are in a hidden folder beside it until all are there.
    """
    if file.suffix.lower() not in ENDINGS:
        raise SslgraphError(f"{file}: features are written as {' or '.join(ENDINGS)}; end the name with one of them")
    saved = newest(run)
    loaded = load_recipe(str(saved / checkpoint.TEXT))
    allowed, recipe = check.allowed_in(loaded, plugins), loaded.spec
    shown = moved(recipe.data, data)
    known = registry.signature(shown.use, allowed).settings
    once = {name: value for name, value in ONCE.items() if name in known}
    reading = Data(use=shown.use, settings={**shown.settings, **once})
    sources = built(reading, SPLITS[split], allowed)
    images, splits = Selection(sources), SPLITS[split][: len(sources)]
    rows = _of(images, classes)
    sight = Sight(run.resolve(), saved.resolve(), reading, splits, rows=rows, places=places, plugins=allowed)
    size = WITH_PLACES if places else PIECE
    about = {
        "checkpoint": str(sight.saved), "of": _mark(saved), "size": size, "places": places,
        "images": [
            fingerprint(source, Data(use=shown.use, settings={**reading.settings, "split": one}))
            for source, one in zip(sources, splits, strict=True)
        ],
        "rows": hashlib.sha256(rows.numpy().tobytes()).hexdigest()[:32],
    }  # fmt: skip
    with told(file):
        parts = _made(file, sight, rows, about, pieces(len(rows), size), spread, say)
        asked = [{"use": shown.use, "settings": {**shown.settings, "split": one}} for one in splits]
        metadata = {SOURCES: json.dumps(asked).encode()}
        found = (_as_parquet if file.suffix.lower() == ENDINGS[0] else _as_safetensors)(file, parts, metadata)
    shutil.rmtree(_folder(file))
    return found


def _mark(saved: Path) -> str:
    """What tells a checkpoint from another one of its name."""
    text = "".join(f"{one.name} {one.stat().st_size} {one.stat().st_mtime_ns} " for one in sorted(saved.iterdir()))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _of(images: Selection, classes: Sequence[str] | None) -> Index:
    """The rows of some classes, all where none are named."""
    everyone = torch.arange(len(images))
    if classes is None:
        return everyone
    for name in classes:
        if name not in images.classes:
            raise SslgraphError(str(unknown((), "classes: there is no class", name, images.classes)))
    wanted = torch.tensor([images.classes.index(name) for name in classes])
    labels = images.labels
    found = everyone[:0] if labels is None else everyone[torch.isin(labels, wanted)]
    if not len(found):
        raise SslgraphError(f"no image is of the classes {', '.join(classes)}; name others, or leave classes: out")
    return found


def _folder(file: Path) -> Path:
    return file.with_name(f".{file.name}.parts")


def _made(
    file: Path, sight: Sight, rows: Index, about: Mapping[str, Any], whole: Sequence[Piece], spread: Spread,
    say: Callable[[str], object],
) -> list[Path]:  # fmt: skip
    """All parts; those of an earlier try stay if it was of the same encoder and images."""
    folder = _folder(file)
    note, text = folder / "about.json", json.dumps(about, sort_keys=True)
    if folder.exists() and not (note.is_file() and note.read_text(encoding="utf-8") == text):
        shutil.rmtree(folder)
    folder.mkdir(exist_ok=True)
    note.write_text(text, encoding="utf-8")
    parts = [folder / f"{start:012}.parquet" for start, _ in whole]
    missing = [i for i, part in enumerate(parts) if not part.is_file()]
    done = sum(stop - start for start, stop in whole) - sum(whole[i][1] - whole[i][0] for i in missing)
    if done:
        say(f"{done:,} of {counted(len(rows), 'image')} are there already, and stay")
    for i, seen in zip(missing, spread(sight.begin, [whole[i] for i in missing]), strict=True):
        write_whole(parts[i], partial(pq.write_table, _table(seen, rows)))
        if len(whole) > 1:
            done += whole[i][1] - whole[i][0]
            say(f"{done:,} of {counted(len(rows), 'image')}")
    return parts


def _table(seen: Seen, rows: Index) -> pa.Table:
    features = seen.features
    if not len(features.index):
        return pa.table({"index": pa.array([], pa.int64())})
    labels = features.labels.tolist() if features.labels is not None else [-1] * len(features.index)
    names = [name.encode("utf-8", "replace").decode() for name in seen.names]
    columns = {
        "index": rows[features.index].numpy(), "file": pa.array(names, pa.string()),
        "label": pa.array(labels, pa.int64()), "features": _lists(features.values),
    }  # fmt: skip
    if seen.places is None:
        return pa.table(columns)
    table = pa.table({**columns, "places": _lists(seen.places.flatten(1))})
    return table.replace_schema_metadata({GRID: json.dumps(list(seen.places.shape[1:]))})


def _lists(values: Tensor) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.flatten().numpy()), values.shape[1])


def _tables(parts: Sequence[Path]) -> Iterator[pa.Table]:
    """What the parts hold; SslgraphError if no image could be read."""
    is_empty = True
    for part in parts:
        table = pq.read_table(part)
        if table.num_rows:
            is_empty = False
            yield table
    if is_empty:
        raise SslgraphError("none of the images can be read")


def _as_parquet(file: Path, parts: Sequence[Path], metadata: Mapping[bytes, bytes]) -> dict[str, Any]:
    """One file of all parts, a row group each."""
    tables, images = _tables(parts), 0
    first = next(tables)
    schema = first.schema.with_metadata({**(first.schema.metadata or {}), **metadata})
    with told(file), whole_file(file) as opened, pq.ParquetWriter(opened, schema) as writer:
        for table in chain([first], tables):
            writer.write_table(table.replace_schema_metadata(schema.metadata))
            images += table.num_rows
    return {"images": images, "width": schema.field("features").type.list_size}


def _as_safetensors(file: Path, parts: Sequence[Path], metadata: Mapping[bytes, bytes]) -> dict[str, Any]:
    """Tensors by the names of the columns; the names of the files are in the metadata, as a list in JSON."""
    table = pa.concat_tables(_tables(parts))
    tensors = {name: torch.from_numpy(table[name].to_numpy().copy()) for name in ("index", "label")}
    for name in ("features", "places"):
        if name in table.column_names:
            tensors[name] = rows_of(table, name)
    if "places" in tensors:
        tensors["places"] = tensors["places"].unflatten(1, json.loads((table.schema.metadata or {})[GRID]))
    texts = {key.decode(): value.decode() for key, value in metadata.items()}
    put_whole(file, save(tensors, {**texts, "files": json.dumps(table["file"].to_pylist())}))
    return {"images": len(tensors["index"]), "width": tensors["features"].shape[1]}


def rows_of(table: pa.Table, name: str) -> Tensor:
    """A column of lists of one length as a tensor."""
    width, column = table.schema.field(name).type.list_size, table[name]
    flat = [piece.flatten().to_numpy(zero_copy_only=False) for piece in column.chunks]
    return torch.cat([torch.from_numpy(one.copy()) for one in flat]).view(-1, width)
