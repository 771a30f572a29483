"""A start goes on from what there is, and throws nothing away unasked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from command import Command
from command import sslgraph as sslgraph
from toy_training import ToyFeed, toy_run

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.storage import checkpoint
from sslgraph.pipelines.train.loop import loop
from sslgraph.pipelines.train.run import Config
from sslgraph.pipelines.train.start.starting import other_settings


def steps(folder: Path) -> list[int]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line["step"] for line in lines if "follow" in line]


def cut_off(folder: Path, after: int, **settings: Any) -> None:
    """A run that ends in the middle, with a checkpoint every four steps."""
    run = toy_run(folder, checkpoint_every=4, **settings)

    class Cut(ToyFeed):
        def batches(self, start: int, stop: int) -> Any:
            for step, batch in enumerate(super().batches(start, stop), start):
                if step == after:
                    raise InterruptedError
                yield batch

    run.feed = Cut()
    with pytest.raises(InterruptedError):
        loop(run)


def test_recorded_steps_without_a_checkpoint_are_not_thrown_away_unasked(tmp_path: Path) -> None:
    cut_off(tmp_path, 10)
    shutil.rmtree(tmp_path / "checkpoints")
    before = (tmp_path / "metrics.jsonl").read_text()
    with pytest.raises(SslgraphError, match=r"a record of 8 steps and no checkpoint.* or begin again .*--from-scratch"):
        loop(toy_run(tmp_path))
    assert (tmp_path / "metrics.jsonl").read_text() == before
    loop(toy_run(tmp_path, start=Config(from_scratch=True)))
    assert steps(tmp_path) == list(range(1, 21))


def test_the_command_begins_again_only_where_it_is_told_to(tmp_path: Path, sslgraph: Command) -> None:
    sets = ("steps=2", "epochs=null", "data.images=16", "batch=8", "evaluate={}", "nets.f.width=4", "views.x.size=16")
    words = ["train", "simclr", "--out", str(tmp_path / "run"), *(word for text in sets for word in ("--set", text))]
    assert sslgraph(*words).code == 0
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    said = sslgraph(*words)
    assert said.code == 1 and said.err.endswith("or begin again at step 0 with --from-scratch\n")
    said = sslgraph(*words, "--from-scratch")
    assert said.code == 0 and f"done: {tmp_path}/run\nNext: sslgraph evaluate " in said.out


def test_a_run_with_a_checkpoint_goes_on_from_it_whatever_is_allowed(tmp_path: Path) -> None:
    """A command that a queue starts again, or Ray its workers, must not lose what was done since."""
    cut_off(tmp_path, 10)
    run = toy_run(tmp_path, start=Config(from_scratch=True))
    loop(run)
    assert run.feed.asked[0][0] == 8 and steps(tmp_path) == list(range(1, 21))


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 0, "knn_pixels": 0.2}\n')
    loop(toy_run(tmp_path, baseline=lambda _: {"knn_pixels": 0.25}))
    first = (tmp_path / "metrics.jsonl").read_text().splitlines()[0]
    assert first == '{"step": 0, "knn_pixels": 0.25}' and steps(tmp_path) == list(range(1, 21))


def test_a_whole_checkpoint_that_was_not_yet_in_its_place_is_adopted(tmp_path: Path) -> None:
    cut_off(tmp_path, 10)
    for path in checkpoint.complete(tmp_path / "checkpoints"):
        path.rename(path.with_name(f".{path.name}"))
    run = toy_run(tmp_path)
    loop(run)
    assert run.feed.asked[0][0] == 8 and steps(tmp_path) == list(range(1, 21))


def test_the_baseline_is_not_measured_again_by_a_run_that_stands_at_its_first_checkpoint(tmp_path: Path) -> None:
    cut_off(tmp_path, 0, baseline=lambda _: {"knn_pixels": 0.25})
    loop(toy_run(tmp_path, baseline=lambda _: pytest.fail("measured twice")))
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line for line in lines if line["step"] == 0] == [{"step": 0, "knn_pixels": 0.25}]


@pytest.mark.parametrize(
    ("then", "now", "words"),
    [
        ("batch: 8\n", "batch: 8\nseed: 3\n", "seed was not given, and is 3 here"),
        ("a: {lr: 0.1, use: sgd}\nb: 1\n", "a: {lr: 0.2, use: sgd}\n",
         "a.lr was 0.1, and is 0.2 here; b was 1, and is not given here"),
        ("a: [1, 2]\n", "a: [1, 3]\n", "a was [1, 2], and is [1, 3] here"),
        ("a: {b: 1, c: 2, d: 3, e: 4, f: 5}\n", "{}\n",
         "a.b was 1, and is not given here; a.c was 2, and is not given here; a.d was 3, and is not given here"
         ", and 2 more"),
        ("a: {b: 1}\n", "a:\n  b: 1\n", "its text is written differently"),
    ],
)  # fmt: skip
def test_another_run_is_told_by_its_settings(then: str, now: str, words: str) -> None:
    assert other_settings(then, now) == words


def test_a_step_beyond_the_end_is_refused(tmp_path: Path) -> None:
    loop(toy_run(tmp_path))
    with pytest.raises(SslgraphError, match=r"step_00000020 is beyond the end of this run, which has 12 steps"):
        loop(toy_run(tmp_path, total_steps=12))
