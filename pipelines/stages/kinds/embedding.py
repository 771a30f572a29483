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

from sslgraph.errors import SslgraphError
from sslgraph.read.spec import Data

from ...evaluate.feature_file import SOURCES, embed, rows_of
from ...feed.feed import Source
from ...feed.open_source import images_of
from ...feed.selection import Selection
from .work import Work

FILE = "features.parquet"


@dataclass(frozen=True)
class Embedded:
    """Features as a file has them, and the sources through whose images, one after the other, `index` counts."""

    values: Float[Tensor, "images dim"]
    index: Int64[Tensor, "images"]
    sources: tuple[Source, ...]

    def images(self, rows: Sequence[int]) -> Selection:
        """The images of some of the rows."""
        return Selection(self.sources, self.index[list(rows)])


def embedded(folder: Path, plugins: tuple[str, ...] = ()) -> Embedded:
    """The features in the folder of an artefact; SslgraphError if there are none, or none that say where from."""
    try:
        table = pq.read_table(folder / FILE)
    except (OSError, pa.ArrowInvalid):
        raise SslgraphError(f"{folder} holds no {FILE}; name a stage that says do: embed, or its folder") from None
    written = (table.schema.metadata or {}).get(SOURCES)
    if written is None:
        raise SslgraphError(f"{folder / FILE} does not say where its images are; delete the folder and embed again")
    index = torch.from_numpy(table["index"].to_numpy().copy())
    asked = [Data(use=one["use"], settings=one["settings"]) for one in json.loads(written)]
    sources = tuple(images_of(one, one.settings["split"], plugins) for one in asked)
    return Embedded(rows_of(table, "features"), index, sources)


def stage(work: Work) -> dict[str, Any]:
    """Writes the features."""
    own = work.stage.settings
    return embed(
        work.inputs["of"], work.folder / FILE, data=work.data, split=own.get("split", "train"),
        classes=own.get("classes"), plugins=work.plugins,
    )  # fmt: skip
