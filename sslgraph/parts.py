"""A method's parts with real weights: each from a seed of its own name, targets as copies, given weights loaded."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sslgraph import collectives, registry
from sslgraph.draws import stream_of
from sslgraph.errors import refusal
from sslgraph.graph import Box, Graph
from sslgraph.norm import synchronise
from sslgraph.sized import SizedGraph
from sslgraph.state import Follower


def build_parts(
    sized: SizedGraph, *, seed: int, plugins: tuple[str, ...], given: Mapping[str, Mapping[str, Tensor]]
) -> dict[str, nn.Module]:
    """Every part with real weights; each starts from a seed of its own name, so that adding one moves no other."""
    parts: dict[str, nn.Module] = {}
    boxes = [sized.graph.boxes[name] for name in sized.settings]
    for box in sorted(boxes, key=lambda b: b.section == "targets"):
        parts[box.name] = _part(sized, box, parts, seed, plugins)
        if artefact := getattr(box.spec, "weights", None):
            _load(sized.graph, box, parts[box.name], given.get(artefact.removeprefix("$")))
        if box.section == "targets" or getattr(box.spec, "frozen", False):
            parts[box.name].requires_grad_(False)
        if collectives.ranks() > 1 and getattr(_followed(sized.graph, box).spec, "sync_norm", False):
            parts[box.name] = synchronise(parts[box.name])
    return {name: parts[name] for name in sized.settings}


class Encoder(nn.Module):
    """The exported net with its port: images in, one row of features per image out (maps are averaged)."""

    def __init__(self, net: nn.Module, port: str) -> None:
        super().__init__()
        self.net, self.port = net, port

    def forward(self, image: Tensor) -> Tensor:
        out = self.net(image)
        rows: Tensor = getattr(out, self.port) if self.port else out
        return rows.flatten(2).mean(2) if rows.ndim == 4 else rows.mean(1) if rows.ndim == 3 else rows


def _part(sized: SizedGraph, box: Box, parts: dict[str, nn.Module], seed: int, plugins: tuple[str, ...]) -> nn.Module:
    is_copy = getattr(box.spec, "init", None) == "copy"
    if is_copy and not getattr(box.spec, "settings", None):
        return copy.deepcopy(parts[str(box.follows)])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed * 65_536 + stream_of(box.name))
        part: nn.Module = registry.build(box.use, sized.settings[box.name], plugins)
    if is_copy:
        Follower(target=part, net=parts[str(box.follows)], momentum=1.0).copy()
    return part


def _followed(graph: Graph, box: Box) -> Box:
    return graph.boxes[box.follows] if box.follows else box


def _load(graph: Graph, box: Box, part: nn.Module, weights: Mapping[str, Tensor] | None) -> None:
    here = graph.place((*box.path, "weights"))
    if weights is None:
        name = str(getattr(box.spec, "weights", ""))
        problem = f"'{box.name}' takes its weights from {name}, and nothing was given under that name"
        raise refusal(here, problem, f"write given: {{{name.removeprefix('$')}: PATH}} in the recipe")
    try:
        part.load_state_dict(dict(weights))
    except RuntimeError as wrong:
        reason = str(wrong).splitlines()[-1].strip()
        raise refusal(here, f"the given weights do not fit '{box.name}' ({box.use}): {reason}") from wrong
