"""Exports the encoder as one program for any number of images: torch.export and ONNX."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any

import torch

from sslgraph.errors import SslgraphError

from .encoder import Encoder, near

PROGRAM, GRAPH = "model.pt2", "model.onnx"
INPUT, OUTPUT = "image", "features"
APART = 1_000_000_000  # larger weights are in a file beside the graph: ONNX holds at most 2 GB


def torch_export(encoder: Encoder, folder: Path) -> dict[str, Any]:
    """A program that `torch.export.load(FILE).module()` runs."""
    torch.export.save(_followed(encoder), folder / PROGRAM)
    again = torch.export.load(folder / PROGRAM).module()
    more = torch.cat([encoder.image, encoder.image.flip(3)])  # another number of images than it was made with
    return {"difference": near(again(more), encoder.module(more), "torch.export")}


def onnx(encoder: Encoder, folder: Path) -> dict[str, Any]:
    """A graph from `image` to `features`, which onnxruntime runs."""
    runtime = importlib.import_module("onnxruntime")
    file = folder / GRAPH
    is_large = sum(tensor.numel() * tensor.element_size() for tensor in encoder.module.state_dict().values()) > APART
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own, about what it calls itself
        program = torch.onnx.export(
            _followed(encoder), (encoder.image,), input_names=[INPUT], output_names=[OUTPUT], dynamo=True,
            verbose=False,
        )  # fmt: skip
        assert program is not None
        program.save(file, external_data=is_large)
    session = runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    more = torch.cat([encoder.image, encoder.image.flip(3)])
    (found,) = session.run([OUTPUT], {INPUT: more.numpy()})
    return {"difference": near(torch.from_numpy(found), encoder.module(more), "onnxruntime")}


def _followed(encoder: Encoder) -> torch.export.ExportedProgram:
    free = {INPUT: {0: torch.export.Dim("batch")}}
    try:
        return torch.export.export(encoder.module, (encoder.image,), dynamic_shapes=free)
    except Exception as wrong:  # whatever torch finds in a part that it can't follow
        reason = (str(wrong).strip() or type(wrong).__name__).splitlines()[0]
        raise SslgraphError(f"torch.export can't follow this encoder: {reason}; export it to safetensors") from wrong
