"""What can be wrong with a user's text: where, what, what there is, what to do.

A fault carries the path that it is about from where it arises. Whoever called adds the steps in front of it (`under`),
and whoever knows the text looks the place up, once and at the end (`placed`).
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

# A text with thousands of faults has one cause; a terminal shows this many.
MOST_FAULTS, MOST_NAMES = 20, 60
COMPARED = 500  # names that a misspelt one is compared with
Path = tuple[str | int, ...]  # ("losses", "info", "of", 0); relative until it is looked up in a text


class SslgraphError(ValueError):
    """Anything a user can mend. The command line prints its text and ends with exit code 1."""


class StorageError(SslgraphError):
    """Storage failed. It may be back when the run is started again, so a worker that meets it is started again."""


class SettingError(ValueError):
    """A part's setting that does not fit what arrives: the part, the setting, and the nearest value that does."""

    def __init__(self, part: object, setting: str, value: Any, problem: str) -> None:
        super().__init__(problem)
        self.part, self.setting, self.value = part, setting, value


class Column(int):
    """The last step of a path into an expression: the characters of the text in front of the spot."""


@dataclass(frozen=True)
class Place:
    """A spot in a file; line and column count from 1, and 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


LINE = "a line"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: the path it is about, or its place; the problem, the names there are, and the cure."""

    at: Path | Place
    problem: str
    there_are: tuple[str, ...] = ()
    cure: str = ""
    missing: str = ""  # the name that nothing carries; LINE: a line that is not there

    @property
    def place(self) -> Place | None:
        """Its place in a file; None as long as it only has a path."""
        return self.at if isinstance(self.at, Place) else None

    def under(self, path: Path) -> Fault:
        """The same fault as seen from further up in the text."""
        return self if isinstance(self.at, Place) else replace(self, at=(*path, *self.at))

    def placed(self, look_up: Callable[[Path], Place | None]) -> Fault:
        """The same fault with its place, if `look_up` knows one for its path."""
        if isinstance(self.at, Place):
            return self
        inside = self.at[-1] if self.at and isinstance(self.at[-1], Column) else None
        found = look_up(self.at if inside is None else self.at[:-1])
        if found is None:
            return self
        return replace(self, at=replace(found, column=found.column + inside) if inside and found.line else found)

    def __str__(self) -> str:
        where = str(self.at) if isinstance(self.at, Place) else dotted(self.at)
        lines = [f"{where}: {self.problem}" if where else self.problem]
        if self.there_are:
            lines.append(f"  there are: {some(self.there_are, MOST_NAMES)}")
        if self.cure:
            lines.append(f"  {self.cure}")
        return "\n".join(lines)


class SpecError(SslgraphError):
    """All faults of a text at once, in the order of their places."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=_position))
        shown = [str(fault) for fault in self.faults[:MOST_FAULTS]]
        more = len(self.faults) - len(shown)
        super().__init__("\n".join([*shown, f"and {more:,} more faults"] if more else shown))


def raise_all(faults: Iterable[Fault], look_up: Callable[[Path], Place | None] | None = None) -> None:
    """Raises these faults, if there are any, at their places where `look_up` knows them."""
    found = [fault if look_up is None else fault.placed(look_up) for fault in faults]
    if found:
        raise SpecError(found)


@contextmanager
def under(*path: str | int) -> Iterator[None]:
    """Faults that arise inside are about this path of the text, or about something below it."""
    try:
        yield
    except SslgraphError as wrong:
        raise SpecError([fault.under(path) for fault in faults_of(wrong)]) from wrong


@contextmanager
def placed(look_up: Callable[[Path], Place | None]) -> Iterator[None]:
    """Faults that arise inside get the place of their path."""
    try:
        yield
    except SpecError as wrong:
        raise SpecError([fault.placed(look_up) for fault in wrong.faults]) from wrong


def together(*checks: Callable[[], Any], known: Iterable[Fault] = ()) -> list[Any]:
    """What each of these checks gives; the faults of all of them, and those that are known, are raised at once."""
    given, faults = list[Any](), list(known)
    for check in checks:
        try:
            given.append(check())
        except SslgraphError as wrong:
            faults += [fault for fault in faults_of(wrong) if fault not in faults]
    raise_all(faults)
    return given


def faults_of(wrong: SslgraphError) -> tuple[Fault, ...]:
    """The faults of an error; the text of one that is no SpecError is a fault of the whole."""
    return wrong.faults if isinstance(wrong, SpecError) else (Fault((), str(wrong)),)


def refusal(at: Path | Place, problem: str, cure: str = "", there_are: Iterable[str] = ()) -> SpecError:
    """The error of a text that can't be read on after this fault."""
    return SpecError([Fault(at, problem, tuple(there_are), cure)])


def unknown(at: Path | Place, what: str, name: str, known: Iterable[str], cure: str = "") -> Fault:
    """The fault of a name that nothing carries, with `cure`, or else the nearest name that something does.

    `what` is the sentence that the name ends: "there is no method", "flow 'z' reads the unknown name".
    """
    names = tuple(sorted(known))
    close = nearest(name, names)
    return Fault(at, f"{what} '{name}'", names, cure or (f"did you mean '{close}'?" if close else ""), missing=name)


def line_of(wrong: Exception, file: str) -> int:
    """The line of a file that an error passed last; 0 if it passed none."""
    lines = [frame.lineno or 0 for frame in traceback.extract_tb(wrong.__traceback__) if frame.filename == file]
    return lines[-1] if lines else 0


def some(names: Sequence[str], most: int) -> str:
    """The first of the names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that `name` was most likely meant to be, whatever its case; None if nothing is near, or all too many.

    Of names in one family, such as wiring.l2, the last words are compared, because all of them begin alike.
    """
    by_word = {other.lower(): other for other in reversed(list(names))}
    near = list(by_word) if len(by_word) <= COMPARED else [name.lower()] if name.lower() in by_word else []
    family, dot, last = name.lower().rpartition(".")
    kin = [other for other in near if other.rpartition(".")[0] == family] if dot else []
    if kin:
        close = difflib.get_close_matches(last, [other.rpartition(".")[2] for other in kin], n=1, cutoff=0.6)
        namesakes = [other for other in near if other.rpartition(".")[2] == last]
        found = [f"{family}.{close[0]}"] if close else namesakes
    else:
        found = difflib.get_close_matches(name.lower(), near, n=1, cutoff=0.6)
    return by_word[found[0]] if found else None


def dotted(path: Path) -> str:
    """A path as specs write it: losses.info.of.0."""
    return ".".join(str(step) for step in path if not isinstance(step, Column))


def words(plain: Any) -> str:
    """What a value of a text is, in plain words: the text 'x', the number 3, true, a list."""
    if plain is None:
        return "empty"
    if isinstance(plain, bool):
        return str(plain).lower()
    if isinstance(plain, str):
        return f"the text '{plain if len(plain) <= 40 else plain[:37] + '...'}'"
    if isinstance(plain, dict | list):
        return "a mapping" if isinstance(plain, dict) else "a list"
    return f"the number {plain}"


def _position(fault: Fault) -> tuple[str, int, int]:
    place = fault.place or Place("")
    return place.file, place.line, place.column
