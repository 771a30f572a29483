"""The only place that talks to other processes; each function states what its gradient is. One process: the identity.

The convention that makes gradients equal on any number of ranks: every rank's loss is a mean over its own rows or a
value that is the same on all ranks, and the gradients of the parameters are averaged over ranks afterwards (as DDP
does). The backward of `gather` and `all_sum` therefore sums over ranks; dividing there as well would lose 1/ranks.
"""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

T = TypeVar("T")
Kind = Literal["all_gather", "all_reduce", "all_to_all", "broadcast"]
_is_alone = False
# The collective that gathers tensors into one; under its older name a newer torch warns at each call.
_gather_into: Any = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor


@dataclass(frozen=True)
class Message:
    """One collective as each rank takes part in it: what kind, and how many bytes of its own it brings."""

    kind: Kind
    bytes: int

    def traffic(self, ranks: int) -> float:
        """Bytes that each rank sends (and receives), on a ring."""
        if self.kind in ("all_reduce", "all_to_all"):
            return (2 if self.kind == "all_reduce" else 1) * (ranks - 1) / ranks * self.bytes
        return float((ranks - 1) * self.bytes if self.kind == "all_gather" else self.bytes)


@dataclass
class _Rehearsal:
    ranks: int
    messages: list[Message] = field(default_factory=list)


_rehearsal: _Rehearsal | None = None


@contextmanager
def rehearsed(count: int) -> Iterator[list[Message]]:
    """Inside, one process works as the first of `count`: nothing is sent, results have the shapes that they would have
    and any numbers, and every message is noted. For planning on tensors without storage.
    """
    global _rehearsal
    before, _rehearsal = _rehearsal, _Rehearsal(count)
    try:
        yield _rehearsal.messages
    finally:
        _rehearsal = before


def _is_only_noted(kind: Kind, mine: Tensor) -> bool:
    if _rehearsal is None:
        return False
    _rehearsal.messages.append(Message(kind, mine.numel() * mine.element_size()))
    return True


@contextmanager
def together(backend: str, timeout: timedelta, **meeting: Any) -> Iterator[None]:
    """Connects this process with the others for the block; `meeting` says where, as torch's init_process_group does.

    Gloo's threads end with the block. One that outlived it could wait for the interpreter, to let go of a tensor, while
    the interpreter ends: the process aborts, and torchrun reports a finished training as failed.
    """
    # Its functions take the group that exists when the module is imported as a default argument, and so hold it and its
    # threads. torch imports it with torch._dynamo, which happens somewhere in training.
    importlib.import_module("torch.distributed.nn")
    dist.init_process_group(backend, timeout=timeout, **meeting)
    try:
        yield
    finally:
        dist.destroy_process_group()
        gc.collect()  # DDP holds the group as well, and is part of a cycle


def of_the_first(value: T) -> T:
    """Rank 0's plain value on every rank, such as a folder's name with a time in it."""
    values = [value]
    if ranks() > 1:
        dist.broadcast_object_list(values, src=0)
    return values[0]


def ranks() -> int:
    """How many processes train together."""
    if _is_alone:
        return 1
    if _rehearsal is not None:
        return _rehearsal.ranks
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """The number of this process, from 0."""
    return dist.get_rank() if ranks() > 1 and _rehearsal is None else 0


@contextmanager
def alone() -> Iterator[None]:
    """Within it this process is the only one: what a global batch looks like, each rank works out for itself."""
    global _is_alone
    before, _is_alone = _is_alone, True
    try:
        yield
    finally:
        _is_alone = before


def gather(rows: Tensor) -> Tensor:
    """The rows of all ranks, in rank order, without gradient. All ranks must hold equally many."""
    if ranks() == 1:
        return rows.detach()
    out = rows.new_empty((ranks() * len(rows), *rows.shape[1:]))
    if not _is_only_noted("all_gather", rows):
        _gather_into(out, rows.detach().contiguous())
    return out


def gather_with_gradient(rows: Tensor) -> Tensor:
    """The rows of all ranks, in rank order; the gradient of my rows is the sum of what all ranks send back to them."""
    return rows if ranks() == 1 else _Gather.apply(rows)


def exchange(rows: Tensor, *, back: bool = False) -> Tensor:
    """My n rows are dealt out to all R ranks, and I get n of theirs, grouped by rank; `back` undoes it. No gradient.

    Row j of rank r goes to rank (r + floor((j + 1/2) R / n)) mod R: as evenly as can be, and each rank gets n.
    """
    if ranks() == 1:
        return rows.detach()
    count, here, rows = ranks(), rank(), rows.detach().contiguous()
    ahead = [(2 * j + 1) * count // (2 * len(rows)) for j in range(len(rows))]  # grows with j
    sent = [ahead.count((other - here) % count) for other in range(count)]
    got = [ahead.count((here - other) % count) for other in range(count)]
    first = sum(sent[here:])  # the rows behind these go to ranks below mine, and travel first
    out = torch.empty_like(rows)
    if not back:
        rows = torch.cat([rows[first:], rows[:first]])
    if not _is_only_noted("all_to_all", rows):
        dist.all_to_all_single(out, rows, *((sent, got) if back else (got, sent)))
    return torch.cat([out[len(out) - first :], out[: len(out) - first]]) if back else out


def all_sum(value: Tensor) -> Tensor:
    """The sum over ranks, without gradient."""
    if ranks() == 1:
        return value.detach()
    out = value.detach().clone()
    if not _is_only_noted("all_reduce", out):
        dist.all_reduce(out)
    return out


def all_sum_with_gradient(value: Tensor) -> Tensor:
    """The sum over ranks; its gradient is the sum over ranks of the gradients of the result."""
    return value if ranks() == 1 else _Sum.apply(value)


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """The mean over the rows of all ranks, each as often as its weight says; 0 where nothing counts.

    What does not count may be infinite or nan. What a rank returns is its share of the mean: averaged over ranks, value
    and gradient are those of one process.
    """
    total = all_sum(weights.sum()) / ranks()
    return (values.where(weights != 0, 0.0) * weights).sum() / total.clamp_min(1e-6)


def mean_where(values: Tensor, where: Tensor | None) -> Tensor:
    """The mean over the rows, or over those of all ranks that `where` counts (`weighted_mean`)."""
    return values.mean() if where is None else weighted_mean(values, where.to(values.dtype))


def broadcast(value: Tensor) -> Tensor:
    """Rank 0's value on every rank, without gradient."""
    if ranks() == 1:
        return value.detach()
    out = value.detach().clone()
    if not _is_only_noted("broadcast", out):
        dist.broadcast(out, 0)
    return out


def mean_gradients(parameters: list[torch.nn.Parameter]) -> None:
    """Averages the gradients over ranks in place, in one flat message per dtype; a missing gradient counts as zero."""
    if ranks() == 1 or not parameters:
        return
    for dtype in sorted({p.dtype for p in parameters}, key=str):
        mine = [p for p in parameters if p.dtype == dtype]
        flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in mine])
        if not _is_only_noted("all_reduce", flat):
            dist.all_reduce(flat)
        flat /= ranks()
        for p, piece in zip(mine, flat.split([p.numel() for p in mine]), strict=True):
            p.grad = piece.view_as(p).clone()


def barrier() -> None:
    """Waits for all ranks."""
    if ranks() > 1:
        dist.barrier()


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, rows: Tensor) -> Tensor:
        return gather(rows)

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        total = all_sum(gradient.contiguous())
        return total.chunk(ranks())[rank()]


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, value: Tensor) -> Tensor:
        return all_sum(value)

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return all_sum(gradient.contiguous())
