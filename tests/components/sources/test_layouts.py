"""Data as people have it: links, hidden folders, shards beside images, one file, wildcards, the hub's cache."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from tars import numbered, png, shard

from sslgraph.components.sources.image_folder import ImageFolder
from sslgraph.components.sources.parquet import Parquet
from sslgraph.components.sources.stores.store import Folder
from sslgraph.components.sources.webdataset import WebDataset
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.request import located, source_for


def images(folder: Path, classes: tuple[str, ...] = ("cat", "dog"), each: int = 6) -> Path:
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for i in range(each):
            Image.new("RGB", (4, 4), (number, i, 0)).save(folder / name / f"{i:02}.png")
    return folder


def rows(path: Path, count: int = 4, first: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = [{"bytes": png(first + i), "path": None} for i in range(count)]
    pq.write_table(pa.table({"image": data, "label": [i % 2 for i in range(count)]}), path)
    return path


@pytest.mark.parametrize(
    ("one", "other"), [("train", "valid"), ("Train", "Test"), ("train", "dev"), ("a/train", "a/val")]
)
def test_folders_of_splits_are_no_classes(tmp_path: Path, one: str, other: str) -> None:
    images(tmp_path / one), images(tmp_path / other, each=2)
    train, test = ImageFolder(path=str(tmp_path)), ImageFolder(path=str(tmp_path), split="test")
    assert (len(train), len(test), train.classes) == (12, 4, ("cat", "dog"))
    assert train.notes[0].startswith("splits: train 12 images; ")


def test_held_out_images_are_the_labelled_ones_of_val_and_test(tmp_path: Path) -> None:
    images(tmp_path / "train"), images(tmp_path / "val", each=1)
    (tmp_path / "test").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "test" / "0001.JPEG")
    test = ImageFolder(path=str(tmp_path), split="test")
    assert test.labels is not None and test.labels.tolist() == [0, 1]
    said = "splits: train 12 images; val 2 images, held out; test 1 image, not used (they have no labels)"
    assert test.notes == (said,)


def test_folders_of_one_image_each_are_no_classes(tmp_path: Path) -> None:
    source = ImageFolder(path=str(images(tmp_path, tuple(f"person {i:02}" for i in range(12)), each=1)))
    assert source.labels is None and source.classes == ()
    said = "12 folder names: no label, for each folder holds one image, such as person 00"
    assert said in source.notes


def test_images_in_no_split_are_counted(tmp_path: Path) -> None:
    images(tmp_path / "train"), images(tmp_path / "val"), images(tmp_path / "extra", ("bird",), each=3)
    source = ImageFolder(path=str(tmp_path))
    assert len(source) == 12 and "3 images: in none of the splits, such as extra/bird" in source.notes


def test_hidden_things_and_links_that_lead_nowhere_or_back_are_counted(tmp_path: Path) -> None:
    folder = images(tmp_path / "set")
    images(folder / ".ipynb_checkpoints"), images(folder / "__MACOSX", ("cat",))
    (folder / "cat" / "gone.jpg").symlink_to("nowhere.jpg")
    (folder / "notes.txt").symlink_to("nowhere.txt")
    (folder / "dog" / "back").symlink_to(folder)
    source = ImageFolder(path=str(folder))
    assert len(source) == 11 and source.classes == ("cat", "dog")  # one of twelve is held out
    assert {note.split(",")[0] for note in source.notes[1:]} == {
        "2 hidden folders: skipped",
        "2 links: its target is missing",
        "1 link: to a folder above it",
    }


def test_links_in_a_circle_are_counted_and_followed_once(tmp_path: Path) -> None:
    folder = images(tmp_path / "set")
    (folder / "itself").symlink_to(folder / "itself")
    (folder / "one").symlink_to(folder / "other"), (folder / "other").symlink_to(folder / "one")
    (folder / "cat" / "to dog").symlink_to(folder / "dog"), (folder / "dog" / "to cat").symlink_to(folder / "cat")
    source = ImageFolder(path=str(folder))
    assert source.whole[0] == 22  # of 24 images, six of each twice, two are held out
    assert "3 links: its target is missing, such as itself" in source.notes
    assert "2 links: to a folder above it, such as cat/to dog/to cat" in source.notes


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("val/val_annotations.txt", "{name}\t{label}\t0\t32\t44\t62"),  # of Tiny ImageNet
        ("LOC_val_solution.csv", "{stem},{label} 1 2 3 4 {label} 5 6 7 8"),  # of ImageNet at Kaggle
    ],
)
def test_held_out_images_in_one_folder_have_the_labels_of_the_text_beside_them(
    name: str, line: str, tmp_path: Path
) -> None:
    (
        images(tmp_path / "train", ("n01", "n02")),
        images(tmp_path / "val", ("images",)),
        images(tmp_path / "test", ("images",)),
    )
    its = [f"{i:02}.png" for i in range(6)]
    texts = (line.format(name=one, stem=one[:-4], label=f"n0{1 + i % 2}") for i, one in enumerate(its))
    (tmp_path / name).write_text("\n".join(["ImageId,PredictionString", *texts]))
    test = ImageFolder(path=str(tmp_path), split="test")
    assert test.labels is not None and test.classes == ("n01", "n02")
    assert test.labels.tolist() == [i % 2 for i in range(6)]
    assert f"1 text: used for labels of val, such as {name}" in test.notes


def test_linked_class_folders_are_read_inside_and_refused_outside(tmp_path: Path) -> None:
    folder = images(tmp_path / "set")
    (folder / "bird").symlink_to(folder / "cat")
    assert ImageFolder(path=str(folder)).classes == ("bird", "cat", "dog")
    (folder / "fish").symlink_to(images(tmp_path / "elsewhere"))
    with pytest.raises(SslgraphError, match=r"fish is a link to .*elsewhere, outside the folder; .*data\.links: true"):
        ImageFolder(path=str(folder))
    assert "fish" in ImageFolder(path=str(folder), links=True).classes


def test_a_shard_beside_many_images_is_named_and_a_picture_beside_shards_is(tmp_path: Path) -> None:
    folder = images(tmp_path / "photos")
    shard(folder / "all.tar", numbered(0, 12)), rows(folder / "metadata.parquet")
    pq.write_table(pa.table({"file_name": ["cat/00.png"]}), folder / "metadata.parquet")
    assert source_for(str(folder)) == "sources.image_folder"
    assert "1 .tar file: not an image that is read, such as all.tar" in ImageFolder(path=str(folder)).notes
    shards = shard(tmp_path / "shards" / "A.TAR", numbered(0, 20)).parent
    (shards / "logo.png").write_bytes(png(1))
    assert source_for(str(shards)) == "sources.webdataset"
    assert "1 .png file: not a .tar file, such as logo.png" in WebDataset(path=str(shards)).notes
    assert source_for(str(rows(tmp_path / "rows" / "A.PARQUET").parent)) == "sources.parquet"


def test_shards_behind_many_other_files_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders are listed whole, and none is begun once so many names are known by which a form is told."""
    monkeypatch.setattr("sslgraph.components.sources.stores.store.TOP", 3)
    for i in range(5):
        (tmp_path / f"{i}.json").write_text("{}")
    rows(tmp_path / "deeper" / "x.parquet"), shard(tmp_path / "shard.tar", numbered(0, 12))
    assert Folder(str(tmp_path)).top() == [*(f"{i}.json" for i in range(5)), "deeper/", "shard.tar"]
    assert source_for(str(tmp_path)) == "sources.webdataset" and len(WebDataset(path=str(tmp_path))) == 11
    assert len(Folder(str(images(tmp_path / "set"))).top()) == 2 + 6  # two folders, and the first of them


def test_one_file_and_wildcards_are_paths_too(tmp_path: Path) -> None:
    folder = images(tmp_path / "set")
    assert ImageFolder(path=str(folder / "cat" / "03.png")).files == ["03.png"]
    assert len(ImageFolder(path=f"{folder}/*/0[0-2].png")) == 6
    assert ImageFolder(path=f"{folder}/{{cat,dog}}").classes == ("cat", "dog")
    rows(folder / "a-train.parquet"), rows(folder / "a-test.parquet", 2), rows(folder / "other.parquet")
    pattern = f"{folder}/a-*.parquet"
    assert source_for(pattern) == "sources.parquet" and len(Parquet(path=pattern, split="test")) == 2
    with pytest.raises(SslgraphError, match=r"no file or folder matches .*\.bmp; check the path"):
        ImageFolder(path=f"{folder}/*.bmp")


def test_endings_of_every_case_and_jfif_are_images(tmp_path: Path) -> None:
    for name in ("a.JPG", "b.jfif", "c.Jpe"):
        Image.new("RGB", (4, 4)).save(tmp_path / name, "JPEG")
    assert len(ImageFolder(path=str(tmp_path))) == 3


def test_rows_that_name_their_images_are_opened_from_the_folder_of_the_file(tmp_path: Path) -> None:
    images(tmp_path / "data" / "img")
    paths = [f"img/{name}/{i:02}.png" for name in ("cat", "dog") for i in range(6)]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    for extra, name in (([], "a"), (["../../secret.png"], "b")):
        table = pa.array([{"bytes": None, "path": path} for path in paths + extra], kind)
        pq.write_table(pa.table({"image": table}), tmp_path / "data" / f"{name}.parquet")
    source = Parquet(path=str(tmp_path / "data" / "a.parquet"), memory=0)
    assert source_for(str(tmp_path)) == "sources.parquet" and source.broken == {}
    assert not any(".png" in note for note in Parquet(path=str(tmp_path)).notes)  # no image that rows name is left out
    seen = {tuple(image[:2, 0, 0].tolist()) for image in source.read(torch.arange(11))[0]}
    assert len(seen) == 11 and seen < {(c, i) for c in range(2) for i in range(6)}
    led_out = Parquet(path=str(tmp_path / "data" / "b.parquet"), memory=0)
    led_out.read(torch.arange(12))
    assert "its path ../../secret.png leads out of the folder" in str(led_out.broken)


def test_a_snapshot_of_the_hub_is_the_same_by_path_by_name_and_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "hub" / "datasets--me--set"
    snapshot = repository / "snapshots" / "abc" / "data"
    snapshot.mkdir(parents=True), (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    for number, name in enumerate(("train-00001-of-00002", "train-00000-of-00002", "test-00000-of-00001")):
        blob = rows(repository / "blobs" / f"{number}f", first=10 * number)
        (snapshot / f"{name}.parquet").symlink_to(f"../../../blobs/{blob.name}")
    (repository / "snapshots" / "old").mkdir()
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    for path in (str(snapshot.parent), str(repository), "me/set", f"{snapshot}/*.parquet"):
        source = Parquet(path=located(path), memory=0)
        assert source_for(located(path)) == "sources.parquet" and len(source) == 8
        assert [int(image[0, 0, 0]) for image in source.read(torch.arange(8))[0]] == [10, 11, 12, 13, 0, 1, 2, 3]
    one = located(str(snapshot / "test-00000-of-00001.parquet"))
    assert source_for(one) == "sources.parquet" and len(Parquet(path=one)) == 4


@pytest.mark.parametrize(
    ("pictures", "maps"),
    [
        (("images",), ("masks",)),
        (("imagesTr", "imagesTs"), ("labelsTr", "labelsTs")),  # of nnU-Net
        (("train", "test"), ("train_masks", "test_masks")),  # of Carvana
        (("train", "val"), ("trainannot", "valannot")),  # of CamVid
        (("img_dir/train", "img_dir/val"), ("ann_dir/train", "ann_dir/val")),  # of mmsegmentation
        (("Training_Input", "Test_Input"), ("Training_GroundTruth", "Test_GroundTruth")),  # of ISIC
        (("a/leftImg8bit/train", "a/leftImg8bit/val"), ("a/gtFine/train", "a/gtFine/val")),  # of Cityscapes
    ],
)
def test_folders_of_label_maps_are_no_images_and_it_is_said(
    tmp_path: Path, pictures: tuple[str, ...], maps: tuple[str, ...]
) -> None:
    for folder in (*pictures, *maps):
        images(tmp_path / folder, ("",), each=12)
    source, test = ImageFolder(path=str(tmp_path)), ImageFolder(path=str(tmp_path), split="test")
    assert {str(Path(file).parent) for file in (*source.files, *test.files)} == set(pictures)
    assert len(source) == (11 if len(pictures) == 1 else 12) and source.labels is None
    said = f"{12 * len(maps)} label maps: in a folder beside one of images, no image to train on"
    assert any(note.startswith(said) for note in source.notes)


def test_classes_whose_names_are_words_of_maps_are_classes(tmp_path: Path) -> None:
    for names in (("mask", "no_mask"), ("with_mask", "without_mask"), ("label", "box"), ("gt", "suv"), ("img", "x")):
        folder = images(tmp_path / names[0], names)
        assert ImageFolder(path=str(folder)).classes == tuple(sorted(names))


def test_folders_that_repeat_in_each_class_may_be_the_classes_and_are_said(tmp_path: Path) -> None:
    for kind in ("colour", "grey", "segmented"):
        images(tmp_path / kind, ("rust", "scab"))
    source = ImageFolder(path=str(tmp_path))
    said = "2 folder names: in each class: if these are the classes, give one of the folders above them as the path"
    assert source.classes == ("colour", "grey", "segmented") and f"{said}, such as rust" in source.notes
    assert not any("in each class" in note for note in ImageFolder(path=str(tmp_path / "grey")).notes)


def test_maps_beside_images_in_folders_of_their_own_and_images_without_labels_are_no_classes(tmp_path: Path) -> None:
    for case in range(12):
        (tmp_path / f"cells/case{case}").mkdir(parents=True)
        for name in ("image", "mask"):
            Image.new("RGB", (4, 4), (case, 0, 0)).save(tmp_path / f"cells/case{case}/{name}.png")
    source = ImageFolder(path=str(tmp_path / "cells"))
    assert len(source) == 11 and source.labels is None
    assert any(note.startswith("12 label maps: beside the image of its name") for note in source.notes)
    pets = ImageFolder(path=str(images(tmp_path / "pets", ("cat", "dog", "unlabeled"))))
    assert pets.classes == ("cat", "dog") and pets.labels is not None and int((pets.labels < 0).sum()) == 6
