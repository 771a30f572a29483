"""Storage that fails under a run: what is said, what is left, and that the same command goes on."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from toy_training import ToyFeed, toy_run

from pipelines import checkpoint, record, run_folder
from pipelines.launch import launch
from pipelines.train import loop
from sslgraph.errors import SslgraphError, StorageError


class Fragile(ToyFeed):
    """A feed in whose middle something happens, in its own thread in life and here before a batch."""

    def __init__(self, at: int, happens: Callable[[], Any]) -> None:
        super().__init__()
        self.at, self.happens = at, happens

    def batches(self, start: int, stop: int) -> Iterator[Any]:
        for step, batch in enumerate(super().batches(start, stop), start):
            if step == self.at:
                self.happens()
            yield batch


def disturbed(folder: Path, at: int, happens: Callable[[], Any]) -> None:
    run = toy_run(folder, checkpoint_every=4)
    run.feed = Fragile(at, happens)
    loop(run)


def steps(folder: Path) -> list[int]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [line["step"] for line in lines if "follow" in line]


def unreadable() -> None:
    raise OSError(116, "Stale file handle")


def test_a_reader_that_fails_is_said_and_the_same_command_goes_on(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as told:
        disturbed(tmp_path, 10, unreadable)
    assert str(told.value) == (
        "reading or writing failed ([Errno 116] Stale file handle); the checkpoint of step 8 stands; "
        f"when it is mended, the same command with --out {tmp_path} goes on"
    )
    loop(toy_run(tmp_path, checkpoint_every=4))
    assert steps(tmp_path) == list(range(1, 21))


def test_a_folder_that_vanishes_is_noticed_and_is_not_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(StorageError, match=r"No such file or directory: .*metrics\.jsonl.*; there is no earlier"):
        disturbed(folder, 9, lambda: shutil.rmtree(folder))
    assert not folder.exists()


def test_a_record_that_is_replaced_is_noticed(tmp_path: Path) -> None:
    def replace() -> None:
        (tmp_path / "metrics.jsonl").rename(tmp_path / "old")
        (tmp_path / "metrics.jsonl").touch()

    with pytest.raises(StorageError, match="the run's own file was replaced"):
        disturbed(tmp_path, 9, replace)


def test_a_full_disk_is_said_where_the_record_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "metrics.jsonl").symlink_to("/dev/full")
    monkeypatch.setattr(os, "fsync", lambda _: None)  # a device has none
    with pytest.raises(SslgraphError, match=r"no space is left \(\[Errno 28\] No space .*; the checkpoint of step 0"):
        loop(toy_run(tmp_path, checkpoint_every=4))


def test_two_runs_in_one_folder_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder, "PATIENCE_S", 0.3)
    with (tmp_path / run_folder.LOCK).open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(SslgraphError, match=f"another run writes into {tmp_path}; end it, or choose another"):
            loop(toy_run(tmp_path))
    assert not (tmp_path / "metrics.jsonl").exists()
    loop(toy_run(tmp_path))


def test_a_record_is_cut_whole_and_only_where_there_is_something_to_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n')
    before = path.stat().st_ino
    assert record.cut(path, 2).stat().st_ino == before
    monkeypatch.setattr(os, "fsync", lambda _: unreadable())
    with pytest.raises(OSError, match="Stale"):
        record.cut(path, 1)
    assert path.read_text() == '{"step": 1}\n{"step": 2}\n'


def test_a_checkpoint_that_is_half_removed_does_not_look_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def saved(step: int) -> Path:
        return checkpoint.save(tmp_path, checkpoint.Checkpoint("text", step, {"w": torch.ones(1)}, {}), keep=1)

    def dies(path: Path, **_: Any) -> None:
        if "00000001" in Path(path).name:
            (Path(path) / "method.pt").unlink()
            raise OSError(116, "Stale file handle")

    saved(1)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", dies)
        with pytest.raises(OSError, match="Stale"):
            saved(2)
    assert [path.name for path in checkpoint.complete(tmp_path)] == ["step_00000002"]
    saved(3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_00000003"]


def test_a_corrupt_image_among_good_ones_is_said_and_training_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for i in range(20):
        Image.new("RGB", (24, 24), (12 * i, 99, 255 - 12 * i)).save(images / f"{i:02}.png")
    whole = (images / "07.png").read_bytes()
    (images / "07.png").write_bytes(whole[: len(whole) // 2])
    small = {"batch": 6, "epochs": 2, "evaluate": {}, "views.x.size": 16, "nets.f.width": 4, "nets.g.hidden": [8]}
    data = {"data": {"use": "sources.image_folder", "path": str(images)}}
    done = launch({"recipe": "simclr", "overrides": {**small, **data}, "out": str(tmp_path / "run")})
    assert done["steps"] == 6 and done["broken_images"] == 1
    assert f"give way to the next: 1, the newest {images}/07.png: " in capsys.readouterr().out
