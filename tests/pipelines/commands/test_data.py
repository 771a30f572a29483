"""`sslgraph data`: what lies at a path, before anyone trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from command import Command
from command import sslgraph as sslgraph
from PIL import Image
from tars import png


def test_splits_classes_columns_and_what_is_left_out_are_shown(tmp_path: Path, sslgraph: Command) -> None:
    for split, count in (("train", 6), ("validation", 3)):
        images = [{"bytes": png(i), "path": None} for i in range(count)]
        rows = {"image": images, "kind": ["cat", "dog", "cow"] * (count // 3)}
        pq.write_table(pa.table(rows), tmp_path / f"set-{split}.parquet")
    (tmp_path / "notes.txt").write_text("")
    lines = sslgraph("data", str(tmp_path)).out.splitlines()
    assert lines[0].startswith("train: 6 images, no labels, 8x8; ")
    assert lines[-4:] == [
        "columns: image ({bytes, path}), kind (string)",
        "splits: train 6 images; val 3 images, held out",
        "no column is called label; there are kind: choose one with data.label: kind",
        "1 .txt file: not a .parquet file, such as notes.txt",
    ]
    named = sslgraph("data", str(tmp_path), "--set", "data.label=kind").out
    assert "train: 6 images, 3 classes, 8x8; " in named and "  classes: cat, cow, dog; 2 images each\n" in named


def test_a_range_can_be_said_and_copies_are_made_with_it(tmp_path: Path, sslgraph: Command) -> None:
    (tmp_path / "set").mkdir()
    Image.fromarray(np.tile(np.arange(16) * 16, (16, 1)).astype(np.uint16)).save(tmp_path / "set" / "a.png")
    words = ("data", str(tmp_path / "set"))
    refused = sslgraph(*words)
    assert refused.code == 1 and "set data.range: [0, 255], or data.range: auto" in refused.err
    assert "brightness 0 to 255 of 255" in sslgraph(*words, "--set", "data.range=[0, 240]").out
    small = str(tmp_path / "small")
    assert sslgraph(*words, "--prepare", small, "--side", "8", "--set", "data.range=[0, 240]").code == 0
    assert "train: 1 image, no labels, 8x8" in sslgraph("data", small).out


def test_it_fails_where_no_image_can_be_read_and_counts_those_that_can_not(tmp_path: Path, sslgraph: Command) -> None:
    for i in range(12):
        (tmp_path / f"{i:02}.png").write_bytes(png(i)[:40])
    none = sslgraph("data", str(tmp_path))
    assert none.code == 1 and f"no image to train on can be read at {tmp_path}" in none.err
    assert "train: 11 images" in none.err and "none of the 11 images can be read, for example" in none.err
    (tmp_path / "11.png").write_bytes(png(5))
    some = sslgraph("data", str(tmp_path))
    assert some.code == 0 and "  10 of 11 tried can't be read" in some.out.splitlines()


def test_what_is_no_setting_of_the_data_is_refused(tmp_path: Path, sslgraph: Command) -> None:
    said = sslgraph("data", str(tmp_path), "--set", "batch=8")
    assert said.code == 1 and "--set batch: only settings of the data count here" in said.err


def test_the_classes_of_each_split_are_named_and_those_that_training_lacks(tmp_path: Path, sslgraph: Command) -> None:
    for name, count in (("train/cat", 3), ("train/dog", 3), ("test/cat", 2), ("test/emu", 1)):
        (tmp_path / name).mkdir(parents=True)
        for i in range(count):
            (tmp_path / name / f"{i}.png").write_bytes(png(i))
    lines = sslgraph("data", str(tmp_path)).out.splitlines()
    assert "  classes: cat, dog; 3 images each" in lines and "  classes: cat, emu; 1 to 2 images each" in lines
    assert "  1 image of classes that no training image has: emu" in lines
