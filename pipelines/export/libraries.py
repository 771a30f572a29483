"""Builds the same network in another library, which loads the weights strictly: timm, torchvision, transformers."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from sslgraph.errors import SslgraphError

from ..weights.layouts import plain_name
from .encoder import CONFIG, WEIGHTS, Encoder, near


def timm(encoder: Encoder, folder: Path) -> dict[str, Any]:
    """A folder as timm's hub has it: `timm.create_model("local-dir:FOLDER", pretrained=True)`."""
    about = _twin(encoder, "timm", folder)
    return about | {"num_classes": 0, "num_features": about["features"], "pretrained_cfg": _seen(encoder)}


def torchvision(encoder: Encoder, folder: Path) -> dict[str, Any]:
    """The weights of torchvision's network without its classifier."""
    return _twin(encoder, "torchvision", folder)


def transformers(encoder: Encoder, folder: Path) -> dict[str, Any]:
    """timm's folder, which `transformers.AutoModel` and `AutoImageProcessor` load."""
    library = importlib.import_module("transformers")
    about = timm(encoder, folder)
    (folder / CONFIG).write_text(json.dumps(about), encoding="utf-8")  # what is to be loaded; written again at the end
    library.utils.logging.disable_progress_bar()
    given, ours = next(iter(encoder.seen.values()))
    found = library.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()(given).pooler_output
    return about | {"difference": near(found, ours, "transformers")}


def _twin(encoder: Encoder, library: str, folder: Path) -> dict[str, Any]:
    nets = encoder.nets
    net = next(iter(nets.values()))
    twins = getattr(net, "twins", {}) if len(nets) == 1 else {}
    if library not in twins:
        there = f"there are: {', '.join((*twins, 'safetensors', 'torch.export', 'onnx'))}"
        raise SslgraphError(f"{library} has no network like '{', '.join(nets)}' with these settings\n  {there}")
    name, settings = twins[library]
    theirs = _built(library, name, settings)
    own = {plain_name(key): tensor for key, tensor in net.state_dict().items()}
    lacking = [key for key in theirs.state_dict() if key not in own]
    if lacking:
        raise SslgraphError(f"{library}'s {name} has weights that this encoder lacks: {', '.join(lacking[:3])}")
    save_file({key: own[key].contiguous().clone() for key in theirs.state_dict()}, folder / WEIGHTS)
    theirs.load_state_dict(load_file(folder / WEIGHTS))
    given, ours = next(iter(encoder.seen.values()))
    found = theirs.eval()(given)
    # An expression such as f.pooled, or of another image than the one that is given, is more than the network.
    is_whole = found.shape == encoder.features.shape and torch.allclose(found, encoder.features, rtol=0.01)
    return {
        "architecture": name, "model_args": settings, "features": ours.shape[1], "is_whole": is_whole,
        "difference": near(found, ours, f"{library}'s {name}"),
    }  # fmt: skip


def _built(library: str, name: str, settings: dict[str, Any]) -> nn.Module:
    """The library's network without a classifier."""
    if library == "timm":
        found: nn.Module = importlib.import_module("timm").create_model(name, num_classes=0, **settings)
        return found
    found = getattr(importlib.import_module("torchvision.models"), name)(**settings)
    found.fc = nn.Identity()
    return found


def _seen(encoder: Encoder) -> dict[str, Any]:
    """What timm's transforms need to show an image as evaluation does; they round the shorter side down."""
    images = encoder.images
    given, _ = next(iter(encoder.seen.values()))
    return {
        "input_size": list(given.shape[1:]), "mean": images["mean"], "std": images["std"], "crop_mode": "center",
        "crop_pct": round(images["size"] / (images["shorter"] + 0.01), 6), "interpolation": images["interpolation"],
        "num_classes": 0,
    }  # fmt: skip
