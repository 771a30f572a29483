"""Images that changed between two starts are noticed, said, and taken only where that is allowed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from command import Command
from command import sslgraph as sslgraph
from sources import Numbered
from tars import numbered, png, shard
from two_ranks import Both

from sslgraph import collectives
from sslgraph.errors import SslgraphError
from sslgraph.parts import registry
from sslgraph.pipelines.feed.preparing import prepare_images
from sslgraph.pipelines.storage import checkpoint
from sslgraph.pipelines.train.loop import train
from sslgraph.pipelines.train.start.fingerprint import difference, fingerprint, refuse_unequal_ranks
from sslgraph.read.spec import Data


def photos(folder: Path, count: int = 36) -> Path:
    """Images of two classes."""
    for i in range(count):
        file = folder / ("cat", "dog")[i % 2] / f"{i:03}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(5 * i, 16))
    return folder


def tars(folder: Path, count: int = 12) -> Path:
    shard(folder / "a.tar", numbered(0, count // 2))
    shard(folder / "b.tar", numbered(count // 2, count - count // 2))
    return folder


def rows(folder: Path, count: int = 12) -> Path:
    folder.mkdir()
    table = pa.table({"image": [png(i) for i in range(count)], "label": [i % 3 for i in range(count)]})
    pq.write_table(table, folder / "train-0.parquet")
    return folder


def prepared(folder: Path, count: int = 12) -> Path:
    list(prepare_images(str(photos(folder.with_name(f"{folder.name}-photos"), count)), str(folder), side=8))
    return folder


SOURCES: dict[str, Callable[..., Path]] = {
    "image_folder": photos, "webdataset": tars, "parquet": rows, "prepared": prepared
}  # fmt: skip


def of(folder: Path, use: str, **settings: Any) -> dict[str, Any]:
    data = Data(use=f"sources.{use}", settings={"path": str(folder), **settings})
    return fingerprint(registry.build(data.use, {**data.settings, "split": "train"}), data)


@pytest.mark.parametrize("use", SOURCES)
def test_the_same_files_elsewhere_and_later_are_the_same_images_and_fewer_are_not(use: str, tmp_path: Path) -> None:
    there = SOURCES[use](tmp_path / "there")
    first = of(there, use)
    shutil.copytree(there, tmp_path / "copy")
    for file in (tmp_path / "copy").rglob("*"):
        os.utime(file, (1, 1))
    there.rename(tmp_path / "moved")
    assert of(tmp_path / "copy", use) == of(tmp_path / "moved", use) == first
    fewer = of(SOURCES[use](tmp_path / "fewer", 11), use)
    assert difference(first, fewer) == f"{first['images']} images then, {fewer['images']} now"
    assert of(tmp_path / "moved", use, limit=9)["images"] == 9 and of(tmp_path / "moved", use, limit=9) != first


def renamed_class(folder: Path) -> None:
    (folder / "cat").rename(folder / "lynx")


def renamed_file(folder: Path) -> None:
    (folder / "cat" / "000.png").rename(folder / "cat" / "099.png")


def other_size(folder: Path) -> None:
    (folder / "cat" / "002.png").write_bytes(png(5, 17))


@pytest.mark.parametrize("change", [renamed_class, renamed_file, other_size])
def test_as_many_images_of_other_names_or_sizes_are_others(change: Callable[[Path], None], tmp_path: Path) -> None:
    first = of(photos(tmp_path), "image_folder")
    change(tmp_path)
    said = "33 images then and now, and not the same ones: names, sizes or labels differ"
    assert difference(first, of(tmp_path, "image_folder")) == said


def test_other_labels_of_rows_and_samples_are_noticed(tmp_path: Path) -> None:
    first, other = tars(tmp_path / "one"), tars(tmp_path / "two")
    assert of(first, "webdataset") == of(other, "webdataset")
    shard(other / "a.tar", {**numbered(0, 6), "00000.cls": b"2"})
    assert difference(of(first, "webdataset"), of(other, "webdataset"))


def test_drawn_images_and_own_sources_are_told_by_settings_and_labels() -> None:
    def drawn(**settings: Any) -> dict[str, Any]:
        data = Data(use="sources.shapes", settings={"images": 20, **settings})
        return fingerprint(registry.build(data.use, {**data.settings, "split": "train"}), data)

    assert drawn() == drawn() and len({drawn(**more)["images_hash"] for more in ({}, {"seed": 1}, {"size": 16})}) == 3
    own, labels = Data(use="own:Numbered"), torch.arange(6)
    assert fingerprint(Numbered(6, labels=labels), own) == fingerprint(Numbered(6, labels=labels.clone()), own)
    assert fingerprint(Numbered(6, labels=labels), own) != fingerprint(Numbered(6, labels=labels.flip(0)), own)
    assert fingerprint(Numbered(6), own) != fingerprint(Numbered(7), own)


def test_a_million_files_take_a_second(tmp_path: Path) -> None:
    """What is hashed is what the source holds already; no file is opened."""
    source = registry.build("sources.image_folder", {"path": str(photos(tmp_path, 20)), "split": "train"})
    source.files = [f"n{i % 1000:08}/n{i % 1000:08}_{i}.JPEG" for i in range(1_000_000)]
    start = os.times().user
    fingerprint(source, Data(use="sources.image_folder"))
    assert os.times().user - start < 2


@pytest.fixture
def a_run(tmp_path: Path, sslgraph: Command) -> Callable[..., Any]:
    """Trains three steps an epoch on the photographs of a folder, four epochs by default."""
    photos(tmp_path / "photos")
    sets = (
        "batch=10",
        "evaluate={}",
        "nets.f.width=4",
        "nets.g.hidden=[8]",
        "views.x.size=16",
        "checkpoint.every=1 epoch",
    )
    words = ["train", "simclr", "--out", str(tmp_path / "run"), "--data", str(tmp_path / "photos")]
    words += [word for text in sets for word in ("--set", text)]
    return lambda *more: sslgraph(*words, "--set", "epochs=4", *more)


def starts(run: Path) -> list[int]:
    return [json.loads(line)["images"] for line in (run / "starts.jsonl").read_text().splitlines()]


def cut_back(run: Path, step: int) -> None:
    """As if the run had been killed after its checkpoint of this step."""
    (run / "summary.json").unlink()
    for path in checkpoint.complete(run / "checkpoints"):
        if checkpoint.step_of(path) > step:
            shutil.rmtree(path)


def test_a_start_with_other_images_is_refused_until_it_is_allowed_and_then_known(
    tmp_path: Path, a_run: Callable[..., Any]
) -> None:
    run = tmp_path / "run"
    assert a_run().code == 0
    cut_back(run, 9)
    before = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    photos(tmp_path / "photos", 44)
    said = a_run()
    assert said.code == 1 and said.out.count("continues") == 0
    newest = f"{run}/checkpoints/step_00000009"
    assert said.err == (
        f"{newest} was trained on other images: 33 images then, 40 now; restore them, choose another folder with "
        "--out, or continue with these and --changed-data\n"
    )
    assert {file: file.read_bytes() for file in before} == before
    said = a_run("--changed-data")
    assert said.code == 0 and "continues with other images (--changed-data): 33 images then, 40 now" in said.out
    again = a_run()
    assert again.code == 0 and "other images" not in again.out
    assert starts(run) == [33, 40, 40] and json.loads((run / "summary.json").read_text())["steps"] == 16


def test_what_is_allowed_is_recorded_at_once(tmp_path: Path, a_run: Callable[..., Any]) -> None:
    """Not with the next checkpoint: a run that dies before it must not ask again."""
    assert a_run().code == 0
    renamed_file(tmp_path / "photos")
    assert a_run("--changed-data").code == 0  # it was finished: no step is done
    assert a_run().code == 0


def test_removed_images_end_no_run_as_done(tmp_path: Path, a_run: Callable[..., Any]) -> None:
    assert a_run().code == 0
    cut_back(tmp_path / "run", 9)
    shutil.rmtree(tmp_path / "photos" / "dog")
    assert "33 images then, 17 now" in a_run().err
    said = a_run("--changed-data")
    assert said.code == 1 and "step_00000009 is beyond the end of this run, which has 4 steps" in said.err


def test_a_checkpoint_of_a_version_that_took_no_fingerprint_goes_on(tmp_path: Path, a_run: Callable[..., Any]) -> None:
    assert a_run().code == 0
    cut_back(tmp_path / "run", 9)
    old = tmp_path / "run" / "checkpoints" / "step_00000009"
    torch.save({"seed": 0}, old / "run.pt")
    marker = json.loads((old / "COMPLETE").read_text())
    marker["files"]["run.pt"] = (old / "run.pt").stat().st_size
    (old / "COMPLETE").write_text(json.dumps(marker))
    photos(tmp_path / "photos", 37)
    assert a_run().code == 0
    photos(tmp_path / "photos", 39)
    assert a_run().code == 1


def unequal(images: int) -> str:
    run: Any = SimpleNamespace(device=torch.device("cpu"), data={"images": images, "images_hash": f"{images:032}"})
    try:
        refuse_unequal_ranks(run)
    except SslgraphError as fault:
        return str(fault).replace(os.uname().nodename, "HOST")
    return ""


CHECKS: dict[str, Callable[[], Any]] = {
    "equal": lambda: unequal(108),
    "unequal": lambda: unequal(108 - collectives.rank()),
}


def test_ranks_that_have_other_images_end_all_of_them(both: Both) -> None:
    assert both("equal") == ["", ""]
    assert both("unequal") == [
        "another rank failed; its message says why",
        "rank 1 on HOST has 107 images, not the 108 of the first rank; give all machines the same images",
    ]


def test_a_state_as_large_as_the_data_set_does_not_hide_what_changed(tmp_path: Path) -> None:
    """A bank with a row an image does not fit a smaller set: what is said is why."""
    given = {"data": {"use": "sources.image_folder", "path": str(photos(tmp_path / "photos"))}, "batch": 10, "steps": 3}
    given |= {"evaluate": {}, "epochs": None, "ops.kmeans.k": 3, "ops.reduce.out": 4, "nets.f.width": 4}
    cfg = {"recipe": "deepcluster", "overrides": given, "out": str(tmp_path / "run")}
    train(cfg)
    shutil.rmtree(tmp_path / "photos" / "dog")
    with pytest.raises(SslgraphError, match="33 images then, 17 now"):
        train(cfg)
