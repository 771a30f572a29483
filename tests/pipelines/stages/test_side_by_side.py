"""Stages that run side by side: each after its inputs, each alone in failing, and the same bits as one after another.

Those that say `ray` run on real Ray, as a user's command does; the others do the work of a worker in this process.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from command import Command
from command import sslgraph as sslgraph
from runs import records
from soak import orphans

from sslgraph import home
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.stages.side_by_side import Ended, side_by_side
from sslgraph.pipelines.stages.stage_plan import Planned, plan
from sslgraph.pipelines.storage import checkpoint, run_folder

BEFORE = """
recipe: before
method: simclr
set: {nets.f.depth: 10, nets.f.width: 4, nets.f.stem: small, nets.g.hidden: [8, 8], nets.g.out: 8, views.x.size: 8}
data: {use: sources.shapes, images: 40, test_images: 20}
batch: 8
steps: 4
checkpoint: {every: 2 steps}
monitor: null
optimizer: {use: sgd, lr: 1e-2, momentum: 0.9, weight_decay: 0}
"""
GRID = """
pipeline: Two by two
grid:
  strength: {weak: {views.x.jitter.p: 0}, strong: {views.x.jitter.p: 1}}
  labels: [10, 20]
stages:
  before: {do: train, recipe: before.yaml, over: [strength]}
  tuned:
    do: fine_tune
    recipe: stages/fine_tune
    given: {encoder: before}
    over: [labels]
    set: {views.x.size: 8, batch: 10, epochs: null, steps: 2, data.images: 40, data.test_images: 20, monitor: null}
  study:
    do: study
    given: {tuned: tuned}
    plots:
      Accuracy: {along: labels, y: tuned.accuracy}
"""
CELLS = ["before-weak", "before-strong"]
TUNED = ["tuned-weak-10", "tuned-weak-20", "tuned-strong-10", "tuned-strong-20"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "before.yaml").write_text(BEFORE)
    (tmp_path / "grid.yaml").write_text(GRID)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Here:
    """A crew of this process, which does nothing of its work: the newest work of a name ends first."""

    def __init__(self, count: int, outcome: Callable[[str], Ended | SslgraphError | None]) -> None:
        self.count, self.outcome = count, outcome
        self.order, self.most, self.stops = list[str](), 0, 0
        self._running = list[str]()

    @property
    def running(self) -> tuple[str, ...]:
        return tuple(self._running)

    def start(self, name: str, _: Callable[[], Ended | None], /) -> None:
        self._running.append(name)
        self.order.append(name)
        self.most = max(self.most, len(self._running))

    def ended(self) -> Iterator[tuple[str, Ended | SslgraphError | None]]:
        name = self._running.pop()
        yield name, self.outcome(name)

    def stop(self) -> None:
        self.stops += 1


def done(name: str) -> Ended:
    return Ended(f"{name}: done in 0:01")


def together(crew: Here, **changes: Any) -> tuple[dict[str, str], list[str]]:
    said = list[str]()
    stages = plan("grid.yaml", **changes)
    return side_by_side(stages, {stage.name: stage for stage in stages}, said.append, (), crew), said


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("count", [1, 2, 3, 10])
def test_a_stage_begins_after_its_inputs_and_no_more_than_asked_for_run_at_a_time(count: int) -> None:
    crew = Here(count, done)
    failed, said = together(crew)
    assert not failed and sorted(crew.order) == sorted([*CELLS, *TUNED, "study"])
    assert crew.most == min(count, 3)
    place = {name: crew.order.index(name) for name in crew.order}
    assert all(place[f"before-{name.split('-')[1]}"] < place[name] < place["study"] for name in TUNED)
    assert said[0].startswith(f"7 stages to do, {count} at a time; what each says is in ")
    assert said[-1].endswith("study: done in 0:01  [7 of 7 done]")


@pytest.mark.usefixtures("here")
def test_lines_say_how_many_stages_are_done_and_which_run() -> None:
    _, said = together(Here(2, done))
    assert next(line for line in said if "done in" in line) == (
        "before-strong: done in 0:01  [1 of 7 done; 1 running: before-weak]"
    )


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("fault", [Ended(why="too few images\nfor it"), SslgraphError("too few images")])
def test_stages_that_need_no_failed_one_go_on(fault: Ended | SslgraphError, here: Path) -> None:
    crew = Here(2, lambda name: fault if name == "before-strong" else done(name))
    failed, said = together(crew)
    log = next(stage for stage in plan("grid.yaml") if stage.name == "before-strong").folder.name
    assert failed == {
        "before-strong": f"too few images ({here}/runs/grid/logs/{log}.log)",
        "tuned-strong-10": "waits for before-strong", "tuned-strong-20": "waits for before-strong",
        "study": "waits for tuned-strong-10",
    }  # fmt: skip
    assert crew.order == [*CELLS, "tuned-weak-10", "tuned-weak-20"]
    assert said[-1] == "tuned-weak-10: done in 0:01  [3 of 7 done, 4 not]"


@pytest.mark.usefixtures("here")
def test_a_request_to_stop_begins_nothing_more_and_asks_once() -> None:
    crew = Here(2, lambda name: os.kill(os.getpid(), signal.SIGTERM) if name == "before-strong" else done(name))
    with pytest.raises(SystemExit, match="The same command continues"):
        together(crew)
    assert crew.order == CELLS and crew.stops == 1


@pytest.mark.usefixtures("here")
def test_without_the_option_ray_is_not_imported(monkeypatch: pytest.MonkeyPatch, sslgraph: Command) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert sslgraph("run", "grid.yaml", "--only", "before-weak").code == 0
    assert [path.name for path in Path("runs/grid").iterdir()] == [
        stage.folder.name for stage in plan("grid.yaml") if stage.name == "before-weak"
    ]


@pytest.mark.usefixtures("here")
def test_no_workers_are_refused_before_anything_is_written(here: Path, sslgraph: Command) -> None:
    said = sslgraph("run", "grid.yaml", "--workers", "0")
    assert said.code == 1 and said.err == "--workers 0 would do nothing; ask for 1 or more\n"
    assert not (here / "runs").exists()


def weights(stage: Planned) -> dict[str, torch.Tensor]:
    (last,) = checkpoint.complete(stage.folder / "checkpoints")[-1:]
    return dict(checkpoint.load(last).method)


def facts(stage: Planned) -> dict[str, Any]:
    return {
        key: value for key, value in json.loads((stage.folder / "done.json").read_text()).items() if key != "seconds"
    }


def table(stage: Planned) -> list[dict[str, str]]:
    """A study's rows, less what a clock measured."""
    rows = csv.DictReader((stage.folder / "table.csv").read_text().splitlines())
    return [{name: value for name, value in row.items() if not name.endswith(".seconds")} for row in rows]


def alike(out: str, other: str) -> None:
    """Both folders hold the same stages, steps, weights, findings and tables."""
    for one, two in zip(plan("grid.yaml", out), plan("grid.yaml", other), strict=True):
        assert one.state == two.state == "done" and one.folder.name == two.folder.name
        assert facts(one) == facts(two)
        if one.recipe is None:
            assert table(one) == table(two) and "report.html" in {path.name for path in two.folder.iterdir()}
            continue
        assert records(one.folder) == records(two.folder)
        mine, theirs = weights(one), weights(two)
        assert list(mine) == list(theirs) and all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.usefixtures("here")
def test_side_by_side_makes_the_bits_of_one_after_another(sslgraph: Command) -> None:
    assert sslgraph("run", "grid.yaml", "--out", "serial").code == 0
    told = sslgraph("run", "grid.yaml", "--out", "ray", "--workers", "2")
    assert told.code == 0, told.err
    alike("serial", "ray")
    assert " running: " in told.out
    assert "[7 of 7 done]" in told.out and "step " not in told.out
    logs = {path.name for path in Path("ray/logs").iterdir()}
    assert logs == {f"{stage.folder.name}.log" for stage in plan("grid.yaml", "ray")}
    assert "step 4/4" in next(Path("ray/logs").glob("before-weak-*")).read_text()
    again = sslgraph("run", "grid.yaml", "--out", "ray", "--workers", "2")
    assert again.code == 0 and again.out.count("done before") == 7 == len(again.out.splitlines())


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.usefixtures("here")
def test_a_failed_stage_is_named_with_its_log_and_the_others_go_on(sslgraph: Command) -> None:
    words = ("run", "grid.yaml", "--workers", "2", "--set", "grid.labels=[5, 20]")
    told = sslgraph(*words)
    stages = {stage.name: stage for stage in plan("grid.yaml", changes={"grid.labels": [5, 20]})}
    logs = Path("runs/grid/logs").resolve()
    assert told.code == 1 and told.err.startswith("3 of 7 stages are not done: ") and "Traceback" not in told.err
    for name in ("tuned-weak-5", "tuned-strong-5"):
        log = logs / f"{stages[name].folder.name}.log"
        assert f"({log})" in told.err and "a batch of 10 images is larger than the data set" in log.read_text()
    assert "study: waits for tuned-" in told.err  # the one that fails first
    assert {name for name in stages if stages[name].state == "done"} == {*CELLS, "tuned-weak-20", "tuned-strong-20"}


@pytest.mark.slow
@pytest.mark.ray
def test_a_folder_that_another_run_holds_is_refused(here: Path, sslgraph: Command) -> None:
    (weak, strong, *_) = plan("grid.yaml")
    with run_folder.held(weak.folder, torch.device("cpu")):
        told = sslgraph("run", "grid.yaml", "--workers", "2", "--only", "before")
    assert told.code == 1 and f"another run writes into {weak.folder}" in told.err and strong.state == "done"
    assert here.exists()


def started(*words: str, ignores: bool = False) -> subprocess.Popen[bytes]:
    """A command as a shell starts it; behind a script it ignores Ctrl-C."""
    environment = {**os.environ, "PYTHONPATH": str(home.ROOT), "OMP_NUM_THREADS": "1"}
    hears = signal.SIG_IGN if ignores else signal.SIG_DFL  # whatever these tests were started by
    return subprocess.Popen(
        [sys.executable, "-m", "sslgraph", *words], env=environment, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, hears),
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.parametrize(
    ("how", "ignores"),
    [(signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGTERM, True), (signal.SIGKILL, False)],
)
def test_what_is_stopped_goes_on_where_it_was(
    here: Path, sslgraph: Command, how: signal.Signals, ignores: bool
) -> None:
    """A stop saves the step that was done, so none is done twice; the end is that of a run that nobody disturbed."""
    (here / "before.yaml").write_text(BEFORE.replace("steps: 4", "steps: 200").replace("every: 2", "every: 20"))
    running = started("run", "grid.yaml", "--out", "ray", "--workers", "2", ignores=ignores)
    end = time.monotonic() + 900
    while not list(here.glob("ray/before-*/checkpoints/step_00000020")):
        assert time.monotonic() < end and running.poll() is None
        time.sleep(0.05)
    if how == signal.SIGKILL:
        os.killpg(running.pid, how)
    else:
        os.kill(running.pid, how)
    assert running.wait(timeout=300) != 0
    while orphans(here):  # workers of a driver that was killed end within seconds
        assert time.monotonic() < end
        time.sleep(0.2)
    begun = [stage for stage in plan("grid.yaml", "ray") if list(stage.folder.glob("checkpoints/step_*"))]
    assert begun and {stage.state for stage in begun} == {"begun"} and {stage.name for stage in begun} <= {*CELLS}
    for stage in begun if how != signal.SIGKILL else ():
        saved = int(checkpoint.complete(stage.folder / "checkpoints")[-1].name.removeprefix("step_"))
        assert saved == max(line["step"] for line in records(stage.folder)) and not (stage.folder / "stop").exists()
        assert f"{stage.name}: stopped: " in (here / f"ray/logs/{stage.folder.name}.log").read_text()
    told = sslgraph("run", "grid.yaml", "--out", "ray", "--workers", "2")
    assert told.code == 0 and all(f"{stage.name}: continues (train)" in told.out for stage in begun), told.err
    assert sslgraph("run", "grid.yaml", "--out", "serial").code == 0
    alike("serial", "ray")
