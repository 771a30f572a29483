"""Tar shards: every image is found where it lies, with its label, in any order, and bad shards are said."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tars import numbered, png, shard

from sslgraph.components.sources.webdataset import WebDataset
from sslgraph.errors import SslgraphError, StorageError


def values(source: WebDataset, *indices: int) -> list[int]:
    images, _ = source.read(torch.tensor(indices))
    return [int(image.float().mean()) for image in images]


@pytest.mark.parametrize("label", ["cls", "json"])
@pytest.mark.parametrize("memory", [0.0, 1.0])
def test_images_and_labels_stand_in_the_order_of_the_shards(tmp_path: Path, label: str, memory: float) -> None:
    shard(tmp_path / "train-000001.tar", numbered(10, 10, label))
    shard(tmp_path / "train-000000.tar", numbered(0, 10, label))
    shard(tmp_path / "val-000000.tar", numbered(50, 4, label))
    (tmp_path / "classes.txt").write_text("ant\nbee\ncat\n")
    train, test = (WebDataset(path=str(tmp_path), split=split, memory=memory) for split in ("train", "test"))
    assert (len(train), len(test), train.classes) == (20, 4, ("ant", "bee", "cat"))
    assert values(train, 19, 3, 10, 0) == [19, 3, 10, 0] and values(test, 2) == [52]
    assert train.labels is not None and train.labels.tolist() == [i % 3 for i in range(20)]
    assert train.size == ((8, 8) if memory else None)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a-train-0.tar", "a-validation-0.tar"), ("train/0.tar", "val/0.tar"), ("Train_0.tar", "test.tar")],
)
def test_splits_are_words_of_names_or_folders(tmp_path: Path, one: str, other: str) -> None:
    shard(tmp_path / one, numbered(0, 3))
    shard(tmp_path / other, numbered(9, 1))
    assert len(WebDataset(path=str(tmp_path))) == 3 and len(WebDataset(path=str(tmp_path), split="test")) == 1


def test_without_splits_every_tenth_is_the_test_split_and_labels_may_lack(tmp_path: Path) -> None:
    file = shard(tmp_path / "all.tar", {f"deep/{i:03}.jpeg": png(i) for i in range(20)})
    train, test = WebDataset(path=str(file)), WebDataset(path=str(tmp_path), split="test")
    assert train.labels is None and len(train) == 18 and values(test, 0, 1) == [9, 19]
    assert len(WebDataset(path=str(file), limit=5)) == 5


def test_samples_of_equal_names_in_other_folders_are_others(tmp_path: Path) -> None:
    files = {
        "a/0.png": png(1),
        "a/0.cls": b"1",
        "b/0.png": png(2),
        "b/0.cls": b"2",
        "b/0.seg.png": png(9),
        "x.txt": b"",
    }
    source = WebDataset(path=str(shard(tmp_path / "all.tar", files)))
    assert values(source, 0, 1) == [1, 2] and source.labels is not None and source.labels.tolist() == [1, 2]


def test_a_corrupt_image_gives_way_to_the_next_and_is_named(tmp_path: Path) -> None:
    file = shard(tmp_path / "all.tar", {**numbered(0, 4), "00001.png": b"\x89PNG cut"})
    source = WebDataset(path=str(file), memory=0)
    assert values(source, 1) == [2] and source.broken[1].startswith(f"{file}, 00001.png: ")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no .tar files; give the folder of the .tar files, or one of them"),
        ({"a.tar.gz": b"x"}, "a.tar.gz is compressed and can't be read in any order: unpack it to .tar"),
        ({"a.tar": b"no tar"}, r"a\.tar can't be read as a tar file \(.*\); fetch it again, or remove it"),
    ],
)
def test_a_folder_without_shards_is_refused(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SslgraphError, match=message):
        WebDataset(path=str(tmp_path))


def test_a_shard_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    file = shard(tmp_path / "all.tar", numbered(0, 40))
    whole = file.read_bytes()
    for length in (1024 * 40, 1024 * 40 + 512, 1024 * 40 + 700, 700):
        file.write_bytes(whole[:length])
        with pytest.raises(SslgraphError, match=r"all\.tar can't be read as a tar file"):
            WebDataset(path=str(file))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.png": png(0), "a.cls": b"cat"}, r"a\.cls holds no label: b'cat'"),
        ({"a.png": png(0), "a.json": b"[1"}, r"a\.json holds no label"),
        ({"a.txt": b""}, "hold no images; images end in"),
    ],
)
def test_what_is_in_a_shard_is_read_strictly(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    with pytest.raises(SslgraphError, match=message):
        WebDataset(path=str(shard(tmp_path / "all.tar", files)))


def test_a_folder_that_vanishes_under_a_run_is_no_broken_image(tmp_path: Path) -> None:
    source = WebDataset(path=str(shard(tmp_path / "set" / "all.tar", numbered(0, 4)).parent), memory=0)
    (tmp_path / "set").rename(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match=r"the images' folder .*set is gone \(.*\); see that it is mounted"):
        source.read(torch.tensor([1]))
    assert source.broken == {}
