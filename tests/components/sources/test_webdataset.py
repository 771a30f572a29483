"""Tar shards: every image is found where it lies, with its label, in any order, and bad shards are said."""

from __future__ import annotations

import io
import tarfile
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


def test_without_splits_a_tenth_is_the_test_split_and_labels_may_lack(tmp_path: Path) -> None:
    file = shard(tmp_path / "all.tar", {f"deep/{i:03}.jpeg": png(i) for i in range(20)})
    train, test = WebDataset(path=str(file)), WebDataset(path=str(tmp_path), split="test")
    assert train.labels is None and len(train) == 18 and values(test, 0, 1) == [0, 12]
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


DOTS = {f"photo {i}.{j}.png": png(3 * i + j) for i in range(4) for j in range(3)}
FOLDERS = {f"./{name}/{i}.PNG": png(i) for name in ("cat", "dog") for i in range(6)}
HIDDEN = {f".hidden/{i}.png": png(i) for i in range(3)} | {f"{i}.png": png(i) for i in range(11)}


@pytest.mark.parametrize(
    ("files", "found", "classes"),
    [
        (DOTS, list(range(12)), ()),
        (FOLDERS, [0, 1, 2, 3, 4, 5] * 2, ("cat", "dog")),
        (HIDDEN, list(range(11)), ()),
    ],
)
def test_members_are_images_whatever_their_names(
    tmp_path: Path, files: dict[str, bytes], found: list[int], classes: tuple[str, ...]
) -> None:
    path = str(shard(tmp_path / "all.tar", files))
    train, test = WebDataset(path=path), WebDataset(path=path, split="test")
    seen = [value for source in (train, test) for value in values(source, *range(len(source)))]
    assert (sorted(seen), train.classes) == (sorted(found), classes) and len(test) == 1


def test_equal_names_are_samples_of_their_own_with_the_labels_beside_them(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "all.tar", "w") as tar:
        for i in range(6):
            for name, data in ((f"{i % 2}.png", png(i)), (f"{i % 2}.cls", str(i).encode())):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    source = WebDataset(path=str(tmp_path))
    assert values(source, *range(6)) == list(range(6))
    assert source.labels is not None and source.labels.tolist() == list(range(6))


def test_tars_in_a_tar_are_classes_unless_labels_stand_in_them(tmp_path: Path) -> None:
    def packed(inside: dict[str, dict[str, bytes]]) -> WebDataset:
        tars = {f"{name}.tar": shard(tmp_path / "in.tar", files).read_bytes() for name, files in inside.items()}
        return WebDataset(path=str(shard(tmp_path / "all.tar", tars)))

    source = packed({name: {f"{i}.png": png(i) for i in range(5)} for name in ("n1", "n2")})
    assert source.classes == ("n1", "n2") and values(source, 1, 6) == [1, 1]
    assert source.labels is not None and source.labels.tolist() == [0] * 5 + [1] * 4
    labelled = packed({"n1": numbered(0, 5), "n2": numbered(5, 5)})
    assert labelled.labels is not None and labelled.labels.tolist() == [i % 3 for i in values(labelled, *range(9))]


def samples(ending: str, texts: list[bytes]) -> dict[str, bytes]:
    return {f"{i}.{end}": data for i, text in enumerate(texts) for end, data in (("png", png(i)), (ending, text))}


def test_labels_are_words_or_keys_that_are_named(tmp_path: Path) -> None:
    source = WebDataset(path=str(shard(tmp_path / "words.tar", samples("cls", [b"cat", b"dog"] * 2))))
    assert source.classes == ("cat", "dog") and source.labels is not None and source.labels.tolist() == [0, 1, 0, 1]
    path = str(shard(tmp_path / "keys.tar", samples("json", [b'{"class": 0}', b'{"class": 1}'] * 2)))
    source = WebDataset(path=path)
    said = "no key of the json files is called label; there are class: choose one with data.label: class"
    assert source.labels is None and said in source.notes
    chosen = WebDataset(path=path, label="class")
    assert chosen.labels is not None and chosen.labels.tolist() == [0, 1, 0, 1]
    with pytest.raises(SslgraphError, match=r"in the key or ending 'klass' \(data\.label\); there are: class$"):
        WebDataset(path=path, label="klass")
    with pytest.raises(SslgraphError, match=r"has a label in the key or ending 'txt' \(data\.label\)$"):
        WebDataset(path=str(tmp_path / "words.tar"), label="txt")


def test_what_is_beside_images_in_a_shard_is_counted(tmp_path: Path) -> None:
    files = {"0.png": png(0), "0.seg.png": png(1), "0.txt": b"", "0.json": b"[1", "._0.png": b"", "1.png": png(2)}
    source = WebDataset(path=str(shard(tmp_path / "all.tar", files)))
    assert len(source) == 2
    assert {note.split(", such")[0] for note in source.notes[1:]} == {
        "1 .txt file: not an image that is read",
        "1 .json file: can't be read as json",
        "1 hidden file: skipped",
        "1 image: stands beside another image of its sample",
    }


def test_a_compressed_file_that_is_called_tar_is_named_for_what_it_is(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w:gz") as packed:
        packed.addfile(tarfile.TarInfo("0.png"))
    with pytest.raises(SslgraphError, match=r"a\.tar is compressed and can't be read in any order: unpack it to \.tar"):
        WebDataset(path=str(tmp_path))


def test_a_label_of_several_values_is_counted(tmp_path: Path) -> None:
    files = {f"{i:02}.png": png(i) for i in range(12)} | {f"{i:02}.json": b'{"label": [1, 2]}' for i in range(12)}
    files["deep.json"] = b"[" * 100_000
    source = WebDataset(path=str(shard(tmp_path / "a.tar", files)))
    assert source.labels is None
    assert "1 .json file: can't be read as json, such as a.tar/deep.json" in source.notes
    assert "12 labels: under label stands no number or word, such as a.tar/00.json" in source.notes
