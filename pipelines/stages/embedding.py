"""`do: embed`: the features of images by an earlier training's encoder; the artefact is features.parquet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from sslgraph.errors import SslgraphError, unknown
from sslgraph.parts import registry
from sslgraph.read.load import load_recipe
from sslgraph.write_whole import write_whole

from ..check import check
from ..check.request import moved
from ..evaluate.restored import newest, opened
from ..feed.feed import Source
from ..feed.selection import Selection
from ..machine import machine
from ..measure.features import extract
from ..storage import checkpoint
from .work import StageKind, Work

FILE = "features.parquet"
SOURCES = b"sources"  # in the file's metadata: where its images were read
SPLITS = {"train": ("train",), "test": ("test",), "all": ("train", "test")}


@dataclass(frozen=True)
class Embedded:
    """Features as a file has them, and the sources through whose images, one after the other, `index` counts."""

    values: Float[Tensor, "images dim"]
    index: Int64[Tensor, "images"]
    sources: tuple[Source, ...]

    def images(self, rows: Sequence[int]) -> Selection:
        """The images of some of the rows."""
        return Selection(self.sources, self.index[list(rows)])


def embed(
    run: Path, file: Path, *, data: str | None = None, split: str = "train", classes: Sequence[str] | None = None,
    plugins: tuple[str, ...] = (),
) -> dict[str, Any]:  # fmt: skip
    """Writes a row for each image that can be read: index, label (-1 for none), features as a list of float32.

    The images are the run's own, or those of a path; they are seen as evaluation sees them. `split: all` are the
    training images and then the held-out ones. `classes` names those whose images are taken.
    """
    saved, on = newest(run), machine.device()
    loaded = load_recipe(str(saved / checkpoint.TEXT))
    found, allowed = opened(run, saved, device=on, plugins=plugins), check.allowed_in(loaded, plugins)
    recipe = loaded.spec.data
    use, settings = (recipe.use, dict(recipe.settings)) if data is None else moved(recipe, data)
    asked = [{"use": use, "settings": {**settings, "split": one}} for one in SPLITS[split]]
    sources = _built(asked, allowed)
    rows = _of(Selection(sources), classes)
    features = extract(found.trained, Selection(sources, rows), found.view, device=on)
    labels = features.labels.tolist() if features.labels is not None else [-1] * len(features.index)
    values = pa.FixedSizeListArray.from_arrays(pa.array(features.values.flatten().numpy()), features.values.shape[1])
    table = pa.table({"index": rows[features.index].numpy(), "label": labels, "features": values})
    table = table.replace_schema_metadata({SOURCES: json.dumps(asked[: len(sources)])})
    write_whole(file, lambda opened: pq.write_table(table, opened))
    return {"images": len(features.index), "width": features.values.shape[1]}


def embedded(folder: Path, plugins: tuple[str, ...] = ()) -> Embedded:
    """The features in the folder of an artefact; SslgraphError if there are none, or none that say where from."""
    try:
        table = pq.read_table(folder / FILE)
    except (OSError, pa.ArrowInvalid):
        raise SslgraphError(f"{folder} holds no {FILE}; name a stage that says do: embed, or its folder") from None
    written = (table.schema.metadata or {}).get(SOURCES)
    if written is None:
        raise SslgraphError(f"{folder / FILE} does not say where its images lie; delete the folder and embed them anew")
    width, values = table.schema.field("features").type.list_size, table["features"].combine_chunks().flatten()
    rows = torch.from_numpy(values.to_numpy(zero_copy_only=False).copy()).view(-1, width)
    index = torch.from_numpy(table["index"].to_numpy().copy())
    return Embedded(rows, index, _built(json.loads(written), plugins))


def _built(asked: Sequence[dict[str, Any]], plugins: tuple[str, ...]) -> tuple[Source, ...]:
    """The sources; a set too small to hold images out has training images only."""
    sources: list[Source] = []
    for one in asked:
        try:
            sources.append(registry.build(one["use"], one["settings"], plugins))
        except SslgraphError:
            if not sources:
                raise
    return tuple(sources)


def _of(images: Selection, classes: Sequence[str] | None) -> Int64[Tensor, "some"]:
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


def _stage(work: Work) -> dict[str, Any]:
    own = work.stage.settings
    return embed(
        work.inputs["of"], work.folder / FILE, data=work.data, split=own.get("split", "train"),
        classes=own.get("classes"), plugins=work.plugins,
    )  # fmt: skip


SETTINGS = {"data": "str | None", "split": f"Literal[{', '.join(map(repr, SPLITS))}]", "classes": "list[str] | None"}
EMBED = StageKind(_stage, SETTINGS, gives="features")
