"""Exports a run's encoder with its card; the library that it is for must load it before it counts as written."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from sslgraph.errors import SslgraphError
from sslgraph.files import whole_file

from ..evaluate.restored import Restored, newest, opened
from . import card, libraries, programs
from .encoder import CONFIG, Form, encoder_of, safetensors

FORMS: Mapping[str, Form] = {
    "safetensors": safetensors,
    "timm": libraries.timm,
    "torchvision": libraries.torchvision,
    "hf": libraries.transformers,
    "onnx": programs.onnx,
    "torch.export": programs.torch_export,
}
NEEDED = {"hf": ("transformers",), "onnx": ("onnxruntime", "onnxscript")}  # by the extra's name, which is the form's


def export(run: Path, folder: Path, *, to: str, plugins: tuple[str, ...] = ()) -> dict[str, Any]:
    """Fills the folder with weights or a program, config.json (architecture, size, mean and std) and a model card.

    safetensors: the weights of the exported nets by their plain names. timm, torchvision, hf: the same network of that
    library, which loads the weights strictly, without a classifier. onnx, torch.export: a program for any number of
    images. SslgraphError if the library has no such network, or gives other features.
    """
    if to not in FORMS:
        raise SslgraphError(f"an encoder is exported to {', '.join(FORMS)}, and not to {to}")
    for library in NEEDED.get(to, ()):
        try:
            importlib.import_module(library)
        except ImportError as lacking:
            raise SslgraphError(f"{library} is not installed; pip install 'sslgraph[{to}]'") from lacking
    saved = newest(run)
    found = opened(run, saved, device=torch.device("cpu"), plugins=plugins)
    told = card.facts(run, saved, plugins)
    with whole_file.whole_folder(folder) as new, torch.no_grad():
        encoder = encoder_of(found.trained.float().eval(), told.export, _images(found))
        about = {"to": to, "step": found.step, "export": told.export, **encoder.images, **FORMS[to](encoder, new)}
        (new / CONFIG).write_text(f"{json.dumps(about, indent=2)}\n", encoding="utf-8")
        card.write(told, about, new)
    return about


def _images(found: Restored) -> dict[str, Any]:
    """What images an encoder takes: side in pixels, how they are resized before, and normalised from 0..1."""
    (steps,) = found.view.views.values()
    all_ = list(steps.steps.values())
    normal = next((step for step in all_ if hasattr(step, "mean")), None)
    crop = next((step for step in all_ if hasattr(step, "shorter")), None)
    height, _ = found.view.sizes(512, 512)["x"]
    plain = {"mean": (0.0,) * found.method.sized.channels, "std": (1.0,) * found.method.sized.channels}
    mean, std = (list(getattr(normal, name, values)) for name, values in plain.items())
    shorter, way = getattr(crop, "shorter", height), getattr(crop, "interpolation", "bilinear")
    return {"size": height, "shorter": shorter, "interpolation": way, "mean": mean, "std": std}
