"""The result of settling: the plain steps of every leg's program, and a shape for every tensor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from torch import nn

from sslgraph.wire.graph import Graph, Leg, Write

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """One plain operation of a leg's program, on named tensors.

    input: reads `target` of the batch. call: part `target` on `inputs`. get: field `target` of inputs. join: all rows
    of several tensors. split: rows to [views, batch]. member: view `target` of these. merge: split's reverse.
    stream: the draws of `target`, for `views` copies of the batch in which each image has `parts` rows.
    """

    name: str
    kind: Literal["input", "call", "get", "join", "split", "member", "merge", "stream"]
    target: str = ""
    inputs: tuple[tuple[str, str], ...] = ()
    views: int = 1
    parts: int = 1


@dataclass(frozen=True)
class Piece:
    """Rows of one resolution: which tensor, and how many views of the batch it holds, view-major."""

    tensor: str
    views: int = 1


@dataclass(frozen=True)
class SizedWrite:
    """A write whose inputs are tensors of the program, each with its number of views."""

    write: Write
    inputs: tuple[tuple[str, Piece], ...]


@dataclass
class SizedLeg:
    """The program of a leg: steps in order, the losses among them, what is written, what is collected."""

    leg: Leg
    steps: list[Step] = field(default_factory=list)
    tensors: dict[str, Any] = field(default_factory=dict)  # meta tensor (or NamedTuple of them) of each step
    pieces: dict[str, tuple[Piece, ...]] = field(default_factory=dict)
    writes: list[SizedWrite] = field(default_factory=list)
    then: SizedLeg | None = None
    ports: dict[str, tuple[str, ...]] = field(default_factory=dict)  # of each part, the order of its input ports

    def shapes(self, value: str) -> tuple[Shape, ...]:
        """The shapes of a value, one for each resolution in it; of several outputs, the first."""
        found = [self.tensors.get(piece.tensor) for piece in self.pieces[value]]
        return tuple(tuple((t[0] if isinstance(t, tuple) else t).shape) for t in found if t is not None)


@dataclass(frozen=True)
class SizedGraph:
    """A wired method with every width known: complete settings, a program for each leg, landmarks of the losses."""

    graph: Graph
    settings: dict[str, dict[str, Any]]
    legs: tuple[SizedLeg, ...]
    export: SizedLeg
    parts: dict[str, nn.Module]  # on the meta device: shapes and counts, no storage
    landmarks: dict[str, dict[str, float]]
    freezes: dict[str, str] = field(default_factory=dict)  # net, module or weight -> "always", or a length of the run
    needs_numbers: tuple[str, ...] = ()  # parts that can't run on tensors without storage

    @property
    def channels(self) -> int:
        """Channels of the images."""
        inputs = (self.export.tensors[step.name] for step in self.export.steps if step.kind == "input")
        return next(int(image.shape[1]) for image in inputs if image.ndim == 4)

    @property
    def training(self) -> SizedLeg:
        """The leg that takes optimizer steps."""
        return next(leg for leg in self.legs if leg.leg.is_training)

    def parameters(self, box: str) -> int:
        """How many numbers of a part are parameters."""
        return sum(p.numel() for p in self.parts[box].parameters())
