"""Storage that fails under a run: what is said, what is left, and that the same command goes on."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from command import Command
from command import sslgraph as sslgraph
from PIL import Image
from toy_training import ToyFeed, toy_run
from two_ranks import Both

from sslgraph.errors import SslgraphError, StorageError
from sslgraph.pipelines.check.request import request
from sslgraph.pipelines.evaluate.restored import newest
from sslgraph.pipelines.launch.launch import _agreed, launch
from sslgraph.pipelines.look.report.records import read as report
from sslgraph.pipelines.record import record
from sslgraph.pipelines.storage import checkpoint, run_folder
from sslgraph.pipelines.train.loop import loop
from sslgraph.read.load import load_recipe


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
        "reading or writing failed ([Errno 116] Stale file handle); the checkpoint of step 8 is kept; "
        f"when it is mended, the same command with --out {tmp_path} continues"
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


SMALL = {"data.images": 32, "batch": 16, "steps": 2, "evaluate": {}, "nets.f.width": 4, "views.x.size": 16}


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def children(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*"))


def test_a_start_that_is_refused_leaves_every_byte_of_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a request to stop, which is meant for the run that holds the folder; also before its first checkpoint."""
    monkeypatch.setattr(run_folder, "PATIENCE_S", 0.3)
    launch({"recipe": "demo/simclr", "overrides": SMALL, "out": str(tmp_path)})
    shutil.rmtree(tmp_path / "checkpoints")
    (tmp_path / "stop").touch()
    before = content(tmp_path)
    with (tmp_path / run_folder.LOCK).open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(SslgraphError, match="another run writes into"):
            launch({"recipe": "demo/simclr", "overrides": {**SMALL, "batch": 8, "seed": 5}, "out": str(tmp_path)})
    assert content(tmp_path) == before


def test_a_start_with_another_recipe_leaves_the_texts_as_they_were(tmp_path: Path) -> None:
    launch({"recipe": "demo/simclr", "overrides": SMALL, "out": str(tmp_path)})
    before = content(tmp_path)
    with pytest.raises(SslgraphError, match="batch was 16, and is 8 here"):
        launch({"recipe": "demo/simclr", "overrides": {**SMALL, "batch": 8}, "out": str(tmp_path)})
    assert content(tmp_path) == before


def test_a_request_to_stop_that_nobody_lived_to_meet_does_not_stop_the_next_run(tmp_path: Path) -> None:
    (tmp_path / "stop").touch()
    launch({"recipe": "demo/simclr", "overrides": SMALL, "out": str(tmp_path)})
    assert not (tmp_path / "stop").exists() and (tmp_path / "summary.json").is_file()


def test_starts_within_one_second_have_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(time, "strftime", lambda _: "20261127-101112")
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(run_folder.fresh, ["a-seed0"] * 8))
    names = ["a-seed0-20261127-101112", *(f"a-seed0-20261127-101112-{n}" for n in range(2, 9))]
    assert sorted(folder.name for folder in found) == sorted(names) == children(tmp_path / "runs")


def test_a_place_where_no_folder_can_be_made_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").touch()
    with pytest.raises(SslgraphError, match=r"runs/a-.* can't be made: not a directory; give another place with --out"):
        run_folder.fresh("a")


def test_a_new_folder_is_not_left_behind_by_a_start_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SslgraphError, match="is larger than the data set"):
        launch({"recipe": "demo/simclr", "overrides": {**SMALL, "batch": 64}})
    assert children(tmp_path / "runs") == []


def agreed(settle: Callable[[Any], dict[str, Any]]) -> list[str]:
    """What two ranks take for the run folder, and what the first one's working folder then holds."""
    with tempfile.TemporaryDirectory() as here:
        os.chdir(here)
        try:
            took = Path(_agreed({}, settle, torch.device("cpu"))["out"]).name
        except SslgraphError as fault:
            took = str(fault)
        there = children(Path("runs"))
        os.chdir("/")
    return [took, *there]


def refused(_: Any) -> dict[str, Any]:
    raise SslgraphError("the text is wrong")


CHECKS: dict[str, Callable[[], Any]] = {
    "agreed": lambda: agreed(lambda _: {"out": str(run_folder.fresh("a"))}),
    "refused": lambda: agreed(refused),
}


def test_several_ranks_agree_on_one_new_folder_and_on_a_fault(both: Both) -> None:
    (folder, *there), (other, *nothing) = both("agreed")
    assert folder == other and there == [folder] and nothing == []
    assert both("refused") == [["the text is wrong"], ["another rank failed; its message says why"]]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    launch({"recipe": "demo/simclr", "overrides": SMALL, "out": str(folder)})
    return folder


@pytest.mark.parametrize("text", [None, b"", b"recipe: a\nmethod:", b"\xff\x00", b"recipe: other\n"])
def test_a_hurt_text_is_taken_from_the_newest_checkpoint(finished: Path, text: bytes | None) -> None:
    own = finished / "resolved.yaml"
    whole = own.read_bytes()

    def hurt() -> None:
        own.unlink() if text is None else own.write_bytes(text)

    hurt()
    assert report(finished).text.encode() == whole
    assert load_recipe(str(newest(finished) / checkpoint.TEXT)).spec.batch == 16  # as evaluate reads it
    assert launch({"recipe": "demo/simclr", "overrides": SMALL, "out": str(finished)})["steps"] == 2
    assert own.read_bytes() == whole
    hurt()
    request(str(own), resume=str(finished))
    assert own.read_bytes() == whole


def test_a_folder_without_a_text_and_a_checkpoint_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "resolved.yaml").touch()
    with pytest.raises(
        SslgraphError, match=r"--resume .*: there is no run in that folder \(no resolved.yaml, no check"
    ):
        request("a", resume=str(tmp_path))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"steps": 12}'])
def test_a_hurt_summary_is_written_again_and_holds_the_losses(tmp_path: Path, text: str) -> None:
    first = loop(toy_run(tmp_path))
    (tmp_path / "summary.json").write_text(text)
    again = loop(toy_run(tmp_path))
    assert json.loads((tmp_path / "summary.json").read_text()) == again
    assert {**again, "finished": ""} == {**first, "finished": "", "images_per_second": None} and again["losses"]


def test_a_report_names_a_hurt_file_and_the_command_that_mends_it(finished: Path) -> None:
    whole = (finished / "summary.json").read_text()
    for name, cure in (("summary.json", "sslgraph train --resume"), ("evaluation.json", "sslgraph evaluate")):
        (finished / name).write_text(whole[: len(whole) // 2])
        with pytest.raises(SslgraphError, match=rf"{name} is damaged; .* with: {cure} {finished}"):
            report(finished)
        (finished / name).write_text(whole)


def test_steps_whose_line_is_lost_are_said_and_no_such_run_is_done(tmp_path: Path, sslgraph: Command) -> None:
    sets = [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]
    words = ["train", "simclr", "--out", str(tmp_path), *sets, "--set", "checkpoint.every=1 steps"]
    assert sslgraph(*words).out.count("\ndone: ") == 1
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    hurt = [line[:-9] if '"step": 1,' in line else line for line in lines]
    (tmp_path / "metrics.jsonl").write_text("\n".join(hurt) + "\n")
    said = sslgraph(*words)  # it is finished already
    assert said.code == 0 and f"finished, but metrics.jsonl has no line for steps 1: {tmp_path}" in said.out
    assert "done" not in said.out
    shutil.rmtree(tmp_path / "checkpoints" / "step_00000002")
    said = sslgraph(*words)
    assert "metrics.jsonl has no whole line for steps 1 of 1: their numbers are lost, and the weights" in said.out
    assert f"finished, but metrics.jsonl has no line for steps 1: {tmp_path}" in said.out
    assert json.loads((tmp_path / "summary.json").read_text())["missing_steps"] == "1"


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
    assert f"Replaced 1 unreadable image by the next one; latest: {images}/07.png: " in capsys.readouterr().out
