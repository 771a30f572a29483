"""The few forms that every export draws: paths, circles, texts, groups. No colour is decided here, no place either."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

from .measure import Run

Command = tuple[str, tuple[float, ...]]  # ("M", (x, y)), ("L", (x, y)), ("Q", (x1, y1, x, y)), ("Z", ())


def points_of(numbers: tuple[float, ...]) -> list[tuple[float, float]]:
    """The points that the numbers of a command are."""
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def short(value: float, digits: int) -> str:
    """A number with at most so many digits behind its point."""
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


class Style(TypedDict, total=False):
    """How a path is drawn: the fields of Path but its commands."""

    fill: str
    stroke: str
    width: float
    dash: tuple[float, ...]
    is_round: bool
    opacity: float


@dataclass(frozen=True)
class Path:
    """Lines and curves, filled or drawn."""

    commands: tuple[Command, ...]
    fill: str = "none"
    stroke: str = "none"
    width: float = 1.5
    dash: tuple[float, ...] = ()
    is_round: bool = False
    opacity: float = 1.0


@dataclass(frozen=True)
class Circle:
    """A circle."""

    x: float
    y: float
    radius: float
    fill: str = "none"
    stroke: str = "none"
    width: float = 1.2


@dataclass(frozen=True)
class Words:
    """A line of text in one or several styles."""

    x: float
    y: float
    runs: tuple[Run, ...]
    size: float
    fill: str
    anchor: str = "middle"
    halo: str = ""


@dataclass(frozen=True)
class Group:
    """What belongs together: a box, a line. `clip` cuts its content to a rounded square (left, top, side, radius)."""

    parts: tuple[Shape, ...]
    role: str = ""  # box, edge, frame, label, legend
    name: str = ""  # of a box its id, of an edge its ends
    words: str = ""  # said to whoever can't see it
    kinds: tuple[str, ...] = ()
    clip: tuple[float, float, float, float] | None = None
    opacity: float = 1.0


Shape = Path | Circle | Words | Group


def polygon(*points: tuple[float, float], **style: Unpack[Style]) -> Path:
    """A closed form with straight sides."""
    (x, y), *rest = points
    return Path((("M", (x, y)), *(("L", point) for point in rest), ("Z", ())), **style)


def rectangle(left: float, top: float, right: float, bottom: float, radius: float, **style: Unpack[Style]) -> Path:
    """A rectangle with round corners."""
    r = min(radius, (right - left) / 2, (bottom - top) / 2)
    return Path(
        (
            ("M", (left + r, top)),
            ("L", (right - r, top)),
            ("Q", (right, top, right, top + r)),
            ("L", (right, bottom - r)),
            ("Q", (right, bottom, right - r, bottom)),
            ("L", (left + r, bottom)),
            ("Q", (left, bottom, left, bottom - r)),
            ("L", (left, top + r)),
            ("Q", (left, top, left + r, top)),
            ("Z", ()),
        ),
        **style,
    )


def pill(left: float, top: float, right: float, bottom: float, **style: Unpack[Style]) -> Path:
    """A rectangle whose short sides are half circles."""
    r = (bottom - top) / 2
    k = r * 0.5523
    return Path(
        (
            ("M", (left + r, top)),
            ("L", (right - r, top)),
            ("C", (right - r + k, top, right, top + r - k, right, top + r)),
            ("C", (right, bottom - r + k, right - r + k, bottom, right - r, bottom)),
            ("L", (left + r, bottom)),
            ("C", (left + r - k, bottom, left, bottom - r + k, left, bottom - r)),
            ("C", (left, top + r - k, left + r - k, top, left + r, top)),
            ("Z", ()),
        ),
        **style,
    )


def rounded(points: list[tuple[float, float]], radius: float = 8.0) -> tuple[Command, ...]:
    """Straight pieces with round corners."""
    commands: list[Command] = [("M", points[0])]
    for (x0, y0), (x1, y1), (x2, y2) in zip(points, points[1:], points[2:], strict=False):
        before, after = abs(x1 - x0) + abs(y1 - y0), abs(x2 - x1) + abs(y2 - y1)
        r = min(radius, before / 2, after / 2)
        if r < 0.5:
            commands.append(("L", (x1, y1)))
            continue
        commands.append(("L", (x1 - (x1 - x0) / before * r, y1 - (y1 - y0) / before * r)))
        commands.append(("Q", (x1, y1, x1 + (x2 - x1) / after * r, y1 + (y2 - y1) / after * r)))
    return (*commands, ("L", points[-1]))


def moved(shape: Shape, dx: float, dy: float) -> Shape:
    """A form at another place."""
    match shape:
        case Path():
            commands = ((c, tuple(v + (dy if i % 2 else dx) for i, v in enumerate(n))) for c, n in shape.commands)
            return replace(shape, commands=tuple(commands))
        case Circle() | Words():
            return replace(shape, x=shape.x + dx, y=shape.y + dy)
        case Group():
            clip = shape.clip and (shape.clip[0] + dx, shape.clip[1] + dy, shape.clip[2], shape.clip[3])
            return replace(shape, parts=tuple(moved(part, dx, dy) for part in shape.parts), clip=clip)
