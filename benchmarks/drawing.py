"""How long a picture takes once the method is compiled: its model, its layout, each format.

Run as `python -m benchmarks.drawing`, or with names of methods.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median

from sslgraph.drawing import LIGHT, Level, Picture, layout, picture, scene, svg
from sslgraph.drawing.write.pdf import as_pdf
from sslgraph.drawing.write.svg import rendered
from sslgraph.pipelines.check.check import examine
from sslgraph.read import catalogue
from sslgraph.settle.sized import SizedGraph

ROUNDS = 9


def milliseconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median time of a call in this process, the first one left out."""
    work()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(1e3 * (time.process_time() - start))
    return median(times)


def layouts(drawn: Picture) -> None:
    """Lays every panel out."""
    for panel in drawn.panels:
        layout(panel)


def row(name: str, sized: SizedGraph, level: Level) -> str:
    """The figures of a method at one level."""
    drawn = picture(sized, level=level)
    figures = [
        milliseconds(lambda: picture(sized, level=level)),
        milliseconds(lambda: layouts(drawn)),
        milliseconds(lambda: svg(drawn)),
        milliseconds(lambda: rendered(svg(drawn)), 3),
        milliseconds(lambda: as_pdf(scene(drawn, LIGHT)), 3),
    ]
    said = " ".join(f"{value:{width}.1f}" for value, width in zip(figures, (6, 6, 6, 7, 7), strict=True))
    return f"{name:<16} {level:<10} {said}   {len(svg(drawn).encode()):,}"


def main() -> None:
    """Prints a table; processor time, since other work may share the cores."""
    print(f"{'method':<16} {'level':<10} {'model':>6} {'layout':>6} {'svg':>6} {'png':>7} {'pdf':>7}   bytes of svg")
    for name in sys.argv[1:] or catalogue.names("methods"):
        sized = examine(name).sized
        assert sized is not None
        print(row(name, sized, "paper"))
        print(row(name, sized, "every-call"))


if __name__ == "__main__":
    main()
