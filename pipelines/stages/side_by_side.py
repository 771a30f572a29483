"""Runs stages side by side: each begins when its inputs are done and a process is free; what it says goes into a log.

A stage fails alone, as where they run one after another, and a request to stop stops all.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from sslgraph.amounts import counted
from sslgraph.errors import SslgraphError, some
from sslgraph.files import write_whole

from ..storage.interrupt import Interrupt
from .one_stage import Say, before, begins, do, leave_no_empty
from .stage_plan import Planned

LOGS = "logs"  # beside the artefacts
NEWS_S = 60.0  # how often the newest line of each log is said
NAMES = 4  # of the stages that run, in a line


class Crew(Protocol):
    """What does work of a name in another process; see launch.spread."""

    count: int

    @property
    def running(self) -> tuple[str, ...]: ...
    def start(self, name: str, work: Callable[[], Ended | None], /) -> None: ...
    def ended(self) -> Iterator[tuple[str, Ended | SslgraphError | None]]: ...
    def stop(self) -> None: ...


@dataclass(frozen=True)
class Ended:
    """What became of a stage: what is said of it, and why it failed if it did."""

    said: str = ""
    why: str = ""


def side_by_side(
    wanted: Sequence[Planned], by_name: Mapping[str, Planned], say: Say, plugins: tuple[str, ...], crew: Crew
) -> dict[str, str]:
    """Why which stages are not done, in words; SystemExit if it is asked to stop, once all have saved themselves."""
    waiting = {stage.name: stage for stage in wanted if stage.state != "done"}
    for stage in wanted:
        if stage.name not in waiting:
            say(before(stage))
    todo, failed, is_stopped, news = len(waiting), dict[str, str](), False, time.monotonic()
    if waiting:
        logs = _log(wanted[0]).parent
        with write_whole.told(logs, "--out"):
            logs.mkdir(parents=True, exist_ok=True)
        say(f"{counted(todo, 'stage')} to do, {crew.count} at a time; what each says is in {logs}")
    done = {name for name, stage in by_name.items() if stage.state == "done"}
    with Interrupt() as asking:
        while waiting or crew.running:
            for stage in () if is_stopped else _ready(waiting, done, failed, by_name, crew, say):
                say(begins(stage))
                inputs = {name: by_name[name] for name in stage.inputs.values() if name in by_name}
                crew.start(stage.name, partial(_made, stage, inputs, plugins))
            if not crew.running:
                break
            for name, found in crew.ended():
                if found is None:  # it was asked to stop, by its own folder if not by this process
                    is_stopped = _stop(crew, is_stopped, say)
                elif isinstance(found, SslgraphError) or found.why:
                    failed[name] = _failed(by_name[name], found, say)
                else:
                    done.add(name)
                    say(f"{found.said}  [{_standing(todo, len(waiting), failed, crew.running)}]")
            if asking.asked:
                is_stopped = _stop(crew, is_stopped, say)
            if time.monotonic() - news > NEWS_S:
                news = time.monotonic()
                for name in crew.running:
                    say(f"{name}: {_newest_line(_log(by_name[name]))}")
    if is_stopped:
        raise SystemExit("Stopped; what had begun is saved. The same command continues.")
    return failed


def _ready(
    waiting: dict[str, Planned], done: set[str], failed: dict[str, str], by_name: Mapping[str, Planned], crew: Crew,
    say: Say,
) -> Iterator[Planned]:  # fmt: skip
    """Takes those that can begin now out of the waiting ones; those that never can have failed."""
    for name, stage in tuple(waiting.items()):
        lacks = [other for other in stage.inputs.values() if other in by_name and other not in done]
        never = [other for other in lacks if other not in waiting and other not in crew.running]
        if never:
            failed[name] = f"waits for {never[0]}"
            say(f"{name}: {failed[name]}, which is not done")
        elif lacks or len(crew.running) >= crew.count:
            continue
        del waiting[name]
        if not never:
            yield stage


def _stop(crew: Crew, is_stopped: bool, say: Say) -> bool:
    if not is_stopped:
        say(f"stops: {', '.join(crew.running)}" if crew.running else "stops")
        crew.stop()
    return True


def _failed(stage: Planned, found: Ended | SslgraphError, say: Say) -> str:
    why = str(found) if isinstance(found, SslgraphError) else found.why
    say(f"{stage.name}: failed: {why}")
    return f"{why.partition(chr(10))[0]} ({_log(stage)})"


def _standing(todo: int, waiting: int, failed: Mapping[str, str], running: Sequence[str]) -> str:
    """ "3 of 7 done, 1 not; 2 running: a, b"."""
    lost = f", {len(failed)} not" if failed else ""
    runs = f"; {len(running)} running: {some(running, NAMES)}" if running else ""
    return f"{todo - waiting - len(failed) - len(running)} of {todo} done{lost}{runs}"


def _made(stage: Planned, inputs: Mapping[str, Planned], plugins: tuple[str, ...]) -> Ended | None:
    """Does a stage in this process; None if it was asked to stop, and has saved itself."""
    said = list[str]()

    def say(text: str) -> None:
        said.append(text)
        print(text)

    with _log(stage).open("a", buffering=1, encoding="utf-8") as log, redirect_stdout(log), redirect_stderr(log):
        try:
            do(stage, inputs, say, plugins)
        except SslgraphError as wrong:
            leave_no_empty(stage.folder)
            print(f"{stage.name}: failed: {wrong}")
            return Ended(why=str(wrong))
        except (SystemExit, KeyboardInterrupt) as stopped:
            print(f"{stage.name}: stopped: {stopped}")
            return None
        except Exception as wrong:  # a mistake of a part of the user's own, or of the program: its trace is in the log
            traceback.print_exc()
            return Ended(why=f"{type(wrong).__name__}: {wrong}")
    return Ended(said[-1])


def _log(stage: Planned) -> Path:
    return stage.folder.parent / LOGS / f"{stage.folder.name}.log"


def _newest_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.is_file() else []
    return next((line for line in reversed(lines) if line.strip()), "starts")
