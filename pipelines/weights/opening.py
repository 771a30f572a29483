"""Reads named tensors from a weights file, a hub's folder, one of our runs, or a timm model."""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sslgraph.errors import SslgraphError
from sslgraph.read.load import load_recipe

from ..storage import checkpoint

TIMM = "timm:"
HUB = ("model.safetensors", "pytorch_model.bin")  # what a folder of a hub holds
CURE = "give a file of weights (.pt, .pth, .safetensors: tensors by name, no code), a run folder or timm:NAME"


@dataclass(frozen=True)
class Opened:
    """Tensors by name, and where they come from; `exported` is how the names begin of the net that a run exports."""

    place: str
    tensors: Mapping[str, Tensor]
    exported: str | None = None


def opened(place: str) -> Opened:
    """Reads it; nothing in a file is run. SslgraphError if it is not there, or holds no tensors by name."""
    if place.startswith(TIMM):
        return Opened(place, _of_timm(place.removeprefix(TIMM)))
    path = Path(place)
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        raise SslgraphError(f"there is no file or run folder {place}; {CURE}")
    try:
        found = _loaded(path)
    except (OSError, EOFError, RuntimeError, ValueError, TypeError, AttributeError, pickle.UnpicklingError) as problem:
        raise SslgraphError(f"{place} can't be read as weights; {CURE}") from problem
    tensors = dict(_flat(found))
    if not tensors:
        raise SslgraphError(f"{place} holds no tensors by name; {CURE}")
    return Opened(place, tensors)


def is_there(place: str) -> bool:
    """Whether there is something to read, without reading it."""
    return place.startswith(TIMM) or Path(place).exists()


def _loaded(path: Path) -> Any:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    with torch.serialization.safe_globals([argparse.Namespace]):  # the command line, which many papers' files hold
        return torch.load(path, map_location="cpu", weights_only=True)


def _flat(found: Any, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    for name, value in found.items() if isinstance(found, Mapping) else ():
        if isinstance(value, Tensor):
            yield f"{prefix}{name}", value
        else:
            yield from _flat(value, f"{prefix}{name}.")


def _of_folder(path: Path) -> Opened:
    """The newest checkpoint of a run folder, a checkpoint, or the file of a hub's folder."""
    if file := next((path / name for name in HUB if (path / name).is_file()), None):
        return opened(str(file))
    is_checkpoint = (path / checkpoint.MARKER).is_file() and checkpoint.NAME.fullmatch(path.name)
    saved = [path] if is_checkpoint else checkpoint.complete(path / "checkpoints")
    if not saved:
        raise SslgraphError(f"{path} holds no complete checkpoint, and no {' or '.join(HUB)}; {CURE}")
    export = load_recipe(str(saved[-1] / checkpoint.TEXT)).spec.method.export
    return Opened(str(path), checkpoint.load(saved[-1]).method, f"parts.{export.partition('.')[0]}.")


def _of_timm(name: str) -> Mapping[str, Tensor]:
    import timm

    if not timm.is_model(name):
        raise SslgraphError(f"timm has no model '{name}'; timm.list_models(pretrained=True) lists what there is")
    try:
        return dict(timm.create_model(name, pretrained=True, num_classes=0).state_dict())
    except (OSError, RuntimeError, ValueError) as problem:
        reason = (str(problem) or type(problem).__name__).splitlines()[0]
        raise SslgraphError(
            f"the weights of timm's {name} can't be had ({reason}); download them where there is a network, and give "
            "the file"
        ) from problem
