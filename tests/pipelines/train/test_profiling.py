from __future__ import annotations

import gzip
import json
import re
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from torch import nn

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.check import load
from sslgraph.pipelines.plan.rehearsal import rehearse
from sslgraph.pipelines.train import profiling
from sslgraph.pipelines.train.loop import loop
from sslgraph.pipelines.train.profiling import Stopwatch, table
from sslgraph.pipelines.train.start.prepare import prepare

SMALL = {"data.images": 256, "batch": 16, "steps": 12, "evaluate": {}, "checkpoint": {}}


def test_a_table_names_each_part_and_adds_up() -> None:
    seconds = {
        "step": 9.0, "waiting": 1.0, "forward": 4.0, "forward f": 2.0, "loss contrast": 0.5, "forward g": 0.5,
        "backward": 3.0, "optimizer": 0.5, "state and targets": 0.25, "views": 0.75,
    }  # fmt: skip
    lines = table(seconds, 10.0, heading="simclr on a processor", steps=5).splitlines()
    assert lines[0] == "simclr on a processor: 2000.0 ms a step, mean of 5"
    found = {line[2:26].strip(): line.split()[-3:] for line in lines[1:-1]}
    assert found["forward f"] == ["400.0", "ms", "20.0%"] and found["loss contrast"] == ["100.0", "ms", "5.0%"]
    assert found["forward, between parts"] == ["200.0", "ms", "10.0%"]
    assert sum(float(value) for value, _, _ in found.values()) == pytest.approx(2000.0)
    assert "150.0 ms a step" in lines[-1]


def test_a_watch_counts_only_while_it_runs() -> None:
    watch, module = Stopwatch(torch.device("cpu")), nn.Identity()
    hooks = watch.watch("net", module)
    module(torch.zeros(1))
    assert watch.seconds == {}
    watch.is_running = True
    module(torch.zeros(1))
    assert set(watch.seconds) == {"net"}
    for hook in hooks:
        hook.remove()
    before = dict(watch.seconds)
    module(torch.zeros(1))
    assert watch.seconds == before
    with watch.span("block"):
        pass
    assert watch.seconds["block"] > 0


def profiled(folder: Path, *, profile: bool) -> list[float]:
    run = prepare({"recipe": "demo/simclr", "overrides": {**SMALL, "epochs": None}, "out": str(folder)})
    touched = (run.method, run.optimizer, run.record, run.feed)
    before = [set(vars(each)) for each in touched]
    if profile:
        profiling.attach(run)
    assert [set(vars(each)) for each in touched] == before  # no method of a live object is replaced
    loop(run)
    assert run.span is run.feed.span is nullcontext
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line["contrast"] for line in lines if "contrast" in line]


def test_a_profile_is_written_and_changes_no_number(tmp_path: Path) -> None:
    assert profiled(tmp_path / "watched", profile=True) == profiled(tmp_path / "plain", profile=False)
    found = (tmp_path / "watched" / profiling.TABLE).read_text()
    for part in ("waiting for data", "forward f", "forward g", "loss contrast", "backward", "optimizer", "views are"):
        assert part in found
    # Its rates are made by hand (tests/support/rates.py), and the operations are those that a plan counts.
    operations = re.search(r"([\d.,]+) GFLOP a step, .*% of the best product that this machine has in", found)
    loaded, _ = load("demo/simclr", {})
    assert operations is not None
    assert float(operations[1]) * 1e9 == pytest.approx(16 / 8 * rehearse(loaded, images=8).flops, rel=0.05)
    with gzip.open(tmp_path / "watched" / profiling.TRACE) as file:
        events = {event["name"] for event in json.load(file)["traceEvents"]}
    assert {"step", "waiting", "forward", "backward", "optimizer", "state and targets"} <= events
    assert not (tmp_path / "plain" / profiling.TABLE).exists()


def test_a_run_too_short_to_look_at_is_refused(tmp_path: Path) -> None:
    run = prepare({"recipe": "demo/simclr", "overrides": {**SMALL, "epochs": None, "steps": 3}, "out": str(tmp_path)})
    with pytest.raises(SslgraphError, match="--profile looks at steps 4 to 8, and this run has 3"):
        profiling.attach(run)
    run.record.abandon()
