"""The table of demos in docs/results.md: `python -m benchmarks.results_demos [METHOD ...] [--seeds 0,1,2]`.

Trains the demo of each method with each seed, one after another on one thread, and measures it as its family is
judged: by nearest neighbours, or by the linear probe where a net paints, predicts or solves a puzzle. A run that is
there is not trained again, so an interrupted table goes on. Minutes are those of the processor: other work on the
machine adds little to them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sslgraph.read.catalogue import names
from sslgraph.read.load import load_method

BY_PROBE = ("generative", "masked", "pretext")
HEAD = "| demo | measure | seeds | trained | random | pixels | minutes |\n|---|---|---|---|---|---|---|"
ENCODERS = ("trained", "random", "pixels")


def measured(folder: Path, *, by_probe: bool) -> tuple[float, ...] | None:
    """Accuracy in per cent of the trained encoder, the untrained one and raw pixels; None before a run has ended."""
    file = folder / ("evaluation.json" if by_probe else "summary.json")
    if not file.is_file():
        return None
    found = json.loads(file.read_text())
    if by_probe:
        return tuple(100 * found[encoder]["linear"]["accuracy"] for encoder in ENCODERS)
    return tuple(100 * found["measures"][name] for name in ("knn", "knn_random_encoder", "knn_pixels"))


def row(name: str, measure: str, runs: list[tuple[float, ...]], seconds: list[float]) -> str:
    """One line of the table: means over the seeds, and of several the lowest and the highest."""
    means = [sum(values) / len(values) for values in zip(*runs, strict=True)]
    trained = [values[0] for values in runs]
    spread = f" ({min(trained):.1f}-{max(trained):.1f})" if len(runs) > 1 else ""
    minutes = f"{sum(seconds) / len(seconds) / 60:.1f}" if seconds else "-"
    first, *others = (f"{mean:.1f}" for mean in means)
    return f"| {name} | {measure} | {len(runs)} | {' | '.join((first + spread, *others, minutes))} |"


def train(method: str, seed: int, folder: Path, *, by_probe: bool) -> None:
    """Trains and measures what is not there yet, with the processor time of the training beside it."""
    if not (folder / "summary.json").is_file():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        _sslgraph(folder, "train", f"demo/{method}", "--seed", str(seed), "--out", str(folder))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        (folder / "processor_time.json").write_text(json.dumps(spent))
    if by_probe and not (folder / "evaluation.json").is_file():
        _sslgraph(folder, "evaluate", str(folder), "--protocol", "linear")


def _sslgraph(folder: Path, *words: str) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".log").open("a") as log:
        subprocess.run(
            [sys.executable, "-m", "sslgraph", *words], check=True, stdout=log, stderr=log,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip


def table(methods: Iterable[str], seeds: Iterable[int], out: Path) -> list[str]:
    """A line for each method with a run that has ended."""
    lines = []
    for method in methods:
        about = load_method(method).spec
        by_probe = about.family in BY_PROBE
        folders = [out / f"{method}-{seed}" for seed in seeds]
        runs = [found for folder in folders if (found := measured(folder, by_probe=by_probe))]
        times = [folder / "processor_time.json" for folder in folders]
        seconds = [json.loads(time.read_text()) for time in times if time.is_file()]
        if runs:
            lines.append(row(about.method, "probe" if by_probe else "kNN", runs, seconds))
    return lines


def main(words: list[str] | None = None) -> None:
    """Trains what is asked for and prints the table of all that is there."""
    ask: Any = argparse.ArgumentParser(prog="python -m benchmarks.results_demos", description=__doc__)
    ask.add_argument("methods", nargs="*", help="all if left out")
    ask.add_argument("--seeds", default="0,1,2")
    ask.add_argument("--out", type=Path, default=Path("runs/demos"))
    ask.add_argument("--print", action="store_true", help="train nothing")
    asked = ask.parse_args(words)
    seeds, everyone = [int(seed) for seed in asked.seeds.split(",")], names("methods")
    for seed in [] if asked.print else seeds:
        for method in asked.methods or everyone:
            train(method, seed, asked.out / f"{method}-{seed}", by_probe=load_method(method).spec.family in BY_PROBE)
    print("\n".join([HEAD, *table(everyone, seeds, asked.out)]))


if __name__ == "__main__":
    main()
