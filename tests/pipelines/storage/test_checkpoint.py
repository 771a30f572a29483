"""A checkpoint is whole or not there, comes back to the last bit, and says in a sentence why it can't be used."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.storage import checkpoint
from sslgraph.pipelines.storage.checkpoint import Checkpoint

WEIGHTS = {"f.weight": torch.arange(6.0).reshape(2, 3), "queue.rows": torch.ones(4, dtype=torch.int64)}


def at(step: int, *, text: str = "method: A\nbatch: 8\n", **measures: float) -> Checkpoint:
    return Checkpoint(text, step, WEIGHTS, {"f.weight": {"momentum_buffer": torch.ones(2, 3)}}, {"seed": 3}, measures)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_saved_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, at(7, knn=0.25))
    back = checkpoint.load(path)
    assert (
        path.name == "step_00000007"
        and back.text == "method: A\nbatch: 8\n"
        and (back.step, back.run, back.measures) == (7, {"seed": 3}, {"knn": 0.25})
    )
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
    with pytest.raises(SslgraphError, match=r"step_00000007 is damaged .* to continue from the one before"):
        checkpoint.load(path)


def test_a_checkpoint_that_may_not_be_read_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To remove its folder would be the wrong advice."""
    path = checkpoint.save(tmp_path, at(7))

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path / "method.pt"))

    monkeypatch.setattr(torch, "load", refused)
    with pytest.raises(SslgraphError, match=rf"^the checkpoint {path} can't be read: permission denied$"):
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


@pytest.mark.parametrize("size", [100, 3_000_000])
def test_a_full_disk_loses_nothing_that_was_saved(tmp_path: Path, monkeypatch: Any, size: int) -> None:
    checkpoint.save(tmp_path, at(1))
    really_open = Path.open

    def onto_a_full_disk(self: Path, mode: str = "r", **settings: Any) -> Any:
        return really_open(Path("/dev/full") if self.name == "method.pt" and mode == "wb" else self, mode, **settings)

    monkeypatch.setattr(Path, "open", onto_a_full_disk)
    big = Checkpoint("t", 2, {"w": torch.zeros(size)}, {})
    with pytest.raises(SslgraphError, match=r"no space is left in .* step 2 .* the checkpoint of step 1 is kept"):
        checkpoint.save(tmp_path, big)
    monkeypatch.undo()
    assert names(tmp_path) == ["step_00000001"]
    assert checkpoint.load(tmp_path / "step_00000001").step == 1


def test_a_quota_that_is_used_up_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint.save(tmp_path, at(1))

    def refused(self: Path, *_: Any, **settings: Any) -> None:  # noqa: ARG001
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), str(self))

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(SslgraphError, match=r"the disk quota of .* is used up, .* step 2 .*; the checkpoint of step 1"):
        checkpoint.save(tmp_path, at(2))


class Killed(BaseException):
    """The process is gone: no handler of errors runs."""


def killed_at(moment: int, patch: pytest.MonkeyPatch) -> list[str]:
    """From now on the disk's operations are counted, and the process dies before the given one."""
    done: list[str] = []

    def counted(name: str) -> Any:
        really = getattr(os, name)

        def work(*words: Any, **settings: Any) -> Any:
            if len(done) == moment:
                raise Killed
            done.append(name)
            return really(*words, **settings)

        return work

    for name in ("replace", "rename", "unlink", "rmdir", "mkdir", "fsync"):
        patch.setattr(os, name, counted(name))
    return done


@pytest.mark.parametrize("keep", [1, 2])
@pytest.mark.parametrize("step", [7, 8])
def test_a_kill_at_any_moment_of_a_save_leaves_a_whole_checkpoint_for_the_next_start(
    tmp_path: Path, keep: int, step: int
) -> None:
    """Also where the step is saved already: the new one is in place before the old one is deleted."""
    for moment in range(100):
        folder = tmp_path / str(moment)
        for earlier in (6, 7):
            checkpoint.save(folder, at(earlier), keep=keep)
        try:
            with pytest.MonkeyPatch.context() as patch:
                killed_at(moment, patch)
                checkpoint.save(folder, at(step, again=1.0), keep=keep)
        except Killed:
            assert all(checkpoint.is_whole(path) for path in checkpoint.complete(folder)), f"before operation {moment}"
            checkpoint.adopt(folder)
            there = [checkpoint.load(path) for path in checkpoint.complete(folder)]
            assert there[-1].step in (7, step), f"killed before operation {moment}"
            assert not [*folder.glob(".*")]
        else:
            assert moment > 10 and [path.name for path in checkpoint.complete(folder)][-1] == f"step_{step:08d}"
            return
    raise AssertionError("a save takes at most 100 operations")


def test_a_whole_hidden_checkpoint_takes_the_place_of_a_damaged_one_of_its_step(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, at(6))
    final = checkpoint.save(tmp_path, at(7))
    final.rename(tmp_path / ".step_00000007")
    final.mkdir()
    (final / "COMPLETE").write_bytes((tmp_path / ".step_00000007" / "COMPLETE").read_bytes())
    checkpoint.adopt(tmp_path)
    assert names(tmp_path) == ["step_00000006", "step_00000007"] and checkpoint.load(final).step == 7


@pytest.mark.parametrize(
    "hurt", [lambda path: os.truncate(path / "method.pt", 9), lambda path: (path / "run.pt").unlink(),
             lambda path: (path / "COMPLETE").unlink(), lambda path: (path / "COMPLETE").write_text("[]")]
)  # fmt: skip
def test_a_hidden_checkpoint_that_lacks_a_byte_is_removed_at_the_start(tmp_path: Path, hurt: Any) -> None:
    checkpoint.save(tmp_path, at(6))
    checkpoint.save(tmp_path, at(7)).rename(tmp_path / ".step_00000007")
    hurt(tmp_path / ".step_00000007")
    checkpoint.adopt(tmp_path)
    assert names(tmp_path) == ["step_00000006"]


def test_a_checkpoint_that_was_being_deleted_does_not_come_back(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, at(6)).rename(tmp_path / ".step_00000006")
    checkpoint.save(tmp_path / "new", at(7)).rename(tmp_path / "step_00000007")
    (tmp_path / "new").rmdir()
    checkpoint.adopt(tmp_path)
    assert names(tmp_path) == ["step_00000007"]


def test_another_failure_of_the_disk_shows_as_itself(tmp_path: Path, monkeypatch: Any) -> None:
    def broken(*_: Any) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="input/output error"):
        checkpoint.save(tmp_path, at(2))
    assert names(tmp_path) == []
