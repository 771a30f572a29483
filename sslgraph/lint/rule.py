"""A rule of the linter: what it may ask, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sslgraph.errors import Place
from sslgraph.read.spec import Path
from sslgraph.schedules import duration
from sslgraph.wire.graph import Graph


@dataclass(frozen=True)
class Facts:
    """The numbers of a run; None where nobody has said.

    batch counts the images of an optimizer step over all ranks, images those of the data set.
    """

    batch: int | None = None
    images: int | None = None
    epochs: int | None = None
    steps: int | None = None
    accumulate: int = 1
    ranks: int | None = None
    # Each net's highest rate, divided by the usual one for trained weights.
    paces: Mapping[str, float] = field(default_factory=dict)
    dead: tuple[tuple[str, str], ...] = ()  # (own part, port) that promise a gradient, and autograd sends none
    mixed: tuple[tuple[str, str, tuple[int, ...]], ...] = ()  # (own part, port, shape) whose images see each other
    # (own loss, its (port, views, shape)) that get views as rows and do not say that rows are meant
    flattened: tuple[tuple[str, tuple[tuple[str, int, tuple[int, ...]], ...]], ...] = ()

    @property
    def length(self) -> float | None:
        """Optimizer steps of the whole run."""
        if self.steps is not None:
            return self.steps
        if self.epochs is None or self.images is None or self.batch is None:
            return None
        return self.epochs * self.images / self.batch

    def steps_of(self, time: str) -> float | None:
        """Optimizer steps of a length of time such as "10 %", if they are known."""
        said = duration(time)
        if said.unit == "steps":
            return said.amount
        of = (self.length or 0) / 100 if said.unit == "%" else (self.images or 0) / (self.batch or 1)
        return said.amount * of if of else None


@dataclass(frozen=True)
class Doubt:
    """What a rule found, at a path of the method; `source` is where that is known from, if not the rule's own."""

    path: Path
    message: str
    cure: str
    source: str = ""


Find = Callable[[Graph, Facts], Iterable[Doubt]]


@dataclass(frozen=True)
class Rule:
    """What holds in a method that learns, in one sentence; where that is known from; what finds a breach."""

    number: str
    sentence: str
    source: str
    find: Find


def rule(number: str, source: str) -> Callable[[Find], Rule]:
    """Makes a rule of the function that finds its breaches, whose docstring is the sentence."""
    return lambda find: Rule(number, str(find.__doc__), source, find)


@dataclass(frozen=True)
class Finding:
    """One warning: the rule's number, where, what is doubtful, what to do, and where the rule is known from."""

    number: str
    place: Place | None
    message: str
    cure: str
    source: str
    reason: str = ""  # why the method's text says that it does not count; "" where it counts

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        if self.reason:
            return f"{where}{self.number} does not count: {self.reason}\n  ({self.message})"
        return f"{where}{self.number}: {self.message}\n  {self.cure} ({self.source})"
