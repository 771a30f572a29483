"""Texts beside images that say their classes and splits, in the forms in which published data sets have them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from scipy.io import savemat
from tars import png

from sslgraph.components.sources.image_folder import ImageFolder
from sslgraph.components.sources.listed import Listed
from sslgraph.components.sources.tables.label_column import label_column, one_hot
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.request import source_for

COUNT = 24


def images(folder: Path, names: Iterable[str], first: int = 0) -> list[str]:
    """Pictures that are told by their brightness, which counts from `first`."""
    made = list(names)
    for i, name in enumerate(made):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png(first + i))
    return made


def write(path: Path, lines: Iterable[str]) -> None:
    """Lines in an order of their own, for no list is in that of the images."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head, *rest = lines
    random.Random(0).shuffle(rest)
    path.write_text("\n".join([head, *rest]))


def found(folder: Path, split: str = "train") -> dict[int, str | int | None]:
    """The class of each image by its brightness: its name, or its number where classes have none."""
    source = ImageFolder(path=str(folder), split=split)  # type: ignore[arg-type]
    pixels, index = source.read(torch.arange(len(source)))
    numbers = [-1] * len(index) if source.labels is None else source.labels[index].tolist()
    named = [None if i < 0 else source.classes[i] if source.classes else i for i in numbers]
    return {int(image.float().mean()): name for image, name in zip(pixels, named, strict=True)}


def notes(folder: Path) -> tuple[str, ...]:
    return ImageFolder(path=str(folder)).notes


def everyone(folder: Path) -> dict[int, str | int | None]:
    return found(folder) | found(folder, "test")


@pytest.mark.parametrize(
    ("text", "head", "line"),
    [
        ("labels.csv", "id,breed", "{stem},{word}"),
        ("labels.csv", "picture;what it shows", "images/{name};{word}"),
        ("meta.csv", "file,age,species,genus,width", "{name},{third},{word},{genus},8"),
        ("list.txt", "# name class", "{name} {number}"),
        ("annotations/list.txt", "#Image CLASS-ID SPECIES BREED", "{stem} {number} {half} {half}"),
        ("one_hot.csv", "image_id,cat,dog,eel", "{stem},{hot}"),
        ("labels.tsv", "image\tlabel\tsource", "{name}\t{word}\tweb"),
        ("all.json", "", ""),
    ],
)
def test_images_in_one_folder_have_the_classes_that_a_text_of_any_form_says(
    tmp_path: Path, text: str, head: str, line: str
) -> None:
    names = images(tmp_path / "images", (f"im{i:03}.png" for i in range(COUNT)))
    words, its = ("cat", "dog", "eel"), []
    for i, name in enumerate(names):
        hot = ",".join(str(int(i % 3 == k)) for k in range(3))
        its.append(line.format(name=name, stem=name[:-4], word=words[i % 3], number=i % 3 + 1, half=1 + (i % 3 > 0),
                               genus="a" if i % 3 else "b", third=i / 3, hot=hot))  # fmt: skip
    write(tmp_path / text, [head, *its])
    if text == "all.json":
        rows = ", ".join(f'{{"file": "{name}", "label": "{words[i % 3]}"}}' for i, name in enumerate(names))
        (tmp_path / text).write_text(f"[{rows}]")
    numbered = text.endswith(".txt")
    assert source_for(str(tmp_path)) == "sources.image_folder"
    assert everyone(tmp_path) == {i: i % 3 + 1 if numbered else words[i % 3] for i in range(COUNT)}
    said = [note for note in notes(tmp_path) if note.startswith("1 text: used for labels (")]
    assert len(said) == 1 and said[0].endswith(f"), such as {text}")


def test_the_lists_of_the_oxford_pets_say_classes_and_splits(tmp_path: Path) -> None:
    names = images(tmp_path / "images", (f"{'Beagle' if i % 2 else 'Abyssinian'}_{i}.png" for i in range(COUNT)))
    images(tmp_path / "annotations/trimaps", names)
    lines = [f"{name[:-4]} {1 + i % 2} {1 + i % 2} 1" for i, name in enumerate(names)]
    write(tmp_path / "annotations/trainval.txt", lines[:16])
    write(tmp_path / "annotations/test.txt", lines[16:])
    write(tmp_path / "annotations/list.txt", ["#Image CLASS-ID SPECIES BREED ID", *lines])
    assert found(tmp_path) == {i: 1 + i % 2 for i in range(16)}
    assert found(tmp_path, "test") == {i: 1 + i % 2 for i in range(16, COUNT)}
    assert "splits: train 16 images; test 8 images, held out" in notes(tmp_path)
    assert "1 text: used for labels (2), such as annotations/list.txt" in notes(tmp_path)


@pytest.mark.parametrize("is_flat", [False, True])
def test_texts_that_number_the_images_are_joined_as_those_of_the_cub_birds_are(tmp_path: Path, is_flat: bool) -> None:
    birds = ["001.Albatross", "002.Bunting"]
    folders = ["" if is_flat else f"{birds[i % 2]}/" for i in range(COUNT)]
    names = images(tmp_path / "images", (f"{folders[i]}{birds[i % 2][4:]}_{i:04}.png" for i in range(COUNT)))
    write(tmp_path / "images.txt", (f"{i + 1} {name}" for i, name in enumerate(names)))
    write(tmp_path / "image_class_labels.txt", (f"{i + 1} {1 + i % 2}" for i in range(COUNT)))
    write(tmp_path / "train_test_split.txt", (f"{i + 1} {int(i < 16)}" for i in range(COUNT)))
    write(tmp_path / "bounding_boxes.txt", (f"{i + 1} {i * 1.5} 2.0 {9 + i}.0 7.0" for i in range(COUNT)))
    write(tmp_path / "classes.txt", (f"{i + 1} {name}" for i, name in enumerate(birds)))
    assert found(tmp_path) == {i: 1 + i % 2 if is_flat else birds[i % 2] for i in range(16)}
    assert sorted(found(tmp_path, "test")) == list(range(16, COUNT))
    assert "1 text: used for the splits, such as train_test_split.txt" in notes(tmp_path)


def test_the_ground_truth_of_imagenets_devkit_is_by_order_and_named_by_its_table_of_classes(
    tmp_path: Path,
) -> None:
    wnids = ["n03", "n01", "n02"]  # by their numbers, which are not the order of the alphabet
    for k, wnid in enumerate(wnids):
        images(tmp_path / "train" / wnid, (f"{wnid}_{i}.png" for i in range(4)), 4 * k)
    images(tmp_path / "val", (f"ILSVRC2012_val_{i + 1:08}.png" for i in range(9)), 100)
    devkit = tmp_path / "ILSVRC2012_devkit_t12/data"
    devkit.mkdir(parents=True)
    (devkit / "ILSVRC2012_validation_ground_truth.txt").write_text("".join(f"{i % 3 + 1}\n" for i in range(9)))
    kinds = [("ILSVRC2012_ID", "f8"), ("WNID", "O"), ("words", "O")]
    synsets = np.array([(k + 1, wnid, f"word {k}") for k, wnid in enumerate(wnids)], dtype=kinds)
    assert set(found(tmp_path, "test").values()) == {None}  # nothing says what the numbers mean
    savemat(devkit / "meta.mat", {"synsets": synsets})
    assert found(tmp_path, "test") == {100 + i: wnids[i % 3] for i in range(9)}
    assert any("1 text: used for labels of val" in note for note in notes(tmp_path))


def test_the_mat_files_of_the_flowers_and_the_cars_are_read(tmp_path: Path) -> None:
    flowers, cars = tmp_path / "flowers", tmp_path / "cars"
    images(flowers / "jpg", (f"image_{i + 1:05}.png" for i in range(COUNT)))
    savemat(flowers / "imagelabels.mat", {"labels": np.array([[i % 4 + 1 for i in range(COUNT)]], dtype=np.uint8)})
    ids = {"trnid": range(1, 13), "valid": range(13, 19), "tstid": range(19, 25)}
    savemat(flowers / "setid.mat", {name: np.array([list(its)], dtype=np.uint16) for name, its in ids.items()})
    assert source_for(str(flowers)) == "sources.image_folder"
    assert found(flowers) == {i: i % 4 + 1 for i in range(12)}
    assert found(flowers, "test") == {i: i % 4 + 1 for i in range(18, 24)}
    for split, first in (("train", 0), ("test", 50)):
        names = images(cars / f"cars_{split}", (f"{i + 1:05}.png" for i in range(12)), first)
        kinds = [("bbox_x1", "f8"), ("class", "f8"), ("fname", "O")]
        rows = np.array([(i, (i + first) % 3 + 1, name) for i, name in enumerate(names)], dtype=kinds)
        (cars / "devkit").mkdir(exist_ok=True)
        savemat(cars / "devkit" / f"cars_{split}_annos.mat", {"annotations": rows})
    assert found(cars) == {i: i % 3 + 1 for i in range(12)}
    assert found(cars, "test") == {50 + i: (i + 50) % 3 + 1 for i in range(12)}


def test_columns_of_equal_length_in_a_mat_file_are_a_table(tmp_path: Path) -> None:
    """The Stanford Dogs': train_list.mat has a list of files and one of numbers."""
    names = images(tmp_path / "Images", (f"n02-{'ab'[i % 2]}x/n_{i}.png" for i in range(COUNT)))
    for split, its in (("train", range(16)), ("test", range(16, COUNT))):
        files = np.array([[names[i]] for i in its], dtype=object)
        numbers = np.array([[1 + i % 2] for i in its], dtype=np.uint8)
        savemat(tmp_path / f"{split}_list.mat", {"file_list": files, "labels": numbers})
    assert found(tmp_path) == {i: f"n02-{'ab'[i % 2]}x" for i in range(16)}
    assert sorted(found(tmp_path, "test")) == list(range(16, COUNT))


def test_lines_by_order_are_not_names_and_objects_stand_behind_files(tmp_path: Path) -> None:
    names = images(tmp_path / "lines", (f"{i}.png" for i in range(COUNT)))
    (tmp_path / "lines" / "labels.txt").write_text("".join(f"{i % 3}\n" for i in range(COUNT)))
    by_number = {int(name[:-4]): i for i, name in enumerate(names)}
    assert everyone(tmp_path / "lines") == {i: i % 3 for i in by_number}
    images(tmp_path / "object", names)
    rows = ", ".join(f'"{name}": {{"label": "{"ab"[i % 2]}", "x": 1}}' for i, name in enumerate(names))
    (tmp_path / "object" / "labels.json").write_text(f"{{{rows}}}")
    assert everyone(tmp_path / "object") == {i: "ab"[i % 2] for i in range(COUNT)}


def test_of_several_rows_of_an_image_a_label_counts_where_all_agree(tmp_path: Path) -> None:
    names = images(tmp_path / "Images", (f"{i:02}.png" for i in range(COUNT)))
    captions = (f"{name},A {'ab'[i % 2]} {k}" for i, name in enumerate(names) for k in range(3))
    write(tmp_path / "captions.txt", ["image,caption", *captions])
    assert everyone(tmp_path) == dict.fromkeys(range(COUNT))
    rows = [f"{name},{'ab'[i % 2] if i < 22 else 'ab'[k]},{k}" for i, name in enumerate(names) for k in (0, 1)]
    write(tmp_path / "boxes.csv", ["image,LabelName,x", *rows])
    source = ImageFolder(path=str(tmp_path))
    assert "1 text: used for labels (LabelName), such as boxes.csv" in source.notes
    assert everyone(tmp_path) == {i: "ab"[i % 2] if i < 22 else None for i in range(COUNT)}


def test_a_table_for_training_and_a_folder_without_labels_are_kaggles(tmp_path: Path) -> None:
    names = images(tmp_path / "train", (f"{i:03}.png" for i in range(COUNT)))
    images(tmp_path / "test", names[:6], 100)
    write(tmp_path / "train.csv", ["image_id,label", *(f"{name[:-4]},{i % 3}" for i, name in enumerate(names))])
    write(tmp_path / "test.csv", ["image_id", *(name[:-4] for name in names[:6])])
    write(tmp_path / "sample_submission.csv", ["image_id,label", *(f"{name[:-4]},0" for name in names[:6])])
    assert found(tmp_path) == {i: i % 3 for i in range(COUNT)}
    assert found(tmp_path, "test") == {100 + i: None for i in range(6)}


def test_tables_of_a_column_for_each_class_belong_together_though_held_out_images_are_of_fewer(tmp_path: Path) -> None:
    for split, first, kinds in (("train", 0, 3), ("test", 100, 2)):
        names = images(tmp_path / split, (f"{split}{i:02}.png" for i in range(COUNT)), first)
        hot = (",".join("01"[k == i % kinds] for k in range(3)) for i in range(COUNT))
        write(tmp_path / f"{split}.csv", ["image,cat,dog,eel", *map(",".join, zip(names, hot, strict=True))])
    assert found(tmp_path) == {i: ("cat", "dog", "eel")[i % 3] for i in range(COUNT)}
    assert found(tmp_path, "test") == {100 + i: ("cat", "dog")[i % 2] for i in range(COUNT)}
    assert "2 texts: used for labels (a column for each class), such as test.csv" in notes(tmp_path)
    assert "labels: a column for each of 3 classes" in Listed(path=f"{tmp_path}/{{train,test}}.csv").notes


@pytest.mark.parametrize("held_out", ["val.txt", "testing_list.txt"])
def test_lists_of_held_out_images_divide_folders_of_classes(tmp_path: Path, held_out: str) -> None:
    names = images(tmp_path / "images", (f"{'ab'[i % 2]}{i % 2}/{i // 2:02}.png" for i in range(COUNT)))
    write(tmp_path / "meta" / held_out, (name[:-4] for name in names[18:]))
    assert sorted(found(tmp_path)) == list(range(18)) and sorted(found(tmp_path, "test")) == list(range(18, 24))


def test_rows_of_images_that_are_not_there_are_counted_and_a_parquet_table_is_read(tmp_path: Path) -> None:
    names = images(tmp_path / "csv", (f"{i:03}.png" for i in range(COUNT)))
    write(tmp_path / "csv/labels.csv", ["file,label", *(f"{i:03}.png,{'ab'[i % 2]}" for i in range(COUNT + 3))])
    assert "3 lines: names no image that is there, in labels.csv, such as 0" in "".join(notes(tmp_path / "csv"))
    images(tmp_path / "parquet", names)
    rows = {"file_name": names, "label": [i % 2 for i in range(COUNT)], "text": ["a"] * COUNT}
    pq.write_table(pa.table(rows), tmp_path / "parquet/metadata.parquet")
    assert everyone(tmp_path / "parquet") == {i: i % 2 for i in range(COUNT)}


def test_of_several_groups_of_lists_the_finest_classes_count_and_a_class_may_have_several_words(tmp_path: Path) -> None:
    """FGVC-Aircraft: manufacturers, and variants such as A300 B4, in a list for each split."""
    names = images(tmp_path / "images", (f"{1000 + i}.png" for i in range(COUNT)))
    variants = ["707-320", "A300 B4", "Boeing 717"]
    for split, its in (("train", range(16)), ("test", range(16, COUNT))):
        write(tmp_path / f"images_{split}.txt", (names[i][:-4] for i in its))
        write(tmp_path / f"images_variant_{split}.txt", (f"{names[i][:-4]} {variants[i % 3]}" for i in its))
        write(
            tmp_path / f"images_maker_{split}.txt", (f"{names[i][:-4]} {'Airbus' if i % 3 == 1 else 'B'}" for i in its)
        )
    assert found(tmp_path) == {i: variants[i % 3] for i in range(16)}
    assert found(tmp_path, "test") == {i: variants[i % 3] for i in range(16, COUNT)}


def test_numbers_of_classes_in_folders_of_initials_are_those_of_places(tmp_path: Path) -> None:
    names = ["abbey", "bridge", "canyon"]
    for k, name in enumerate(names):
        images(tmp_path / "train" / name[0] / name, (f"{i}.png" for i in range(4)), 4 * k)
    images(tmp_path / "val", (f"Places365_val_{i:08}.png" for i in range(9)), 100)
    write(tmp_path / "places365_val.txt", (f"Places365_val_{i:08}.png {i % 3}" for i in range(9)))
    write(tmp_path / "categories_places365.txt", (f"/{name[0]}/{name} {k}" for k, name in enumerate(names)))
    assert found(tmp_path, "test") == {100 + i: names[i % 3] for i in range(9)}


def test_the_column_of_a_text_beside_images_can_be_named(tmp_path: Path) -> None:
    names = images(tmp_path / "cat", (f"{i}.png" for i in range(COUNT)))
    images(tmp_path / "dog", names, 50)
    rows = (f"{folder}/{name},{i % 2}.5,{'xyz'[i % 3]}" for folder in ("cat", "dog") for i, name in enumerate(names))
    write(tmp_path / "t.csv", ["file,age,origin", *rows])
    source = ImageFolder(path=str(tmp_path), label="origin")
    assert source.classes == ("x", "y", "z") and "1 text: used for labels (origin), such as t.csv" in source.notes
    assert ImageFolder(path=str(tmp_path)).classes == ("cat", "dog")
    with pytest.raises(SslgraphError, match=r"in a column 'kind' \(data\.label\); there are: age, origin"):
        ImageFolder(path=str(tmp_path), label="kind")


def test_of_several_divisions_the_first_counts(tmp_path: Path) -> None:
    """DTD has ten; an image of train1.txt is one of test2.txt."""
    names = images(tmp_path / "images", (f"{'ab'[i % 2]}{i % 2}/{i // 2:02}.png" for i in range(COUNT)))
    for fold, start in ((1, 0), (2, 8)):
        write(tmp_path / f"labels/test{fold}.txt", names[start : start + 8])
        write(tmp_path / f"labels/train{fold}.txt", names[:start] + names[start + 8 :])
    assert sorted(found(tmp_path, "test")) == list(range(8)) and len(found(tmp_path)) == 16


def test_partitions_attributes_boxes_and_one_text_for_each_image_are_no_classes(tmp_path: Path) -> None:
    names = images(tmp_path / "img", (f"{i + 1:06}.png" for i in range(COUNT)))
    write(tmp_path / "list_eval_partition.txt", (f"{name} {i // 8}" for i, name in enumerate(names)))
    write(tmp_path / "list_attr.txt", (f"{name} {(-1) ** i} {(-1) ** (i // 2)} 1" for i, name in enumerate(names)))
    write(tmp_path / "list_bbox.txt", (f"{name} {i} {i % 5} {i % 7} 9" for i, name in enumerate(names)))
    for name in names:
        (tmp_path / "img" / name.replace(".png", ".txt")).write_text("0 .5 .5 .1 .1")
    assert found(tmp_path) == dict.fromkeys(range(8)) and found(tmp_path, "test") == dict.fromkeys(range(16, 24))


def test_labels_of_a_few_images_and_of_unordered_names_are_not_taken(tmp_path: Path) -> None:
    names = images(tmp_path / "a", (f"x{i}.png" for i in (*range(12), 40)))
    write(tmp_path / "some.csv", ["file,label", *(f"{name},{i % 2}" for i, name in enumerate(names[:6]))])
    (tmp_path / "labels.txt").write_text("".join(f"{i % 2}\n" for i in range(13)))  # numbers have a gap
    assert set(everyone(tmp_path).values()) == {None}


def test_the_column_of_classes_is_told_by_its_name_or_by_what_follows_from_it() -> None:
    rows = [{"f": f"{i}.png", "2": str(i % 4), "3": str(i % 2), "4": str(i % 4 // 2)} for i in range(16)]
    assert label_column(rows, ["2", "3", "4"]) == "2" and label_column(rows, ["3", "4"]) is None
    named = [{"dx": "ab"[i % 2], "sex": "mf"[i // 8], "class": f"c{i % 4}", "family": i % 2} for i in range(16)]
    assert label_column(named, ["dx", "sex"]) is None and label_column(named, ["dx", "sex", "class"]) == "class"
    hot = [{"healthy": "1.0", "rust": "0.0"}, {"healthy": "0", "rust": "1"}]
    assert one_hot(hot, ["healthy", "rust"]) == ["healthy", "rust"]
    assert one_hot([*hot, {"healthy": "1", "rust": "1"}], ["healthy", "rust"]) is None


@pytest.mark.parametrize("ending", ["txt", "csv"])
def test_a_number_in_front_of_a_path_is_not_the_image_that_is_called_so(tmp_path: Path, ending: str) -> None:
    """The CUB's lists number images from 1, and here the images are called from 0."""
    names = images(tmp_path / "images", (f"{i}.png" for i in range(COUNT)))
    lines = [(f"{i + 1}", f"images/{name}", "abc"[i % 3]) for i, name in enumerate(names)]
    if ending == "txt":
        write(tmp_path / "images.txt", (f"{number} {path}" for number, path, _ in lines))
        write(tmp_path / "image_class_labels.txt", (f"{number} {word}" for number, _, word in lines))
    else:
        write(tmp_path / "images.csv", ["id,file,class", *map(",".join, lines)])
    assert everyone(tmp_path) == {i: "abc"[i % 3] for i in range(COUNT)}


@pytest.mark.parametrize(
    ("head", "line"), [("id,age,breed", "{i},{other},{word}"), ("image,like,breed", "{i}.png,{other}.png,{word}")]
)
def test_the_first_column_that_names_images_does_though_a_later_one_names_more(
    tmp_path: Path, head: str, line: str
) -> None:
    """Of two rows the image is not there, and each image's age, or the image that is like it, is one that is there."""
    names = images(tmp_path / "images", (f"{i}.png" for i in range(COUNT)))
    (tmp_path / "images" / names[3]).unlink(), (tmp_path / "images" / names[7]).unlink()
    lines = (line.format(i=i, other=8 + i % 4, word="cat" if i < 12 else "dog") for i in range(COUNT))
    write(tmp_path / "labels.csv", [head, *lines])
    assert everyone(tmp_path) == {i: "cat" if i < 12 else "dog" for i in range(COUNT) if i not in (3, 7)}


def test_a_column_of_files_says_no_classes(tmp_path: Path) -> None:
    names = images(tmp_path, (f"{i}.png" for i in range(COUNT)))
    write(tmp_path / "pairs.csv", ["file,label", *(f"{name},{names[i // 2]}" for i, name in enumerate(names))])
    assert set(everyone(tmp_path).values()) == {None}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("polys.json", "[[1, 2], [3, 4]]"),
        ("lines.jsonl", "[1, 2]\n[3]\n"),
        ("nothing.json", "[null, 1.5, true, {}]"),
        ("coco.json", '{"images": [{"id": [1], "file_name": null}], "annotations": [{"image_id": [1]}]}'),
        ("kinds.json", '{"images": [{"id": 1}], "annotations": [{"image_id": 1, "category_id": [2]}]}'),
        ("classes.json", '{"images": [], "annotations": [], "categories": [{"id": {}, "name": 1}]}'),
    ],
)
def test_a_text_of_some_other_use_beside_images_is_no_error(tmp_path: Path, name: str, content: str) -> None:
    images(tmp_path, (f"{i}.png" for i in range(COUNT)))
    (tmp_path / name).write_text(content)
    assert everyone(tmp_path) == dict.fromkeys(range(COUNT))
