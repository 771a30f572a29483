"""What a script or a notebook calls: train a recipe, open a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy
import torch
import yaml
from torch import Tensor

from sslgraph.compile.weights import Encoder
from sslgraph.errors import SslgraphError
from sslgraph.method import Method
from sslgraph.read.resolved import resolved
from sslgraph.views.images_given import channels_of

from .check.request import located, request, source_for
from .evaluate.evaluate import evaluate
from .evaluate.evaluation import Evaluation
from .evaluate.restored import Restored, opened
from .export.exports import export
from .launch.launch import launch
from .machine import machine
from .measure.features import Features, extract
from .storage import checkpoint, fetching, metrics_file
from .weights.plain_weights import plain_weights


def train(
    recipe: str | Path | Mapping[str, Any] | Method,
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

    A mapping is read as a file with these lines is; a method that `sslgraph.load` gave is trained as one in a file is.
    A run that `out` holds already is continued. Raises SslgraphError for what a user can mend, KeyboardInterrupt when
    the run was asked to stop; its message says how to continue it.
    """
    plugins = (*plugins, *recipe.plugins) if isinstance(recipe, Method) else tuple(plugins)
    asked = request(
        _text(recipe), data=None if data is None else str(data), out=None if out is None else str(out), seed=seed,
        plugins=plugins, overrides=overrides,
    )  # fmt: skip
    try:
        summary = launch(asked, workers=workers, address=address)
    except SystemExit as stopped:
        raise KeyboardInterrupt(str(stopped)) from None
    place, *_ = str(summary["checkpoint"]).rpartition("/checkpoints/")
    return TrainedRun(fetching.visit(place), plugins)


def _text(recipe: str | Path | Mapping[str, Any] | Method) -> str:
    """A recipe as a request holds it: its name, its file, or all that it says."""
    if isinstance(recipe, Method):
        return resolved(recipe.spec)
    return yaml.safe_dump(dict(recipe), sort_keys=False) if isinstance(recipe, Mapping) else str(recipe)


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
    def metrics(self) -> list[dict[str, Any]]:
        """What was recorded of each step and evaluation, in order."""
        return list(metrics_file.lines(self.folder))

    @property
    def encoder(self) -> Encoder:
        """The exported encoder in eval mode: images as `transform` gives them -> features [B, D]."""
        return self._restored.trained.eval()

    @property
    def weights(self) -> dict[str, Tensor]:
        """The encoder's weights by the names of timm and torchvision."""
        return plain_weights(self.encoder)

    def transform(self, images: Any) -> Tensor:
        """What the encoder takes, of images as evaluation sees them: resized, cropped at the centre, normalised.

        `images` are bytes, one tensor [B, 3, H, W] or a list of [3, H, W]; or an image of PIL, or a list of them.
        """
        given = _as_tensors(images)
        index = torch.arange(len(given))
        return self._restored.view(given, index, seed=0, epoch=0, device=machine.device())["x.image"]

    def embed(self, data: Any, *, split: str = "train", batch: int = 256) -> Features:
        """The features of the images in a folder, in parquet files or tar shards: `values` [images, D] in float32.

        Or of images as `transform` takes them. Images are seen as evaluation sees them.
        """
        from sslgraph.parts import registry

        if not isinstance(data, str | Path):
            given = _as_tensors(data)
            with torch.no_grad():
                rows = [self.encoder(self.transform(given[i : i + batch])) for i in range(0, len(given), batch)]
            return Features(torch.cat(rows).float().cpu(), torch.arange(len(given)))
        path, on = located(str(data)), machine.device()
        source = registry.build(source_for(path), {"path": path, "split": split})
        return extract(self.encoder, source, self._restored.view, batch=batch, device=on)

    def evaluate(self, *protocols: str, data: str | Path | None = None) -> Evaluation:
        """Measures the encoder beside the random one and the pixels, as `sslgraph evaluate` does by these protocols."""
        return evaluate(
            self.folder, names=protocols, data=None if data is None else located(str(data)), plugins=self.plugins
        )

    def export(self, folder: str | Path, *, to: str) -> dict[str, Any]:
        """Writes the encoder as `sslgraph export` does: for timm, torchvision, hf, onnx, torch.export, safetensors."""
        return export(self.folder, Path(folder), to=to, plugins=self.plugins)

    @cached_property
    def _restored(self) -> Restored:
        return opened(self.folder, self.checkpoint, device=machine.device(), plugins=self.plugins)


def _as_tensors(images: Any) -> Tensor | list[Tensor]:
    """Images as bytes, one tensor where they have one size as a source gives them; what is no image is refused."""
    listed = images if isinstance(images, list | tuple) else [images]
    if listed and all(callable(getattr(image, "convert", None)) for image in listed):  # PIL's
        images = [torch.from_numpy(numpy.array(image.convert("RGB"))).movedim(2, 0) for image in listed]
    channels_of(images, torch.arange(len(images) if isinstance(images, list | Tensor) else 0))
    is_even = isinstance(images, list) and len({image.shape for image in images}) == 1
    return torch.stack(images) if is_even else images
