"""Where lines turn between two columns: in which order side by side, so that they cross little and never coincide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

EXACT = 5


@dataclass(frozen=True)
class Turn:
    """A vertical piece of a line in the gap right of a column, from one height to another."""

    edge: int
    number: int
    gap: int
    start: float
    end: float
    fork: int = -1  # lines of one fork start as one, and may turn as one

    def is_fork_of(self, other: Turn) -> bool:
        """Whether two lines leave their box as one."""
        return self.fork == other.fork >= 0

    def meets(self, other: Turn) -> bool:
        """Whether two lines would touch in one slot."""
        return other.low - 8 <= self.high and self.low <= other.high + 8 and not self.is_fork_of(other)

    @property
    def low(self) -> float:
        return min(self.start, self.end)

    @property
    def high(self) -> float:
        return max(self.start, self.end)


def order_turns(turns: list[Turn], gaps: int) -> dict[tuple[int, int], int]:
    """For each turn its slot in its gap, counted from the left; turns at different heights share a slot."""
    slots: dict[tuple[int, int], int] = {}
    for gap in range(gaps):
        here = [turn for turn in turns if turn.gap == gap]
        rows: list[list[Turn]] = []
        for turn in _best(here):
            place = len(rows)
            while place > 0 and not any(map(turn.meets, rows[place - 1])):
                place -= 1
            if place == len(rows):
                rows.append([])
            rows[place].append(turn)
            slots[turn.edge, turn.number] = place
    return slots


def _best(turns: list[Turn]) -> Sequence[Turn]:
    if len(turns) <= EXACT:
        return min(permutations(turns), key=_cost) if turns else ()
    order = sorted(turns, key=lambda t: (t.end > t.start, t.start if t.end > t.start else -t.start))
    best = _cost(order)
    for _ in range(3):
        before = best
        for i in range(len(order) - 1):
            tried = [*order[:i], order[i + 1], order[i], *order[i + 2 :]]
            if (cost := _cost(tried)) < best:
                order, best = tried, cost
        if best == before:
            break
    return order


def _cost(order: Sequence[Turn]) -> float:
    """Crossings, and heavily two lines that would run on top of each other. The left turn leads in from the left."""
    cost = 0.0
    for left, right in combinations(order, 2):
        if left.is_fork_of(right):
            continue
        # The left one goes on to the right at its end; the right one came from the left at its start.
        cost += right.low + 0.5 < left.end < right.high - 0.5
        cost += left.low + 0.5 < right.start < left.high - 0.5
        cost += 20.0 * (abs(left.end - right.start) < 6)
        cost += 2.0 * (abs(left.end - right.end) < 3) + 2.0 * (abs(left.start - right.start) < 3)
    return cost
