"""Evaluates the classifier that a run trains beside its method; the graph says which net it is."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import nn

from sslgraph.compile.compile import CompiledMethod
from sslgraph.errors import SslgraphError
from sslgraph.wire.gradients import moved_by, trained_by
from sslgraph.wire.graph import HANDED_ON, Box, Graph, Leg, NetBox, OpBox, Value, WiringBox

from ..measure.features import Features

NAME = "linear_online"
CURE = (
    f"{NAME}: the run has trained no classifier beside its method. One is a net on the exported features behind a "
    "stop-gradient, with a loss of x.label: see Evaluate in docs/using.md"
)


@dataclass(frozen=True)
class Told:
    """The share of test images whose class the classifier tells, and that of the most frequent training label."""

    accuracy: float
    chance: float


def classifier_of(method: CompiledMethod) -> nn.Module:
    """The net that a classifying loss of a view's label trains alone, on what is exported; SslgraphError if none is."""
    graph, leg = method.graph, method.graph.training
    reaches = moved_by(graph, leg)
    for loss in leg.losses:
        inputs, (scores, labels) = dict(loss.inputs), graph.loss(loss.name).traits.classifies
        if not scores or leg.values[inputs[labels]].port != "label":
            continue
        call = leg.values[inputs[scores]]
        box = graph.maker(call)
        if (
            isinstance(box, NetBox)
            and trained_by(graph, loss, reaches) == {box.name}
            and _sees_export(graph, leg, call)
        ):
            return method.parts[box.name]
    raise SslgraphError(CURE)


def _sees_export(graph: Graph, leg: Leg, call: Value) -> bool:
    """Whether what a call is given is the output that is exported, of whatever views."""
    exported = list(graph.export.values.values())[-1]
    return len(call.inputs) == 1 and _made(graph, leg, leg.values[call.inputs[0][1]]) == _made(
        graph, graph.export, exported
    )


def _made(graph: Graph, leg: Leg, value: Value) -> tuple[str | None, str | None]:
    """The part that makes a value and the name of its output; bags, their members and stop-gradients hand it on."""
    output: str | None = None
    while value.kind in HANDED_ON or (value.box and len(value.inputs) == 1 and _stops(graph.boxes[value.box], value)):
        output = value.port or output
        value = leg.values[value.inputs[0][1]]
    return value.box, output


def _stops(box: Box, value: Value) -> bool:
    """Whether no gradient passes a part without weights that hands its only input on."""
    return (
        isinstance(box, WiringBox | OpBox) and box.traits.rows == "same" and value.inputs[0][0] in box.traits.detached
    )


@torch.no_grad()
def told(classifier: nn.Module, bank: Features, queries: Features) -> Told:
    """What it tells of the test images; their class numbers are those of the run's own images."""
    (_, known), (rows, truth) = bank.labelled(), queries.labelled()
    scores = copy.deepcopy(classifier).cpu().float().eval()(rows.float())
    if int(truth.max()) >= scores.shape[1]:
        raise SslgraphError(
            f"its classifier knows {scores.shape[1]} classes, and a test image is of class {truth.max()}"
        )
    right = scores.argmax(1) == truth
    return Told(right.double().mean().item(), (truth == known.bincount().argmax()).double().mean().item())
