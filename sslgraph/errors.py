"""What can be wrong with what a user wrote: where, what, what there is, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class SslgraphError(ValueError):
    """Anything a user can mend. The command line prints its text and ends with exit code 1."""


class StorageError(SslgraphError):
    """Storage failed. It may be back when the run is started again, so a worker that meets it is started again."""


@dataclass(frozen=True)
class Place:
    """A spot in a file; line and column count from 1, and 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: its place, the problem, the names there are, and the cure."""

    place: Place | None
    problem: str
    there_are: tuple[str, ...] = ()
    cure: str = ""

    def __str__(self) -> str:
        lines = [f"{self.place}: {self.problem}" if self.place else self.problem]
        if self.there_are:
            lines.append(f"  there are: {', '.join(self.there_are)}")
        if self.cure:
            lines.append(f"  {self.cure}")
        return "\n".join(lines)


class SpecError(SslgraphError):
    """All faults of a text at once, in the order of their places."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=_position))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def refusal(place: Place | None, problem: str, cure: str = "", there_are: Iterable[str] = ()) -> SpecError:
    """The error of a text that can't be read on after this fault."""
    return SpecError([Fault(place, problem, tuple(there_are), cure)])


def unknown(place: Place | None, what: str, name: str, known: Iterable[str]) -> Fault:
    """The fault of a name that nothing carries, with the nearest name that something does.

    `what` says who asks for it, as the start of a sentence: "node 'z' reads".
    """
    names = tuple(sorted(known))
    close = nearest(name, names)
    rest = "" if what.startswith("there is no ") else ", which is not known here"
    return Fault(place, f"{what} '{name}'{rest}", names, f"did you mean '{close}'?" if close else "")


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that `name` was most likely meant to be, or None if nothing is near."""
    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return found[0] if found else None


def _position(fault: Fault) -> tuple[str, int, int]:
    place = fault.place or Place("")
    return place.file, place.line, place.column
