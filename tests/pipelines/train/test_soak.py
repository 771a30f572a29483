"""The short form of the soak (tests/support/soak.py), and that its comparisons can fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soak
import torch


def test_runs_that_are_killed_and_stopped_on_slow_storage_lose_no_checkpoint_no_step_and_no_bit(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.soak", "--kills", "3", "--stops", "3", "--slow", "0.05"]
    command += ["--out", str(tmp_path)]
    ended = subprocess.run(command, cwd=soak.ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    last = ended.stdout.splitlines()[-1]
    assert last.startswith("3 x kill, 3 x stop over ") and last.endswith("nothing lost")


def test_only_whole_checkpoints_count_and_hidden_ones_do(tmp_path: Path) -> None:
    there = tmp_path / "checkpoints"
    assert soak.usable(tmp_path) == -1
    for step, name in ((1, "step_1"), (2, ".step_2"), (3, "step_3"), (4, "step_4")):
        (there / name).mkdir(parents=True)
        (there / name / "method.pt").write_text("four")
        (there / name / "COMPLETE").write_text(json.dumps({"step": step, "files": {"method.pt": 4}}))
    (there / "step_3" / "method.pt").write_text("two")
    (there / "step_4" / "method.pt").unlink()
    assert soak.usable(tmp_path) == 2


def test_a_slow_layer_makes_renames_wait(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slept: list[float] = []
    for name in soak.SLOW:
        monkeypatch.setattr(os, name, getattr(os, name))  # as it was, after the test
    monkeypatch.setattr(time, "sleep", slept.append)
    soak.slow_files(0.0)
    (tmp_path / "a").touch()
    (tmp_path / "a").replace(tmp_path / "b")
    assert slept == []
    soak.slow_files(9.0)
    (tmp_path / "b").replace(tmp_path / "c")
    (tmp_path / "c").unlink()
    assert len(slept) == 2 and 0 < max(slept) < 9


def a_run(folder: Path, *, steps: list[int], weight: float = 1.0, momentum: float = 0.0) -> Path:
    last = folder / "checkpoints" / f"step_{soak.STEPS:08d}"
    last.mkdir(parents=True)
    lines = [f'{{"step": {n}, "contrast": 1.0, "gradient_norm": 1.0, "lr": 0.1, "waiting": {n}}}' for n in steps]
    (folder / "metrics.jsonl").write_text("\n".join(lines))
    torch.save({"f": torch.tensor(weight)}, last / "method.pt")
    torch.save({"f": {"momentum": torch.tensor(momentum)}}, last / "optimizer.pt")
    return folder


@pytest.mark.parametrize(
    ("steps", "changed", "message"),
    [
        ([*range(1, 200)], {}, "1 steps lost, 0 done twice"),
        ([*range(1, 201), 7], {}, "0 steps lost, 1 done twice"),
        ([*range(1, 201)], {"weight": 1.0 + 2**-23}, "method.pt differs"),
        ([*range(1, 201)], {"momentum": 2**-140}, "optimizer.pt differs"),
    ],
)
def test_a_lost_step_a_doubled_step_and_a_changed_bit_are_found(
    tmp_path: Path, steps: list[int], changed: dict[str, float], message: str
) -> None:
    expected = a_run(tmp_path / "expected", steps=[*range(1, 201)])
    soak.compare(expected, a_run(tmp_path / "same", steps=[*range(1, 201)]))
    with pytest.raises(SystemExit, match=message):
        soak.compare(expected, a_run(tmp_path / "run", steps=steps, **changed))
