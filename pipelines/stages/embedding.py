"""`do: embed`: the features of images by an earlier training's encoder; the artefact is features.parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sslgraph.parts import registry
from sslgraph.read.load import load_recipe
from sslgraph.write_whole import write_whole

from ..check import check
from ..check.request import moved
from ..evaluate.restored import newest, opened
from ..machine import machine
from ..measure.features import extract
from ..storage import checkpoint
from .work import StageKind, Work

FILE = "features.parquet"


def embed(
    run: Path, file: Path, *, data: str | None = None, split: str = "train", plugins: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Writes a row for each image that can be read: index, label (-1 for none), features as a list of float32.

    The images are the run's own, or those of a path; they are seen as evaluation sees them.
    """
    saved, on = newest(run), machine.device()
    loaded = load_recipe(str(saved / checkpoint.TEXT))
    found = opened(run, saved, device=on, plugins=plugins)
    recipe = loaded.spec.data
    use, settings = (recipe.use, dict(recipe.settings)) if data is None else moved(recipe, data)
    source = registry.build(use, {**settings, "split": split}, check.allowed_in(loaded, plugins))
    features = extract(found.trained, source, found.view, device=on)
    labels = features.labels.tolist() if features.labels is not None else [-1] * len(features.index)
    rows = pa.FixedSizeListArray.from_arrays(pa.array(features.values.flatten().numpy()), features.values.shape[1])
    table = pa.table({"index": features.index.numpy(), "label": labels, "features": rows})
    write_whole(file, lambda opened: pq.write_table(table, opened))
    return {"images": len(features.index), "width": features.values.shape[1]}


def _stage(work: Work) -> dict[str, Any]:
    own = work.stage.settings
    return embed(
        work.inputs["of"], work.folder / FILE, data=own.get("data"), split=own.get("split", "train"),
        plugins=work.plugins,
    )  # fmt: skip


EMBED = StageKind(_stage, {"data": "str", "split": "Literal['train', 'test']"})
