"""The tensors of a leg's program: each step adds one; rows of several views are joined, split and taken apart."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sslgraph.errors import SpecError, refusal
from sslgraph.settle.sized import Piece, SizedLeg, Step
from sslgraph.wire.graph import Value


class Tensors:
    """Adds steps to a leg, each with its meta tensor, under names that no value of the spec has."""

    def __init__(self, out: SizedLeg) -> None:
        self.out = out

    def step(self, step: Step, meta: Any) -> str:
        """Adds a step; gives the name of its tensor."""
        self.out.steps.append(step)
        self.out.tensors[step.name] = meta
        return step.name

    def joined(self, name: str, pieces: list[Piece]) -> tuple[Piece, ...]:
        """Consecutive pieces of one shape become one: a net then runs once for each resolution."""
        runs: list[list[Piece]] = []
        for piece in pieces:
            same = runs and self._row_shape(runs[-1][0]) == self._row_shape(piece) is not None
            runs[-1].append(piece) if same else runs.append([piece])
        is_whole = len(runs) == 1 and name not in self.out.tensors
        names = self.numbered(name if is_whole else self.derived(f"{name}_joined"), len(runs))
        return tuple(
            run[0] if len(run) == 1 else self._join(joined, run) for joined, run in zip(names, runs, strict=True)
        )

    def _join(self, name: str, pieces: list[Piece]) -> Piece:
        meta = torch.cat([self.out.tensors[piece.tensor] for piece in pieces])
        step = Step(name, "join", inputs=tuple(("", piece.tensor) for piece in pieces))
        return Piece(self.step(step, meta), sum(piece.views for piece in pieces))

    def _row_shape(self, piece: Piece) -> tuple[Any, ...] | None:
        tensor = self.out.tensors[piece.tensor]
        return (tensor.dtype, *tensor.shape[1:]) if isinstance(tensor, Tensor) else None

    def member(self, value: Value, pieces: tuple[Piece, ...]) -> Piece:
        """The rows of one view of a bag."""
        index = value.member or 0
        count = sum(piece.views for piece in pieces)
        if count == 1:
            raise fault(value, "it is taken from a bag, and there is one view only", "leave the brackets out")
        if index >= count:
            raise fault(value, f"there is no view {index}", f"the bag has {count}, from 0 to {count - 1}")
        for piece in pieces:
            if index < piece.views:
                break
            index -= piece.views
        if piece.views == 1:
            return piece
        views = self.split(value, piece)
        step = Step(value.name, "member", str(index), (("", views),))
        return Piece(self.step(step, self.out.tensors[views][index]))

    def split(self, value: Value, piece: Piece) -> str:
        """The tensor that holds the rows of a piece as [views, batch, ...]."""
        name, meta = self.derived(f"{piece.tensor}_views"), self.out.tensors[piece.tensor]
        if name not in self.out.tensors:
            if meta.shape[0] % piece.views:
                raise fault(value, f"its {meta.shape[0]} rows can't be split into {piece.views} views")
            step = Step(name, "split", inputs=(("", piece.tensor),), views=piece.views)
            self.step(step, meta.unflatten(0, (piece.views, -1)))
        return name

    def numbered(self, name: str, count: int) -> list[str]:
        """The name itself for one tensor; for several, names with numbers."""
        return [name] if count == 1 else [self.derived(f"{name}_{number + 1}") for number in range(count)]

    def derived(self, name: str) -> str:
        """A name for a tensor that no value of the spec has."""
        while name in self.out.leg.values:
            name += "_"
        return name


def fault(value: Value, problem: str, cure: str = "") -> SpecError:
    """The error of a value that can't be made."""
    return refusal(value.path, f"value '{value.name}': {problem}", cure)
