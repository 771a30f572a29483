"""What a script or a notebook calls: train a recipe, open a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import nn

from sslgraph.errors import SslgraphError

from .check.request import located, request, source_for
from .evaluate.restored import Restored, opened
from .launch.launch import launch
from .machine import machine
from .measure.features import Features, extract
from .storage import checkpoint, fetching


def train(
    recipe: str,
    overrides: Mapping[str, Any] | None = None,
    *,
    data: str | Path | None = None,
    out: str | Path | None = None,
    seed: int | None = None,
    workers: int = 1,
    address: str | None = None,
    plugins: tuple[str, ...] = (),
) -> TrainedRun:
    """Trains a recipe, or a method with its demo recipe, as `sslgraph train` does with the same words.

    A run that `out` holds already is continued. Raises SslgraphError for what a user can mend, KeyboardInterrupt when
    the run was asked to stop; its message says how to continue it.
    """
    asked = request(
        recipe, data=None if data is None else str(data), out=None if out is None else str(out), seed=seed,
        plugins=tuple(plugins), overrides=overrides,
    )  # fmt: skip
    try:
        summary = launch(asked, workers=workers, address=address)
    except SystemExit as stopped:
        raise KeyboardInterrupt(str(stopped)) from None
    place, *_ = str(summary["checkpoint"]).rpartition("/checkpoints/")
    return TrainedRun(fetching.visit(place), tuple(plugins))


def open_run(folder: str | Path, *, plugins: tuple[str, ...] = ()) -> TrainedRun:
    """A run by its folder or address. Raises SslgraphError if there is no checkpoint in it."""
    run = TrainedRun(fetching.visit(str(folder)), tuple(plugins))
    run.checkpoint  # noqa: B018  said now, not when the encoder is first asked for
    return run


@dataclass(frozen=True)
class TrainedRun:
    """A run folder with at least one checkpoint."""

    folder: Path
    plugins: tuple[str, ...] = ()

    @property
    def checkpoint(self) -> Path:
        """The newest complete checkpoint."""
        there = checkpoint.complete(self.folder / "checkpoints")
        if not there:
            raise SslgraphError(f"{self.folder} holds no complete checkpoint; give the folder that train printed")
        return there[-1]

    @property
    def measures(self) -> dict[str, float]:
        """What was measured when the newest checkpoint was saved, such as {"knn": 0.41}."""
        return checkpoint.measures_of(self.checkpoint)

    @property
    def encoder(self) -> nn.Module:
        """The exported encoder in eval mode: normalised images [B, 3, H, W] -> features [B, D]."""
        return self._restored.trained.eval()

    def embed(self, data: str | Path, *, split: str = "train", batch: int = 256) -> Features:
        """The features of the images in a folder, in parquet files or tar shards: `values` [images, D] in float32.

        Images are seen as evaluation sees them: resized, cropped at the centre, normalised like the training views.
        """
        from sslgraph.parts import registry

        path, on = located(str(data)), machine.device()
        source = registry.build(source_for(path), {"path": path, "split": split})
        return extract(self.encoder, source, self._restored.view, batch=batch, device=on)

    @cached_property
    def _restored(self) -> Restored:
        return opened(self.folder, self.checkpoint, device=machine.device(), plugins=self.plugins)
