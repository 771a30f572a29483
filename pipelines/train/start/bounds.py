"""Checks the values of a checkpoint: numbers are finite, and indices point at something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sslgraph.compile.compile import CompiledMethod
from sslgraph.errors import SslgraphError
from sslgraph.ranks.sharding import mine
from sslgraph.settle.sized import SizedLeg, Step

Bounds = tuple[int, int]  # the lowest and the highest that may be


def refuse_impossible(method: Any, memory: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Refuses a checkpoint's content once it is loaded: what fits in name and shape may still be no state of a run.

    A part says of whole numbers that it holds what they may be (`bounds() -> {name: (lowest, highest)}`); what counts
    is never negative, and labels that a loss reads are below its number of classes. `memory` is what the
    optimizer remembers, by parameter.
    """
    fault = next(chain(_numbers(method.state_dict()), _memory(memory), _whole_numbers(method)), None)
    if fault is not None:
        cure = "remove the folder to continue from the one before it"
        raise SslgraphError(f"the checkpoint {path} can't be the state of a run: {fault}; {cure}")


def _numbers(state: Mapping[str, Tensor], what: str = "") -> Iterator[str]:
    """The first tensor with a number that is not finite; one wait for the device."""
    floats = {name: mine(value) for name, value in state.items() if value.is_floating_point() and value.numel()}
    if not floats:
        return
    is_finite = torch.stack([value.isfinite().all() for value in floats.values()]).tolist()
    for name, good in zip(floats, is_finite, strict=True):
        if not good:
            yield f"{what}'{name.removeprefix('parts.')}' holds numbers that are nan or infinite"
            return


def _memory(memory: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, remembered in memory.items():
        tensors = {key: value for key, value in remembered.items() if isinstance(value, Tensor)}
        for fault in _numbers(tensors, "the optimizer's "):
            yield f"{fault} for '{name}'"
            return
        if "step" in remembered and float(remembered["step"]) < 0:
            yield f"the optimizer has taken {float(remembered['step']):g} steps with '{name}'"
            return


def _whole_numbers(method: Any) -> Iterator[str]:
    if not isinstance(method, CompiledMethod):
        return
    classes = _classes(method)
    for part_name, part in method.parts.items():
        own = getattr(part, "bounds", None)
        said: dict[str, Bounds] = own() if callable(own) else {}
        for name, value in part.named_buffers():
            if value.is_floating_point() or value.dtype == torch.bool or not value.numel():
                continue
            low, high = said.get(name, (0, torch.iinfo(torch.int64).max))
            least, most = (int(end) for end in value.aminmax())
            if least < low or most > high:
                wrong = least if least < low else most
                yield f"'{part_name}.{name}' holds {wrong}, and {_between(low, high)}"
            elif part_name in classes and most >= classes[part_name]:
                yield f"'{part_name}.{name}' holds the label {most}, and there are {classes[part_name]} classes"


def _classes(method: CompiledMethod) -> dict[str, int]:
    """Of each part whose labels a loss reads, how many classes that loss tells apart."""
    found = {}
    for leg in method.sized.legs:
        made = {step.name: step for step in leg.steps}
        for step in leg.steps:
            if step.kind != "call":
                continue
            (scores, labels), inputs = method.graph.boxes[step.target].traits.classifies, dict(step.inputs)
            if scores in inputs and (source := _source(made, made.get(inputs.get(labels, "")))):
                found[source] = _last_axis(leg, inputs[scores])
    return found


def _source(made: Mapping[str, Step], step: Step | None) -> str:
    """The part that made a value, behind what only stacks or splits rows."""
    while step is not None and step.kind in ("split", "merge") and step.inputs:
        step = made.get(step.inputs[0][1])
    return step.target if step is not None and step.kind == "call" else ""


def _last_axis(leg: SizedLeg, tensor: str) -> int:
    return int(leg.tensors[tensor].shape[-1])


def _between(low: int, high: int) -> str:
    return f"it is {low} or more" if high == torch.iinfo(torch.int64).max else f"it is from {low} to {high}"
