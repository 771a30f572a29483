"""What measures a GPU runs on a processor too, at a tiny size: every line is made, though its figures mean nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmarks import gpu
from benchmarks.gpu_work import TOY, Found

# What the machine with the GPU may lack. A None in sys.modules makes the import fail.
MISSING = ("ray", "resvg_py", "tensorboard", "matplotlib", "fsspec", "aiohttp", "lightly", "kornia")
PROGRAM = """
import sys
sys.modules.update(dict.fromkeys({missing}))
from benchmarks import gpu
gpu.main({words})
"""
CPU = torch.device("cpu")


def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    gpu.main([])
    assert "no CUDA device here; nothing was measured" in capsys.readouterr().out


def test_every_phase_runs_without_the_packages_that_may_be_missing(tmp_path: Path) -> None:
    words = ["--toy", "--minutes", "4", "--out", str(tmp_path), "--phases", "bcd"]
    program = PROGRAM.format(missing=MISSING, words=words)
    done = subprocess.run([sys.executable, "-c", program], cwd=gpu.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text())["results"]
    assert {result["phase"] for result in results} == {"32 px", "224 px", "training"}
    assert not [result for result in results if "failed" in f"{result['name']} {result.get('note', '')}"], results
    rates = [result["images_per_second"] for result in results if "images_per_second" in result]
    assert len(rates) == 1 + 1 + len(TOY.lists) + len(TOY.large) + len(TOY.methods) and min(rates) > 0
    assert [0 <= result["knn"] <= 1 for result in results if result["phase"] == "training"] == [True] * len(TOY.methods)
    shares = [result["share"] for result in results if "share" in result]
    assert len(shares) == len(TOY.large) and all(share > 0 for share in shares)
    assert all(0 < result["of_floor"] < 1.5 for result in results if "share" in result)
    table = (tmp_path / "table.md").read_text()
    assert table.count("\n| ") == len(results) + 1 and "of the floor" in table and "kNN" in table


def phase(title: str, share: float, *results: Found, then: BaseException | float = 0.0) -> gpu.Phase:
    def work(*_: object) -> Iterator[Found]:
        yield from results
        if isinstance(then, BaseException):
            raise then
        time.sleep(then)

    return gpu.Phase(title, share, work)


def test_a_phase_that_fails_or_takes_too_long_costs_the_others_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "SPARE_S", 0.0)
    phases = [
        phase("first", 0.4, {"name": "one", "ms": 1.0}, then=RuntimeError("out of memory | here")),
        phase("second", 0.3, {"name": "two", "ms": 2.0}, then=60.0),
        phase("third", 0.3, {"name": "three", "images_per_second": 3.0}),
    ]
    start = time.monotonic()
    found = gpu.run(phases, TOY, CPU, 2.0, tmp_path)
    assert time.monotonic() - start < 10
    assert [(each["phase"], each["name"]) for each in found] == [
        ("first", "one"), ("first", "failed"), ("second", "two"), ("second", "cut off"), ("third", "three"),
    ]  # fmt: skip
    assert json.loads((tmp_path / "results.json").read_text())["results"] == found
    assert "RuntimeError: out of memory / here" in (tmp_path / "table.md").read_text()


def test_results_are_on_the_disk_before_the_next_measurement(tmp_path: Path) -> None:
    seen: list[int] = []

    def work(*_: object) -> Iterator[Found]:
        yield {"name": "one"}
        seen.append(len(json.loads((tmp_path / "results.json").read_text())["results"]))
        yield {"name": "two"}

    gpu.run([gpu.Phase("only", 1.0, work)], TOY, CPU, 60.0, tmp_path)
    assert seen == [1]


def test_without_time_a_phase_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "SPARE_S", 100.0)
    found = gpu.run([phase("first", 1.0, {"name": "one"})], TOY, CPU, 60.0, tmp_path)
    assert [each["name"] for each in found] == ["left out"]


def test_the_first_phase_says_how_the_tests_of_devices_went() -> None:
    (found,) = gpu.tests(TOY, CPU, 60.0)
    assert found["name"] == "pytest -m gpu" and "deselected" in found["note"]
