"""Folders as people have them: splits and parts that say no classes, label maps, file names, names that are no text."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from command import Command
from command import sslgraph as sslgraph
from PIL import Image
from tars import png, shard

from sslgraph.components.sources.image_folder import ImageFolder
from sslgraph.components.sources.names.file_names import class_in
from sslgraph.components.sources.webdataset import WebDataset
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.request import source_for


def pictures(*files: Path) -> None:
    for number, file in enumerate(files):
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (number, 0, 0)).save(file)


def images(folder: Path, classes: tuple[str, ...] = ("cat", "dog"), each: int = 6) -> Path:
    pictures(*(folder / name / f"{i:02}.png" for name in classes for i in range(each)))
    return folder


def test_splits_without_training_images_are_refused(tmp_path: Path) -> None:
    images(tmp_path / "val"), images(tmp_path / "test", each=2)
    said = "holds images of val and test and none to train on; give the folder with the training images"
    with pytest.raises(SslgraphError, match=said):
        ImageFolder(path=str(tmp_path))
    assert ImageFolder(path=str(tmp_path / "val")).classes == ("cat", "dog")


def test_folders_of_numbered_parts_are_no_classes_and_are_said(tmp_path: Path) -> None:
    images(tmp_path, ("images_001", "images_002"))
    source = ImageFolder(path=str(tmp_path))
    assert source.labels is None
    said = "2 folder names: no label, for it is a date, or the number or letter of a part, such as images_001"
    assert said in source.notes


def test_a_held_out_class_in_other_capitals_or_another_form_of_unicode_is_the_same(tmp_path: Path) -> None:
    images(tmp_path / "train", ("caf\u00e9", "tea")), images(tmp_path / "test", ("Cafe\u0301", "Tea"), each=2)
    test = ImageFolder(path=str(tmp_path), split="test")
    assert test.labels is not None and test.labels.tolist() == [0, 0, 1, 1] and test.classes == ("caf\u00e9", "tea")


def test_names_that_are_no_text_or_move_the_cursor_stand_on_one_line(tmp_path: Path, sslgraph: Command) -> None:
    images(tmp_path, ("a\nb", os.fsdecode(b"k\xe4tze"), "\x1b[31mred"))
    (tmp_path / "a\nb" / "no\x1bte.docx").touch()
    (tmp_path / "a\nb" / "00.png").write_bytes(b"")
    said = sslgraph("data", str(tmp_path))
    assert said.code == 0 and "classes: \ufffd[31mred, a\ufffdb, k\xe4tze; 5 to 6 images each" in said.out
    assert "1 .docx file: not an image that is read, such as a\ufffdb/no\ufffdte.docx" in said.out
    assert "a\ufffdb/00.png: an empty file" in said.out


def test_a_member_whose_name_is_no_text_is_called_by_what_is_text(tmp_path: Path) -> None:
    file = shard(tmp_path / "a.tar", {os.fsdecode(b"k\xe4tze.png"): png(1), "b.png": png(2)})
    source = WebDataset(path=str(file))
    assert len(source.read(torch.arange(2))[1]) == 2
    assert [source.name(i).rpartition(", ")[2] for i in range(2)] == ["k\ufffdtze.png", "b.png"]


def test_a_folder_that_may_not_be_listed_is_counted(tmp_path: Path) -> None:
    images(tmp_path, ("cat", "dog", "owl"))
    (tmp_path / "owl").chmod(0)
    (tmp_path / "cat" / "00.png").chmod(0)
    if os.access(tmp_path / "owl", os.R_OK):
        pytest.skip("who runs this may read everything")
    assert source_for(str(tmp_path)) == "sources.image_folder"
    source = ImageFolder(path=str(tmp_path))
    (tmp_path / "owl").chmod(0o700)
    assert (
        source.classes == ("cat", "dog")
        and "1 folder: can't be listed (Permission denied), such as owl/" in source.notes
    )
    assert len(source.read(torch.arange(len(source)))[1]) == len(source) and len(source.broken) == 1


def test_a_link_in_a_circle_at_the_top_is_counted(tmp_path: Path) -> None:
    (images(tmp_path) / "loop").symlink_to("loop")
    assert source_for(str(tmp_path)) == "sources.image_folder"
    assert "1 link: its target is missing, such as loop" in ImageFolder(path=str(tmp_path)).notes


@pytest.mark.parametrize(
    ("image", "label_map", "classes"),
    [
        ("images/{split}/{i}.png", "labels/{split}/{i}.png", ()),
        ("{split}/images/{i}.jpg", "{split}/Masks/{i}.png", ()),
        ("JPEGImages/{split}_{i}.jpg", "SegmentationClass/{split}_{i}.png", ()),
        ("leftImg8bit/{split}/{town}/{i}.png", "gtFine/{split}/{town}/{i}_ids.png", ("aachen", "bochum")),
    ],
)
def test_label_maps_beside_images_are_no_images(
    tmp_path: Path, image: str, label_map: str, classes: tuple[str, ...]
) -> None:
    for split, count in (("train", 6), ("val", 4)):
        for form in (image, label_map):
            places = ({"split": split, "i": i, "town": ("aachen", "bochum")[i % 2]} for i in range(count))
            pictures(*(tmp_path / form.format(**place) for place in places))
    source = ImageFolder(path=str(tmp_path))
    assert len(source) == 6 and source.classes == classes
    assert any(note.startswith("10 label maps: in a folder beside one of images") for note in source.notes)
    folders = sorted(tmp_path.iterdir())
    with tarfile.open(tmp_path / "all.tar", "w") as tar:
        for folder in folders:
            tar.add(folder, folder.name)
    shards = WebDataset(path=str(tmp_path / "all.tar"))
    assert len(shards) + len(WebDataset(path=str(tmp_path / "all.tar"), split="test")) == 10


def test_classes_that_are_called_as_folders_of_maps_are_classes(tmp_path: Path) -> None:
    assert ImageFolder(path=str(images(tmp_path, ("mask", "no_mask")))).classes == ("mask", "no_mask")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("cat.0.jpg", "cat"),
        ("great_pyrenees_12.jpg", "great_pyrenees"),
        ("n01440764_10026.JPEG", "n01440764"),
        ("obj1__0.png", "obj1"),
        ("a/dog7.png", "dog"),
        ("owl (3).png", "owl"),
        ("1.jpg", ""),
    ],
)
def test_the_class_in_a_file_name_stands_before_its_number(name: str, word: str) -> None:
    assert class_in(name) == word


def test_classes_in_file_names_are_said_and_taken_where_they_are_asked_for(tmp_path: Path) -> None:
    pictures(*(tmp_path / "train" / f"{name}.{i}.jpg" for name in ("cat", "dog") for i in range(4)))
    pictures(*(tmp_path / "test" / f"{i}.jpg" for i in range(3)))
    source = ImageFolder(path=str(tmp_path))
    said = "2 words stand before the numbers of the file names (cat, dog): data.classes: names takes them"
    assert source.labels is None and said in source.notes
    named = ImageFolder(path=str(tmp_path), classes="names")
    assert named.labels is not None and named.labels.tolist() == [0] * 4 + [1] * 4
    assert named.classes == ("cat", "dog") and said not in named.notes
    assert ImageFolder(path=str(tmp_path), split="test", classes="names").labels is None


@pytest.mark.parametrize("names", [("IMG_", "DSC_"), ("a", "b", "c", "d", "e", "f", "g", "h"), ("train_", "test_")])
def test_words_of_cameras_and_splits_and_words_that_do_not_repeat_are_no_classes(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    pictures(*(tmp_path / f"{name}{i}.jpg" for name in names for i in range(8 // len(names))))
    assert not any("data.classes" in note for note in ImageFolder(path=str(tmp_path)).notes)


def test_a_text_that_names_some_of_the_images_is_pointed_at(tmp_path: Path) -> None:
    pictures(*(tmp_path / "images" / f"{i:03}.jpg" for i in range(12)))
    (tmp_path / "labels.txt").write_text("".join(f"{i:03}.jpg {i % 2}\n" for i in range(6)))
    (tmp_path / "README.txt").write_text("Twelve images.")
    notes = ImageFolder(path=str(tmp_path)).notes
    assert "1 text file: names these images; for labels in it, give it as the path, such as labels.txt" in notes
    assert "1 .txt file: not an image that is read, such as README.txt" in notes


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A folder with an image 1,200 folders below; it is taken away level by level, for others do so by recursion."""
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1_200):
        os.mkdir("a", dir_fd=here)
        below = os.open("a", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    with os.fdopen(os.open("x.png", os.O_WRONLY | os.O_CREAT, dir_fd=here), "wb") as file:
        file.write(png(7))
    os.close(here)
    yield tmp_path
    while (tmp_path / "a" / "a").is_dir():
        (tmp_path / "a" / "a").rename(tmp_path / "b")
        (tmp_path / "a").rmdir()
        (tmp_path / "b").rename(tmp_path / "a")


def test_folders_in_folders_a_thousand_times_are_read(deep: Path) -> None:
    assert len(ImageFolder(path=str(deep))) == 1


def test_a_pipe_is_no_shard_and_is_counted(tmp_path: Path) -> None:
    images(tmp_path)
    os.mkfifo(tmp_path / "a.parquet")
    assert source_for(str(tmp_path)) == "sources.image_folder"
    assert "1 device or pipe: not a file, such as a.parquet" in ImageFolder(path=str(tmp_path)).notes


def test_names_in_a_tar_that_lead_out_of_it_say_no_class(tmp_path: Path) -> None:
    files = {f"/data/{name}/{i}.png": png(i) for name in ("cat", "dog") for i in range(6)}
    source = WebDataset(path=str(shard(tmp_path / "a.tar", {**files, "../x.png": png(9)})))
    assert source.classes == ("cat", "dog")


def test_masks_that_are_named_after_an_image_beside_them_are_no_images(tmp_path: Path) -> None:
    for name in ("benign", "malignant"):
        pictures(*(tmp_path / name / f"{name} ({i}).png" for i in range(5)))
        pictures(
            *(tmp_path / name / f"{name} ({i})_mask{part}.png" for i in range(5) for part in ("", "_1")[: 1 + i % 2])
        )
    pictures(tmp_path / "benign" / "face_mask.png")  # whose image is not there: it is one itself
    source = ImageFolder(path=str(tmp_path))
    assert len(source) == 10 and source.classes == ("benign", "malignant")
    assert any(note.startswith("14 label maps: beside the image of its name, no image") for note in source.notes)


def test_a_text_of_val_says_nothing_of_test_images_of_the_same_names(tmp_path: Path) -> None:
    images(tmp_path / "train")
    pictures(*(tmp_path / split / f"{i}.png" for split in ("val", "test") for i in range(4)))
    (tmp_path / "val" / "annotations.txt").write_text("".join(f"{i}.png {('cat', 'dog')[i % 2]}\n" for i in range(4)))
    test = ImageFolder(path=str(tmp_path), split="test")
    assert test.files[0].startswith("val/") and test.labels is not None and test.labels.tolist() == [0, 1, 0, 1]
    assert (
        "splits: train 12 images; val 4 images, held out; test 4 images, not used (they have no labels)" in test.notes
    )


def test_a_copy_of_the_class_folders_beside_them_is_no_class_and_is_not_read_twice(tmp_path: Path) -> None:
    images(tmp_path, ("no", "yes"), each=10), images(tmp_path / "brain_tumor_dataset", ("no", "yes"), each=10)
    train, test = ImageFolder(path=str(tmp_path)), ImageFolder(path=str(tmp_path), split="test")
    assert (len(train), len(test), train.classes) == (18, 2, ("no", "yes"))
    assert not {name for name in (*train.files, *test.files) if name.startswith("brain")}
    said = "20 images: in a copy of the folders beside it, not read twice, such as brain_tumor_dataset/no"
    assert said in train.notes and test.labels is not None and test.labels.tolist() == [0, 1]


def test_a_class_with_folders_of_other_names_is_no_copy(tmp_path: Path) -> None:
    images(tmp_path, ("cat/a", "cat/b", "dog", "owl"))
    assert ImageFolder(path=str(tmp_path)).classes == ("cat", "dog", "owl")
