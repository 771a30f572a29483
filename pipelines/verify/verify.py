"""`sslgraph verify`: checks at a tiny size that any number of ranks, and a resumed run, compute the same.

A method is trained for a few steps on one process and on several, at one global batch, by the code that trains it in
earnest. Gradients, every state by name and the optimizer's memory are compared. What a paper lets each rank do by
itself is named, and the same method is verified with that joined over the ranks.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch.multiprocessing.spawn import ProcessExitedException, spawn

from sslgraph.checked import wired
from sslgraph.errors import SettingError, SslgraphError
from sslgraph.parts import registry
from sslgraph.read.load import load_recipe
from sslgraph.read.loaded import method_in
from sslgraph.read.resolved import flat
from sslgraph.read.spec import Recipe
from sslgraph.wire.graph import Graph

from ..check import check
from ..check.request import stand_in
from .rank_local import rank_local, spanning
from .trials import STEPS, Plan, Verdict, Wish, work

__all__ = ["Wish", "counts", "verify"]

IMAGES = 128
TINY: dict[str, Any] = {
    "evaluate": {},
    "checkpoint": {},
    "monitor": None,
    "compile": False,
    "precision": "float32",
    "accumulate": 1,
    "steps": STEPS,
}


def verify(
    names: Iterable[str], wish: Wish, *, plugins: tuple[str, ...] = (), overrides: Mapping[str, Any] | None = None
) -> Iterator[Verdict]:
    """The verdict of each method or recipe, by name or file, as soon as it is there."""
    _refuse_vain(wish)
    with tempfile.TemporaryDirectory(prefix="sslgraph-verify-") as folder:
        plans = [plan_of(name, wish, plugins, overrides or {}, Path(folder, str(i))) for i, name in enumerate(names)]
        while plans:
            yield from _verdicts(plans, wish)


def _verdicts(plans: list[Plan], wish: Wish) -> Iterator[Verdict]:
    """The verdicts of the first plans, each taken off the list, up to one whose processes are ended from outside."""
    with _plain_processes():
        running = spawn(work, (tuple(plans), wish), nprocs=max(wish.ranks), join=False)
    while plans:
        plan = plans.pop(0)
        ended = _ended(running, plan.verdict)
        if not plan.verdict.is_file():
            yield Verdict(plan.name, False, (ended,), {}, 0.0, is_tried=False)
            return
        yield Verdict(**json.loads(plan.verdict.read_text()))
    if ended := _ended(running):
        raise SslgraphError(f"every verdict is there, but {ended}")


def _ended(running: Any, file: Path | None = None) -> str:
    """Waits for the file, or without one for the end of all processes; says what ended one of them from outside."""
    try:
        while not (file and file.is_file()) and not running.join(timeout=0.2):
            pass
    except ProcessExitedException as wrong:  # by the system, for want of memory, or by a fault in a library
        by = wrong.signal_name or f"exit code {wrong.exit_code}"
        return f"process {wrong.error_index + 1} of {len(running.processes)} ended by {by}"
    return ""


def _refuse_vain(wish: Wish) -> None:
    """Ranks that can't share the batch, and wishes that leave nothing to compare."""
    if uneven := [ranks for ranks in wish.ranks if wish.batch % ranks]:
        even = 2 * math.lcm(*wish.ranks)
        batch = -(-wish.batch // even) * even
        raise SslgraphError(f"{uneven[0]} ranks can't share a batch of {wish.batch} evenly; add --batch {batch}")
    if max(wish.ranks) == 1 and not wish.resume and not wish.accumulate:
        raise SslgraphError("--ranks 1 alone compares nothing; add ranks (--ranks 1,2), --resume or --accumulate")


def counts(text: str) -> tuple[int, ...]:
    """Reads `1,2,4`; one process is always among them, because the others are compared with it."""
    pieces = [piece.strip() for piece in text.split(",")]
    if not all(piece.isdigit() and int(piece) > 0 for piece in pieces):
        raise SslgraphError(f"--ranks {text}: write numbers of processes and commas, for example --ranks 1,2,4")
    return tuple(sorted({1, *map(int, pieces)}))


def _ungiven(recipe: Recipe) -> dict[str, Any]:
    """The nets whose weights nobody gives, without that wish: ranks are equal with any weights, if they are at all."""
    return {
        f"nets.{name}": {key: value for key, value in flat(net).items() if key != "weights"}
        for name, net in recipe.method.nets.items()
        if net.weights is not None and net.weights.name is not None and net.weights.name not in recipe.given
    }


def _fewer(graph: Graph, plugins: tuple[str, ...]) -> dict[str, tuple[Any, str]]:
    """By their paths the settings that ask for more images than there are here: a value that fits, and what is said."""
    found = {}
    for box in graph.boxes.values():
        if hasattr(registry.load_class(box.use, plugins), "fits"):
            try:
                registry.build(box.use, dict(box.settings), plugins).fits(IMAGES)
            except SettingError as wrong:
                found[".".join(map(str, (*box.path, wrong.setting)))] = (wrong.value, str(wrong))
            except ValueError:
                continue  # a setting that settling fills in from what arrives
    return found


def plan_of(name: str, wish: Wish, plugins: tuple[str, ...], overrides: Mapping[str, Any], folder: Path) -> Plan:
    """Everything about a method that is found without training it; faults of its text are raised here."""
    given = {**TINY, "data": {"use": stand_in(), "images": IMAGES}, "batch": wish.batch, **overrides}
    loaded = load_recipe(name, given)
    allowed = check.allowed_in(loaded, plugins)
    graph = wired(method_in(loaded), allowed)
    check.numbers(loaded, allowed)
    local = rank_local(graph)
    fewer = {} if "data" in overrides else _fewer(graph, allowed)
    given |= {found.path: found.joined for found in local} | {path: value for path, (value, _) in fewer.items()}
    given |= _ungiven(loaded.spec)
    folder.mkdir()
    notes = tuple(f"{path} is {value} here: {problem}" for path, (value, problem) in fewer.items())
    return Plan(name, given, plugins, folder, local, spanning(graph), notes)


@contextmanager
def _plain_processes() -> Iterator[None]:
    """Processes that start within it have one thread each and see no GPU: all ranks compute by the same kernels."""
    before = dict(os.environ)
    os.environ |= {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "WORLD_SIZE": "1"}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
