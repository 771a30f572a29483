"""Builds a method's parts with real weights: seeded by name, targets copied from nets, given weights loaded."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sslgraph import collectives
from sslgraph.compile.follow import Follower
from sslgraph.compile.program import Program
from sslgraph.draws import stream_of
from sslgraph.errors import SslgraphError, refusal
from sslgraph.parts import registry
from sslgraph.ranks.batch_norm import split, synchronise
from sslgraph.read.spec import ALWAYS, Average, Part, Weights
from sslgraph.settle.given_numbers import with_numbers
from sslgraph.settle.sized import SizedGraph
from sslgraph.wire.graph import Box, TargetBox


def build_parts(
    sized: SizedGraph, *, seed: int, plugins: tuple[str, ...], given: Mapping[str, Mapping[str, Tensor]] | None
) -> dict[str, nn.Module]:
    """Every part with real weights; each starts from a seed of its own name, so that adding one moves no other.

    `given` holds the weights of each net that says weights:, by its name; without it these are drawn like the rest.
    """
    parts: dict[str, nn.Module] = {}
    boxes = [sized.graph.boxes[name] for name in sized.settings]
    for box in sorted(boxes, key=_turn):
        parts[box.name] = part = _part(sized, box, parts, seed, plugins)
        if given is not None and isinstance(box.spec, Part) and box.spec.weights:
            _load(box, part, box.spec.weights, given)
        if isinstance(box, TargetBox) or (isinstance(box.spec, Part) and box.spec.is_frozen):
            part.requires_grad_(False)
        for name, until in sized.freezes.items():
            if until == ALWAYS and name.startswith(f"{box.name}."):
                _weights(part, name.removeprefix(f"{box.name}.")).requires_grad_(False)
        followed = sized.graph.boxes[box.net].spec
        if isinstance(followed, Part) and followed.norm_splits > 1:
            parts[box.name] = split(part, followed.norm_splits)
        elif collectives.ranks() > 1 and isinstance(followed, Part) and followed.sync_norm:
            parts[box.name] = synchronise(part)
    return {name: parts[name] for name in sized.settings}


def _turn(box: Box) -> int:
    """Nets are made first, then the averages that copy them, then snapshots of either."""
    return 0 if not isinstance(box, TargetBox) else 1 if isinstance(box.spec, Average) else 2


class Encoder(nn.Module):
    """The program of `export`: images in, one row of features per image out (maps and tokens are averaged).

    `nets` names the nets in it.
    """

    def __init__(self, program: Program, nets: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.net, self.nets = program.module, nets

    def forward(self, image: Tensor) -> Tensor:
        (rows,) = self.net(image).values()
        features: Tensor = rows.flatten(2).mean(2) if rows.ndim == 4 else rows.mean(1) if rows.ndim == 3 else rows
        return features

    def places(self, image: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch dim rows columns"]:
        """Features of each place: the export itself if it has places, else the first map, or tokens, of each of its
        nets, side by side; SslgraphError if none has more than one place.
        """
        given: list[Any] = []
        with ExitStack() as hooks:
            for net in self.nets:
                layer = self.net.get_submodule(net)
                hooks.enter_context(layer.register_forward_hook(lambda _module, _inputs, out: given.append(out)))
            (rows,) = self.net(image).values()
        own = grid_of(rows)
        maps = [own] if own is not None else [found for out in given if (found := _first_grid(out)) is not None]
        if not maps:
            raise SslgraphError(
                f"the encoder gives no features of places for images of {image.shape[3]} pixels: it needs a map or "
                "tokens of 2 x 2 places or more, so larger images may do"
            )
        size = maps[0].shape[2:]
        alike = [found if found.shape[2:] == size else interpolate(found, size, mode="bilinear") for found in maps]
        return torch.cat(alike, 1)


def grid_of(value: Tensor) -> Float[Tensor, "batch dim rows columns"] | None:
    """A map of more than one place as it is; tokens as the square of the last of them, without those before (class
    token, registers); None for anything else.
    """
    if value.ndim == 4:
        return value if min(value.shape[2:]) > 1 else None
    side = math.isqrt(value.shape[1]) if value.ndim == 3 else 0
    return value[:, -(side**2) :].transpose(1, 2).unflatten(2, (side, side)) if side > 1 else None


def _first_grid(out: Any) -> Tensor | None:
    values = out if isinstance(out, tuple) else (out,)
    return next((grid_of(value) for value in values if value.ndim > 2), None)


def _part(sized: SizedGraph, box: Box, parts: dict[str, nn.Module], seed: int, plugins: tuple[str, ...]) -> nn.Module:
    copied = box.spec if isinstance(box, TargetBox) and getattr(box.spec, "init", "copy") == "copy" else None
    if copied is not None and not copied.settings:
        return copy.deepcopy(parts[copied.follows])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed * 65_536 + stream_of(box.name))
        part = with_numbers(registry.build(box.use, sized.settings[box.name], plugins), box)
    if copied is not None:
        Follower(target=part, net=parts[copied.follows], momentum=1.0).copy()
    return part


def _weights(part: nn.Module, name: str) -> nn.Module | Tensor:
    """A module of a part, or one of its weights."""
    modules = dict(part.named_modules())
    return modules[name] if name in modules else part.get_parameter(name)


def _load(box: Box, part: nn.Module, said: Weights, given: Mapping[str, Mapping[str, Tensor]]) -> None:
    here = (*box.path, "weights")
    if box.name not in given:
        problem = f"'{box.name}' takes its weights from {said.source}, and nothing was given for it"
        cure = f"write compile(given={{'{box.name}': STATE_DICT}}), or sslgraph.load_recipe(...).compile(images)"
        raise refusal(here, problem, cure)
    try:
        part.load_state_dict({**part.state_dict(), **given[box.name]})
    except RuntimeError as wrong:
        reason = str(wrong).splitlines()[-1].strip()
        raise refusal(here, f"the given weights do not fit '{box.name}' ({box.use}): {reason}") from wrong
