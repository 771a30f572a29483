"""The loop: stopping changes nothing, pieces of a batch change nothing, and what is due happens once."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from toy_training import CLOCK, IMAGES, ToyFeed, ToyMethod, knn, toy_run

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.train import loop
from sslgraph.pipelines.train.run import Run

ADAM = {"use": "adamw", "lr": 0.01, "weight_decay": 0.1}
LARS = {"use": "lars_out", "lr": 0.1, "weight_decay": 0.1, "momentum": 0.9, "trust": 0.1}


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def losses(folder: Path) -> list[tuple[int, float, float]]:
    return [(line["step"], line["follow"], line["spread"]) for line in lines(folder) if "follow" in line]


def finished(folder: Path, **settings: Any) -> Run:
    run = toy_run(folder, **settings)
    loop.loop(run)
    return run


def stopped(folder: Path, at: int, **settings: Any) -> None:
    run = toy_run(folder, checkpoint_every=at, **settings)

    def cable_pulled(*_: Any) -> None:
        raise ConnectionError

    run.report = cable_pulled
    with pytest.raises(ConnectionError):
        loop.loop(run)


@pytest.mark.parametrize("optimizer", [None, ADAM, LARS])
@pytest.mark.parametrize("kind", [{}, {"game": True}, {"phase_every": 6}])
def test_ten_and_ten_steps_are_twenty_to_the_last_bit(tmp_path: Path, optimizer: Any, kind: dict[str, Any]) -> None:
    settings = {"optimizer": optimizer, "checkpoint_every": 10}
    whole = finished(tmp_path / "whole", method=ToyMethod(**kind), **settings)
    stopped(tmp_path / "half", 10, method=ToyMethod(**kind), optimizer=optimizer)
    torch.manual_seed(99)  # the toy's noise comes from torch's own generator, and must not see this
    again = toy_run(tmp_path / "half", method=ToyMethod(**kind), **settings)
    loop.loop(again)
    assert losses(tmp_path / "half") == losses(tmp_path / "whole")
    one, other = whole.method.state_dict(), again.method.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert again.feed.asked[0][0] == 10


def test_a_cable_pulled_between_checkpoints_leaves_each_step_once(tmp_path: Path) -> None:
    method = ToyMethod(bad_step=15)
    with pytest.raises(SslgraphError, match="the loss 'follow' is nan at step 16; lower the learning rate"):
        finished(tmp_path, method=method, checkpoint_every=10)
    assert [step for step, *_ in losses(tmp_path)] == list(range(1, 16))  # the step itself moved nothing
    finished(tmp_path, checkpoint_every=10)
    assert [step for step, *_ in losses(tmp_path)] == list(range(1, 21))


def test_pieces_of_a_batch_are_the_batch(tmp_path: Path) -> None:
    class Separable(ToyMethod):
        def forward(self, batch: Any) -> Any:
            losses, writes = super().forward(batch)
            return {**losses, "spread": 0 * losses["spread"]}, writes

    runs = [finished(tmp_path / str(n), method=Separable(), accumulate=n) for n in (1, 4)]
    one, other = (run.method.state_dict() for run in runs)
    torch.testing.assert_close(one, other)
    torch.testing.assert_close(*([row[1] for row in losses(tmp_path / n)] for n in ("1", "4")))


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    first = loop.loop(toy_run(tmp_path))
    again = toy_run(tmp_path)
    assert loop.loop(again) == first
    assert again.feed.asked == []


def test_a_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    finished(tmp_path)
    other = toy_run(tmp_path)
    other.text = "method: other\n"
    with pytest.raises(SslgraphError, match="holds another run: method was toy, and is other here; choose another"):
        loop.loop(other)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    finished(tmp_path)
    method = ToyMethod()
    method.register_buffer("queue", torch.zeros(3))
    with pytest.raises(SslgraphError, match=r'do not fit this method: .*"queue"'):
        loop.loop(toy_run(tmp_path, method=method))


def test_evaluations_and_checkpoints_come_when_due_and_at_the_end(tmp_path: Path) -> None:
    told: list[str] = []
    run = finished(  # what is saved before the first step is not told
        tmp_path, baseline=lambda encoder: {"knn_random_encoder": knn(encoder)["knn"], "knn_pixels": 0.5},
        evaluate_every=8, checkpoint_every=6, keep=2, report=lambda path, _: told.append(path.name),
    )  # fmt: skip
    measured = {line["step"]: found for line in lines(tmp_path) if (found := {n for n in line if n.startswith("knn")})}
    assert measured == {0: {"knn_random_encoder", "knn_pixels"}, 8: {"knn"}, 16: {"knn"}, 20: {"knn"}}
    assert told == [f"step_000000{n}" for n in ("06", "12", "18", "20")]
    assert sorted(path.name for path in run.checkpoints.iterdir()) == ["step_00000018", "step_00000020"]
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["steps"] == 20 and set(summary["measures"]) == {"knn", "knn_random_encoder", "knn_pixels"}


def test_the_baseline_is_measured_once_and_shown_after_a_resume(tmp_path: Path) -> None:
    stopped(tmp_path, 10, baseline=lambda _: {"knn_random_encoder": 0.3, "knn_pixels": 0.25})
    out = io.StringIO()

    def again(_: Any) -> dict[str, float]:
        raise AssertionError("measured twice")

    finished(tmp_path, baseline=again, evaluate_every=4, out=out)
    assert "(random encoder 30.0 %, raw pixels 25.0 %)" in out.getvalue()


def test_an_evaluation_changes_no_number_of_the_training(tmp_path: Path) -> None:
    often, never = finished(tmp_path / "often", evaluate_every=1), finished(tmp_path / "never")
    assert losses(tmp_path / "often") == losses(tmp_path / "never")
    assert [m.training for m in often.method.modules()] == [m.training for m in never.method.modules()]


def test_a_pass_over_the_data_set_comes_before_its_step_and_the_net_it_made_anew_is_forgotten(tmp_path: Path) -> None:
    forgotten: list[frozenset[str]] = []
    run = toy_run(tmp_path, method=ToyMethod(phase_every=6))
    run.optimizer.forget = forgotten.append  # type: ignore[method-assign,assignment]
    loop.loop(run)
    assert run.method.seen == [("cluster", IMAGES)] * 4 and forgotten == [{"g"}] * 4
    assert run.feed.asked == [(0, 6), (6, 12), (12, 18), (18, 20)]  # no batch is drawn ahead of a pass
    assert torch.equal(run.feed.labels, run.method.sample_labels())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_saves_says_how_to_go_on_and_goes_on_to_the_last_bit(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(ToyFeed):
        def batches(self, start: int, stop: int) -> Iterator[Any]:
            for step, batch in enumerate(super().batches(start, stop), start):
                if step == 7:
                    os.kill(os.getpid(), number)
                yield batch

    finished(tmp_path / "whole")
    run = toy_run(tmp_path / "cut")
    run.feed = Interrupted()
    before = signal.getsignal(number)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as said:
        loop.loop(run)
    assert str(said.value) == "Stopped at step 8, checkpoint saved. Continue: sslgraph train --resume cut"
    assert signal.getsignal(number) is before
    finished(tmp_path / "cut")
    assert losses(tmp_path / "cut") == losses(tmp_path / "whole")


def test_steps_are_the_clocks(tmp_path: Path) -> None:
    run = finished(tmp_path)
    assert [line["lr"] for line in lines(tmp_path) if "lr" in line] == pytest.approx(
        [run.optimizer.settings.numbers.lr.at(step, CLOCK) for step in range(20)]
    )


def test_a_step_that_torch_cannot_compile_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._dynamo.exc import BackendCompilerFailed

    def fails(*_: Any) -> None:
        raise BackendCompilerFailed(fails, RuntimeError("No working C++ compiler found"), None)  # type: ignore[arg-type]

    monkeypatch.setattr("sslgraph.compile.program.torch.compile", lambda *_, **__: fails)
    changes = {"compile": True, "data.images": 64, "batch": 16, "evaluate": {}, "monitor": None}
    with pytest.raises(SslgraphError, match=r"compile: true: torch can't compile.*No working C\+\+.*leave compile out"):
        loop.train({"recipe": "demo/simclr", "overrides": changes, "out": str(tmp_path / "run")})
