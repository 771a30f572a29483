"""Data that flows down: a layout turned over, and its words beside upright lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

from ..elements.place import Place, Point
from .draft import FRAME_DOWN, Draft
from .labels import Ground, Label, Room, meet, relation_labels, rooms_of
from .widths import TITLE_DOWN


def turned_place(place: Place) -> Place:
    """A box with what was level upright."""
    extent = place.extent
    return Place(place.y, place.x, replace(extent, width=extent.height, height=extent.width))


def turned_ground(ground: Ground, places: dict[str, Place]) -> Ground:
    """The frame of a branch, its name above its first box."""
    rooms = [places[name].room for name in ground.boxes]
    left, right = min(r[0] for r in rooms) - FRAME_DOWN, max(r[2] for r in rooms) + FRAME_DOWN
    top, bottom = min(r[1] for r in rooms) - FRAME_DOWN, max(r[3] for r in rooms) + FRAME_DOWN
    return Ground(ground.title, ground.boxes, left, top - TITLE_DOWN * len(ground.title.split()), right, bottom, False)


def labels_down(
    draft: Draft,
    places: dict[str, Place],
    lines: dict[int, list[Point]],
    stops: dict[int, Point],
    grounds: list[Ground],
) -> list[Label]:
    """The words at all lines, each at the first place beside its line where nothing is in its way."""
    taken = [place.room for place in places.values()]
    taken += [(x - 8, y - 9, x + 66, y + 9) for x, y in stops.values()]
    taken += [room for ground in grounds for room in ground.sides]
    found: list[Label] = []
    for plan, label in draft.labels():
        if label.kind == "write":
            label = replace(label, owner=plan.source, end=plan.target, is_down=True)
        found.append(_first_free(label, lines, plan.edge, taken, _beside_data(lines[plan.edge], label.width)))
        taken.append(found[-1].room)
    for number, label in relation_labels(draft.panel, draft.flow).items():
        spots = list(_beside_relation(lines[number], label.wide, len(label.lines)))
        placed = _first_free(replace(label, width=label.wide, is_down=True, edge=number), lines, number, taken, spots)
        if label.kind == "write" and " " in label.above[0].text and _hidden(placed, lines, number, taken)(0, 0):
            split = replace(label, is_split=True, is_down=True, edge=number)
            spots = list(_beside_relation(lines[number], split.wide, 2))
            placed = _first_free(replace(split, width=split.wide), lines, number, taken, spots)
        if label.kind != "same" or not any(meet(placed.room, room) for room in taken):
            found.append(placed)
            taken.append(placed.room)
    return found


def _first_free(label: Label, lines: dict[int, list[Point]], own: int, taken: list[Room], spots: list[Point]) -> Label:
    """The label at the first of these places that is free, else at the one where it hides least."""
    hidden = _hidden(label, lines, own, taken)

    def count(spot: Point) -> int:
        return hidden(spot[0] - label.x, spot[1] - label.y)

    free = next((spot for spot in spots if not count(spot)), None)
    best = free or min(spots, key=count)
    return label.at(*best, best[1])


def _hidden(label: Label, lines: dict[int, list[Point]], own: int, taken: list[Room]) -> Callable[[float, float], int]:
    """How many things a label hides that is moved by so much."""
    others = [room for number, points in lines.items() if number != own for room in rooms_of(points)]
    is_across = len(label.lines) > 1 if label.owner else False  # its own line runs between its words
    mine = [] if is_across else [(a + 2, b + 2, c - 2, d - 2) for a, b, c, d in rooms_of(lines[own])]
    a, b, c, d = label.room
    rooms = [*taken, *others, *mine]

    def hidden(x: float, y: float) -> int:
        return sum(a + x < r and left < c + x and b + y < low and top < d + y for left, top, r, low in rooms)

    return hidden


def _beside_data(points: list[Point], wide: float) -> list[Point]:
    """Places for a row of words: right of the first upright piece, left of it, at the others, above level pieces."""
    spots = []
    for (x, y0), (z, y1) in pairwise(points):
        if x == z and abs(y1 - y0) > 6:
            heights = [min(y0, y1) + 14 + 3 * i for i in range(max(1, int((abs(y1 - y0) - 10) / 3)))]
            spots += [(x + side * (5 + wide / 2), y) for side in (1, -1) for y in heights]
        elif y0 == y1 and abs(z - x) > 20:
            spots += [((x + z) / 2, y0 + 1), ((x + z) / 2, y0 + 16)]
    (x, y0), *_ = points
    return spots or [(x + 5 + wide / 2, y0 + 14)]


def _beside_relation(points: list[Point], wide: float, lines: int) -> Iterator[Point]:
    """Places for a relation's words: around the middle of its longest level piece, else beside its upright ones."""
    pieces = sorted(pairwise(points), key=lambda ends: -abs(ends[0][0] - ends[1][0]) - abs(ends[0][1] - ends[1][1]))
    for (x0, y0), (x1, y1) in pieces:
        if y0 == y1:
            middle, reach = (x0 + x1) / 2, max(0, int((abs(x1 - x0) - wide) / 2))
            for dx in (0, *(side * step for step in range(3, reach, 3) for side in (1, -1))):
                yield from ((middle + dx, y0 - dy) for dy in ((0.0,) if lines > 1 else (9.0, -9.0)))
        else:
            for dy in range(0, max(1, int(abs(y1 - y0) / 2)), 3):
                yield from (
                    (x0 + side * (6 + wide / 2), (y0 + y1) / 2 + sign * dy) for side in (1, -1) for sign in (1, -1)
                )
