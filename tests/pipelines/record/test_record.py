"""The diary of a run: each step once, fetched together, and kNN is seen beside what is trivial."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from rich.console import Console

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.record import record as record_room
from sslgraph.pipelines.record.display import Display, Pace, knn, length
from sslgraph.pipelines.record.record import Record, cut


def record(
    folder: Path, *, done: int = 0, out: io.StringIO | None = None, terminal: bool = False, **settings: Any
) -> Record:
    console = Console(file=out or io.StringIO(), force_terminal=terminal, width=140, soft_wrap=True)
    display = Display(total_steps=100, console=console, seconds=0)
    made = Record(folder, display=display, batch=8, **{"every": 3, "tensorboard": False, **settings})
    made.begin(done)
    return made


def note(diary: Record, step: int, loss: float = 1.0) -> None:
    diary.step(step, {"a": torch.tensor(loss), "b": torch.tensor(0.5)}, {"lr": 0.1, "gradient_norm": torch.tensor(2.0)})


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_every_step_is_written_though_they_are_fetched_together(tmp_path: Path) -> None:
    diary = record(tmp_path)
    note(diary, 1, 1.25)
    note(diary, 2)
    assert lines(tmp_path) == []
    note(diary, 3)
    diary.close()
    assert lines(tmp_path)[0] == {"step": 1, "a": 1.25, "b": 0.5, "gradient_norm": 2.0, "lr": 0.1}
    assert set(lines(tmp_path)[2]) - set(lines(tmp_path)[0]) == {"images_per_second", "waiting"}


def test_what_monitors_and_evaluations_find_stands_in_the_line_of_its_step(tmp_path: Path) -> None:
    diary = record(tmp_path)
    diary.more = lambda: {2: {"monitor/f/std": 0.5}}
    diary.evaluation(0, {"knn": 0.1})
    for step in (1, 2, 3):
        note(diary, step)
    diary.evaluation(3, {"knn": 0.3})
    diary.keep()
    assert [line["step"] for line in lines(tmp_path)] == [0, 1, 2, 3]
    assert [line.get("knn") for line in lines(tmp_path)] == [0.1, None, None, 0.3]
    assert [line.get("monitor/f/std") for line in lines(tmp_path)] == [None, None, 0.5, None]
    assert lines(tmp_path)[2]["a"] == 1.0
    diary.more = None
    note(diary, 4)
    diary.close()
    assert [line["step"] for line in lines(tmp_path)] == [0, 1, 2, 3, 4]


def test_a_resumed_diary_is_cut_back_to_its_step(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 2, "knn": 0.5}\n{"step": 3}\n{"step": 4, "lo')
    cut(path, 2)
    assert path.read_text() == '{"step": 1}\n{"step": 2}\n{"step": 2, "knn": 0.5}\n'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_written_as_null_and_ends_the_run(tmp_path: Path, value: float) -> None:
    diary = record(tmp_path)
    note(diary, 1)
    note(diary, 2, value)
    with pytest.raises(SslgraphError, match=f"the loss 'a' is {value} at step 2; lower the learning rate"):
        diary.fetch()
    diary.abandon()
    assert [line["a"] for line in lines(tmp_path)] == [1.0, None]


def test_waiting_for_data_is_counted_and_what_stands_aside_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock of the test's own: three steps of 1 s, 3 s of waiting before each, and 100 s aside."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(record_room, "time", SimpleNamespace(monotonic=lambda: clock.now))
    diary = record(tmp_path)

    def slow() -> Any:
        for step in (1, 2, 3):
            clock.now += 3
            yield step

    for step in diary.timed(slow()):
        clock.now += 1
        note(diary, step)
        if step == 1:
            with diary.aside():
                clock.now += 100
    diary.close()
    found = lines(tmp_path)[2]
    assert found["waiting"] == 9 / 12 and found["images_per_second"] == 8 * 3 / 12


def test_lines_are_plain_where_there_is_no_terminal(tmp_path: Path) -> None:
    out = io.StringIO()
    diary = record(tmp_path, out=out)
    diary.evaluation(0, {"knn": 0.431, "knn_random_encoder": 0.31, "knn_pixels": 0.275})
    for step in (1, 2, 3):
        note(diary, step)
    diary.close()
    text = out.getvalue()
    assert text.splitlines()[1].startswith("0:00 left  step 3/100  loss 1.5000  kNN 43.1 % (random 31.0 %)  ")
    assert "images/s" in text and "\x1b" not in text


def test_a_terminal_has_a_bar(tmp_path: Path) -> None:
    out = io.StringIO()
    diary = record(tmp_path, out=out, terminal=True)
    for step in (1, 2, 3):
        note(diary, step)
    diary.close()
    assert "━" in out.getvalue() and "step 3/100  loss 1.5000" in out.getvalue()


def test_lines_do_not_come_too_often() -> None:
    out = io.StringIO()
    display = Display(total_steps=4, console=Console(file=out), seconds=1000)
    for step in (1, 2, 3, 4):
        display.show(step, 0.0, {}, Pace(1, 0, 0))
    assert [line.split()[3] for line in out.getvalue().splitlines()] == ["1/4", "4/4"]


def test_tensorboard_reads_the_same_numbers(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    diary = record(tmp_path, tensorboard=True)
    for step in (1, 2, 3):
        note(diary, step, float(step))
    diary.close()
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss/a")] == [(3, 3.0)]
    assert {"loss/b", "optimizer/lr", "optimizer/gradient_norm", "pace/waiting"} <= {*events.Tags()["scalars"]}


def test_curves_hold_each_step_once_though_the_clock_was_set_back_between_two_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    now = time.time()
    for hours, done, loss in ((0, 0, 1.0), (-1, 2, 2.0), (-1, 3, 3.0), (0, 0, 4.0)):
        monkeypatch.setattr(time, "time", lambda hours=hours: now + 3600 * hours)
        diary = record(tmp_path, done=done, every=1, tensorboard=True)
        for step in range(done + 1, 5):
            note(diary, step, loss)
        diary.close()
        if hours == -1 and done == 3:
            events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
            assert [(e.step, e.value) for e in events.Scalars("loss/a")] == [(1, 1.0), (2, 1.0), (3, 2.0), (4, 3.0)]
    events.Reload()  # one that is open sees what a later start wrote, too
    assert [(e.step, e.value) for e in events.Scalars("loss/a")] == [(step, 4.0) for step in (1, 2, 3, 4)]


def test_numbers_are_said_as_people_say_them() -> None:
    assert [length(seconds) for seconds in (7, 247, 7447, 266_647)] == ["0:07", "4:07", "2:04:07", "3 d 02:04:07"]
    assert knn({}) == "" and knn({"knn": 0.5}) == "kNN 50.0 %"
