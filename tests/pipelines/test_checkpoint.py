"""A checkpoint is whole or not there, comes back to the last bit, and says in a sentence why it can't be used."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from pipelines import checkpoint
from pipelines.checkpoint import Checkpoint
from sslgraph.errors import SslgraphError

WEIGHTS = {"f.weight": torch.arange(6.0).reshape(2, 3), "queue.rows": torch.ones(4, dtype=torch.int64)}


def at(step: int, *, text: str = "method: A\nbatch: 8\n", **measures: float) -> Checkpoint:
    return Checkpoint(text, step, WEIGHTS, {"f.weight": {"momentum_buffer": torch.ones(2, 3)}}, {"seed": 3}, measures)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_saved_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, at(7, knn=0.25))
    back = checkpoint.load(path, text="method: A\nbatch: 8\n")
    assert path.name == "step_00000007" and (back.step, back.run, back.measures) == (7, {"seed": 3}, {"knn": 0.25})
    assert all(torch.equal(back.method[name], WEIGHTS[name]) for name in WEIGHTS)
    assert torch.equal(back.optimizer["f.weight"]["momentum_buffer"], torch.ones(2, 3))


def test_only_what_was_written_to_its_end_counts(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, at(1))
    (tmp_path / "step_00000002").mkdir()
    (tmp_path / ".step_00000003").mkdir()
    assert [path.name for path in checkpoint.complete(tmp_path)] == ["step_00000001"]


def test_the_newest_and_the_best_are_kept(tmp_path: Path) -> None:
    for step, knn in enumerate([0.1, 0.9, 0.3, 0.5, 0.2]):
        checkpoint.save(tmp_path, at(step, knn=knn), keep=2, best="knn")
    assert names(tmp_path) == ["step_00000001", "step_00000003", "step_00000004"]


@pytest.mark.parametrize("name", ["method.pt", "optimizer.pt", "run.pt", "resolved.yaml"])
@pytest.mark.parametrize("left", [0, 0.5])
def test_a_truncated_checkpoint_is_called_damaged(tmp_path: Path, name: str, left: float) -> None:
    path = checkpoint.save(tmp_path, at(7))
    os.truncate(path / name, int((path / name).stat().st_size * left))
    with pytest.raises(SslgraphError, match=r"step_00000007 is damaged .* to go on from the one before"):
        checkpoint.load(path)


def test_a_checkpoint_with_flipped_bytes_is_called_damaged(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, at(7))
    content = (path / "method.pt").read_bytes()
    (path / "method.pt").write_bytes(b"\0" * 200 + content[200:-200] + b"\0" * 200)
    with pytest.raises(SslgraphError, match="is damaged"):
        checkpoint.load(path)


def test_a_checkpoint_never_runs_code(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, at(7))
    size = (path / "run.pt").stat().st_size
    torch.save({"command": os.getcwd}, path / "run.pt")
    now = (path / "run.pt").stat().st_size
    (path / "COMPLETE").write_text((path / "COMPLETE").read_text().replace(f'"run.pt": {size}', f'"run.pt": {now}'))
    with pytest.raises(SslgraphError, match="Weights only load failed"):
        checkpoint.load(path)


def test_a_checkpoint_of_another_method_names_the_first_difference(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, at(7))
    with pytest.raises(SslgraphError, match=r"line 2 .* 'batch: 8' where this run says 'batch: 16'.*--out"):
        checkpoint.load(path, text="method: A\nbatch: 16\n")


@pytest.mark.parametrize("size", [100, 3_000_000])
def test_a_full_disk_loses_nothing_that_was_saved(tmp_path: Path, monkeypatch: Any, size: int) -> None:
    checkpoint.save(tmp_path, at(1))
    really_open = Path.open

    def onto_a_full_disk(self: Path, mode: str = "r", **settings: Any) -> Any:
        return really_open(Path("/dev/full") if self.name == "method.pt" and mode == "wb" else self, mode, **settings)

    monkeypatch.setattr(Path, "open", onto_a_full_disk)
    big = Checkpoint("t", 2, {"w": torch.zeros(size)}, {})
    with pytest.raises(SslgraphError, match=r"no space is left in .* step 2 .* the checkpoint of step 1 stands"):
        checkpoint.save(tmp_path, big)
    monkeypatch.undo()
    assert names(tmp_path) == ["step_00000001"]
    assert checkpoint.load(tmp_path / "step_00000001").step == 1


def test_another_failure_of_the_disk_shows_as_itself(tmp_path: Path, monkeypatch: Any) -> None:
    def broken(*_: Any) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="input/output error"):
        checkpoint.save(tmp_path, at(2))
    assert names(tmp_path) == []
