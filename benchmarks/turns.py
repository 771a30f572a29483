"""Several ways to do the same work, timed in turns: what disturbs a machine then disturbs all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Timed:
    """The seconds of each round for each way of doing `units` pieces of work."""

    title: str
    unit: str
    units: int
    seconds: Mapping[str, list[float]]

    def ratio(self, other: str, mine: str) -> tuple[float, float, float]:
        """How many times longer `other` takes than `mine`: least, median and greatest over the rounds."""
        ratios = [a / b for a, b in zip(self.seconds[other], self.seconds[mine], strict=True)]
        return min(ratios), statistics.median(ratios), max(ratios)

    def table(self, mine: str) -> str:
        """One line for each way: time a unit, and how many times `mine` it takes (median, least..greatest)."""
        width = max(map(len, self.seconds))
        lines = [f"{self.title} ({len(self.seconds[mine])} rounds, in turns)"]
        for name, rounds in self.seconds.items():
            each = statistics.median(rounds) / self.units
            low, middle, high = self.ratio(name, mine)
            beside = "" if name == mine else f"   {middle:6.2f} x  ({low:.2f} .. {high:.2f})"
            lines.append(f"  {name:<{width}}  {_readable(each)} / {self.unit}{beside}")
        return "\n".join(lines)


def in_turns(
    title: str,
    ways: Mapping[str, Work],
    *,
    unit: str,
    units: int,
    rounds: int = 5,
    warm: int = 1,
    clock: Callable[[], float] = time.process_time,
) -> Timed:
    """Does the work in every way, `warm` times untimed and then once a round.

    The clock counts this process's processor time, all of its threads together, so that other programs on the machine
    disturb it little; work of other processes needs time.perf_counter.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(-warm, rounds):
        for name, work in ways.items():
            start = clock()
            work()
            if number >= 0:
                seconds[name].append(clock() - start)
    return Timed(title, unit, units, seconds)


def _readable(seconds: float) -> str:
    size, name = next(((s, n) for s, n in ((1.0, "s "), (1e-3, "ms")) if seconds >= s), (1e-6, "us"))
    return f"{seconds / size:8.2f} {name}"
