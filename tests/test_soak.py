"""The short form of the soak (tests/soak.py), and that its comparison can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import soak
import torch


def test_runs_that_are_killed_lose_no_step_and_no_bit(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.soak", "--kills", "4", "--out", str(tmp_path)]
    ended = subprocess.run(command, cwd=soak.ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.splitlines()[-1].startswith("4 kills over ") and "none lost a step" in ended.stdout


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
