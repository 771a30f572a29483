"""Lists and tables that name images, in the forms in which people have them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from command import Command
from command import sslgraph as sslgraph
from tars import png

from sslgraph.components.sources.image_folder import ImageFolder
from sslgraph.components.sources.listed import Listed
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.request import source_for

COUNT = 24


def images(folder: Path, count: int = COUNT, first: int = 0) -> list[str]:
    """Pictures that are told by their brightness, and their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        (folder / f"im{i:03}.png").write_bytes(png(first + i))
    return [f"im{i:03}.png" for i in range(count)]


def found(source: Listed) -> dict[int, int | None]:
    """The label of each image, by its brightness."""
    pixels, index = source.read(torch.arange(len(source)))
    labels = [None] * len(index) if source.labels is None else source.labels[index].tolist()
    return {int(image.float().mean()): label for image, label in zip(pixels, labels, strict=True)}


def everyone(text: Path, **settings: object) -> dict[int, int | None]:
    """The same of training and held-out images together."""
    parts = [found(Listed(path=str(text), split=split, **settings)) for split in ("train", "test")]  # type: ignore[arg-type]
    return parts[0] | parts[1]


def coco(names: Sequence[str], each: Callable[[int], Sequence[int]]) -> str:
    return json.dumps({
        "images": [{"id": 7 * i, "file_name": name, "width": 8} for i, name in enumerate(names)],
        "annotations": [{"image_id": 7 * i, "category_id": 10 * k} for i in range(len(names)) for k in each(i)],
        "categories": [{"id": 10 * k, "name": "abc"[k]} for k in range(3)],
    })  # fmt: skip


FORMS: dict[str, tuple[str, Callable[[Sequence[str]], str | bytes]]] = {
    "class numbers behind": ("l.txt", lambda n: "# mine\n\n" + "\n".join(f"{x} {i % 2}" for i, x in enumerate(n))),
    "words behind a tab": ("l.txt", lambda n: "\r\n".join(f"{x}\t{'ab'[i % 2]}" for i, x in enumerate(n))),
    "mxnet's": ("l.lst", lambda n: "\n".join(f"{i}\t{i % 2}\t{x}" for i, x in enumerate(n))),
    "a table": ("l.csv", lambda n: "filename,label\n" + "".join(f"{x},{i % 2}\n" for i, x in enumerate(n))),
    "words in front": ("l.txt", lambda n: "\n".join(f"{'ab'[i % 2]} {x}" for i, x in enumerate(n))),
    "labels with fields": (
        "l.json", lambda n: json.dumps([{"file": x, "label": {"id": i % 2}} for i, x in enumerate(n)]),
    ),
    "files by class": ("l.json", lambda n: json.dumps({"a": list(n[::2]), "b": list(n[1::2])})),
    "Excel's": (
        "l.csv", lambda n: ("Bild;label\n" + "".join(f"{x};{i % 2}\n" for i, x in enumerate(n))).encode("utf-16"),
    ),
    "quoted": (
        "l.csv", lambda n: "\ufefftext,path,label\n" + "".join(f'"a, b\nc",{x},{i % 2}\n' for i, x in enumerate(n)),
    ),
    "without a head": ("l.csv", lambda n: "".join(f"{x},{i % 2}\n" for i, x in enumerate(n))),
    "Kaggle's": ("l.csv", lambda n: "id,breed\n" + "".join(f"{x[:-4]},{'ab'[i % 2]}\n" for i, x in enumerate(n))),
    "pandas'": ("l.tsv", lambda n: "\tpath\tlabel\n" + "".join(f"{i}\t{x}\t{i % 2}\n" for i, x in enumerate(n))),
    "a row for each box": (
        "l.csv", lambda n: "path,label,x\n" + "".join(f"{x},{i % 2},{k}\n" for i, x in enumerate(n) for k in (0, 1)),
    ),
    "lines of JSON": (
        "l.jsonl", lambda n: "\n".join(json.dumps({"image": x, "label": "ab"[i % 2]}) for i, x in enumerate(n)),
    ),
    "an object": ("l.json", lambda n: json.dumps({x: i % 2 for i, x in enumerate(n)})),
    "iNaturalist's": ("l.json", lambda n: coco(n, lambda i: [i % 2])),
}  # fmt: skip


@pytest.mark.parametrize("below", ["", "deep/er"])
@pytest.mark.parametrize("form", FORMS)
def test_each_form_gives_every_image_its_own_label(form: str, below: str, tmp_path: Path) -> None:
    names = images(tmp_path / below)
    file, write = FORMS[form]
    written = write([f"{below}/{name}" if below and form != "Kaggle's" else name for name in names])
    (tmp_path / file).write_bytes(written if isinstance(written, bytes) else written.encode())
    assert source_for(str(tmp_path / file)) == "sources.listed"
    assert everyone(tmp_path / file) == {i: i % 2 for i in range(COUNT)}


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("id,age,breed", "{i},{other},{word}"),
        ("image,like,breed", "{i}.png,{other}.png,{word}"),
        ("row,image,breed", "{next},{i}.png,{word}"),
    ],
)
def test_the_first_column_that_names_images_does_though_numbers_or_other_images_stand_in_more_rows(
    tmp_path: Path, head: str, line: str
) -> None:
    for i, name in enumerate(images(tmp_path / "images")):
        (tmp_path / "images" / name).rename(tmp_path / "images" / f"{i}.png")
    (tmp_path / "images/3.png").unlink(), (tmp_path / "images/7.png").unlink()
    lines = (line.format(i=i, next=i + 1, other=8 + i % 4, word="cat" if i < 12 else "dog") for i in range(COUNT))
    (tmp_path / "t.csv").write_text("\n".join([head, *lines]))
    assert everyone(tmp_path / "t.csv") == {i: int(i >= 12) for i in range(COUNT) if i not in (3, 7)}


def test_paths_alone_have_the_labels_of_their_folders_and_those_elsewhere_are_read(tmp_path: Path) -> None:
    lines = [
        f"../set/{c}/{name}" for i, c in enumerate(("cat", "dog")) for name in images(tmp_path / "set" / c, 6, 6 * i)
    ]
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/a.txt").write_text("\n".join([*lines[:6], *(str(tmp_path / "lists" / x) for x in lines[6:])]))
    assert everyone(tmp_path / "lists/a.txt") == {i: i // 6 for i in range(12)}
    assert Listed(path=str(tmp_path / "lists/a.txt")).classes == ("cat", "dog")


def test_splits_are_a_column_or_the_names_of_several_lists(tmp_path: Path) -> None:
    names = images(tmp_path)
    rows = (f"{x},{i % 2},{'train' if i < 20 else 'val'}\n" for i, x in enumerate(names))
    (tmp_path / "t.csv").write_text("path,label,split\n" + "".join(rows))
    assert sorted(found(Listed(path=str(tmp_path / "t.csv"), split="test"))) == [20, 21, 22, 23]
    (tmp_path / "train.txt").write_text("\n".join(names[:9]))
    (tmp_path / "val.txt").write_text("\n".join(names[9:]))
    several = str(tmp_path / "{train,val}.txt")
    assert [len(Listed(path=several, split=split)) for split in ("train", "test")] == [9, 15]  # type: ignore[arg-type]
    assert len(Listed(path=str(tmp_path / "val.txt"))) == 14  # alone it is a set, of which a tenth is held out


def test_a_table_whose_images_are_not_there_takes_no_labels_from_the_others(tmp_path: Path) -> None:
    for split, names in (("train", images(tmp_path)), ("test", [f"gone{i}.png" for i in range(COUNT)])):
        rows = (f"{'ab'[i % 2]},{name}" for i, name in enumerate(names))
        (tmp_path / f"{split}.csv").write_text("\n".join(["label,file", *rows]))
    assert everyone(tmp_path / "{train,test}.csv") == {i: i % 2 for i in range(COUNT)}


def test_the_table_beside_images_of_the_datasets_library_is_read(tmp_path: Path) -> None:
    for split, first in (("train", 0), ("test", 50)):
        names = images(tmp_path / split, first=first)
        rows = [f"{name},{i % 3}" for i, name in enumerate(names[:22])]
        (tmp_path / split / "metadata.csv").write_text("\n".join(["file_name,label", *rows, "../../secret.png,1"]))
    (tmp_path.parent / "secret.png").write_bytes(png(99))
    assert source_for(str(tmp_path)) == "sources.listed"
    assert found(Listed(path=str(tmp_path), split="test")) == {50 + i: i % 3 for i in range(22)}
    notes = Listed(path=str(tmp_path)).notes
    assert "4 images: not in the table beside it, such as test/im022.png" in notes
    assert "2 lines: names no image that is there, such as ../../secret.png" in notes


def test_a_table_of_that_name_that_lists_no_files_is_let_be(tmp_path: Path) -> None:
    images(tmp_path)
    (tmp_path / "metadata.csv").write_text("camera,lens\nx,y\n")
    assert source_for(str(tmp_path)) == "sources.image_folder"
    said = "1 .csv file: not an image; if it names images, give it as the path, such as metadata.csv"
    assert said in ImageFolder(path=str(tmp_path)).notes


def test_a_label_that_is_not_one_is_said_and_another_is_chosen(tmp_path: Path) -> None:
    names = images(tmp_path)
    rows = "".join(f"{x},{i / 7},{'ab'[i % 2]}\n" for i, x in enumerate(names))
    (tmp_path / "t.csv").write_text(f"path,age,sex\n{rows}")
    source = Listed(path=str(tmp_path / "t.csv"))
    assert source.labels is None
    assert "no column is called label; there are age, sex: choose one with data.label: age" in source.notes
    assert everyone(tmp_path / "t.csv", label="sex") == {i: i % 2 for i in range(COUNT)}
    with pytest.raises(SslgraphError, match=r"has no column 'sexe' \(data\.label\); there are: age, sex$"):
        Listed(path=str(tmp_path / "t.csv"), label="sexe")
    (tmp_path / "several.json").write_text(coco(names, lambda i: [0, 1] if i % 2 else [2]))
    assert everyone(tmp_path / "several.json") == {i: -1 if i % 2 else 0 for i in range(COUNT)}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "", r"a\.txt names no image that is there \(it has no lines\); its paths count from"),
        ("a.txt", "no.png\nneither.png", r"a\.txt names no image that is there \(2 lines, such as no\.png\)"),
        ("a.txt", "https://host/a.png", r"such as https://host/a\.png"),
        ("a.txt", "\0\x01\x02", "names no image that is there"),
        ("a.csv", "path,label\n", "it has no lines"),
        ("a.json", '{"a": {"b": 1}}', r"a\.json lists no images: it must be a list of objects"),
        ("a.jsonl", '{"a": 1}\n{b', r"a\.jsonl, line 2, can't be read as JSON"),
        ("a.json", "[" * 100_000, r"a\.json can't be read as JSON"),
    ],
)
def test_a_list_without_images_is_refused_in_a_sentence(
    name: str, text: str, message: str, tmp_path: Path, sslgraph: Command
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SslgraphError, match=message):
        Listed(path=str(tmp_path / name))
    said = sslgraph("data", str(tmp_path / name))
    assert said.code == 1 and "Traceback" not in said.err


def test_a_path_is_found_by_its_end_or_from_a_folder_above_but_never_another_folders_file(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    images(folder / "images" / "a", 6), images(folder / "images" / "b", 6, first=100)
    (folder / "ends.txt").write_text("".join(f"{c}/im{i:03}.png {n}\n" for n, c in enumerate("ab") for i in range(6)))
    above = (f"set/images/{c}/im{i:03}.png\n" for c in "ab" for i in range(6))
    (folder / "above.csv").write_text("file\n" + "".join(above))
    assert everyone(folder / "ends.txt") == dict.fromkeys(range(6), 0) | {100 + i: 1 for i in range(6)}
    assert everyone(folder / "above.csv").keys() == {*range(6), *range(100, 106)}
    (folder / "wrong.txt").write_text("c/im000.png 0\nim001.png 1\n")  # not there, and in two folders
    with pytest.raises(SslgraphError, match="names no image that is there"):
        Listed(path=str(folder / "wrong.txt"))


def test_lists_in_a_folder_of_their_own_name_the_images_beside_it_and_not_the_maps(tmp_path: Path) -> None:
    images(tmp_path / "JPEGImages", 10), images(tmp_path / "SegmentationClass", 10, first=100)
    lists = tmp_path / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("".join(f"im{i:03}\n" for i in range(6)))
    (lists / "val.txt").write_text("".join(f"im{i:03}\n" for i in range(6, 10)))
    train, test = (Listed(path=str(lists / "{train,val}.txt"), split=split) for split in ("train", "test"))
    assert (set(found(train)), set(found(test))) == (set(range(6)), set(range(6, 10)))


def test_addresses_in_a_table_are_said_not_to_be_fetched(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("url,label\nhttps://example.org/a.jpg,cat\nhttps://example.org/b.jpg,dog\n")
    with pytest.raises(SslgraphError, match="2 lines: is an address, and none is fetched: download the images"):
        Listed(path=str(tmp_path / "t.csv"))


def test_a_list_never_finds_the_images_of_the_set_beside_it(tmp_path: Path) -> None:
    images(tmp_path / "other" / "img", 10)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "t.csv").write_text("file,label\n" + "".join(f"img/im{i:03},{i % 2}\n" for i in range(10)))
    with pytest.raises(SslgraphError, match="names no image that is there"):
        Listed(path=str(tmp_path / "mine" / "t.csv"))


@pytest.mark.parametrize(
    ("head", "of"),
    [
        ("is_valid", lambda i: i >= 20),
        ("isTrain", lambda i: int(i < 20)),
        ("is_test", lambda i: "yes" if i >= 20 else "no"),
        ("Usage", lambda i: "PublicTest" if i >= 20 else "Training"),
        ("split", lambda i: "test" if i >= 20 else ("train", "unlabeled")[i % 2]),
    ],
)
def test_a_column_that_says_what_is_held_out_by_yes_or_no_or_a_word(
    tmp_path: Path, head: str, of: Callable[[int], object]
) -> None:
    names = images(tmp_path)
    rows = "".join(f"{name},{'ab'[i % 2]},{of(i)}\n" for i, name in enumerate(names))
    (tmp_path / "t.csv").write_text(f"file,kind,{head}\n{rows}")
    parts = [Listed(path=str(tmp_path / "t.csv"), split=split, label="kind") for split in ("train", "test")]
    assert [set(found(part)) for part in parts] == [set(range(20)), set(range(20, 24))]


@pytest.mark.parametrize("closing", ["", 'm003.png,"dog"\n'])
def test_a_quotation_mark_that_nothing_closes_is_refused_before_it_swallows_rows(tmp_path: Path, closing: str) -> None:
    images(tmp_path)
    (tmp_path / "t.csv").write_text('file,label\nim000.png,dog\nim001.png,"cat\nim002.png,dog\n' + closing)
    with pytest.raises(SslgraphError, match=r"t\.csv, line 3: a quotation mark opens a field there and none closes it"):
        Listed(path=str(tmp_path / "t.csv"))


def test_a_quotation_mark_inside_a_field_and_a_field_of_two_lines_are_read(tmp_path: Path) -> None:
    names = images(tmp_path)
    rows = "".join(f'{name},"{"ab"[i % 2]}"s,"1\n2"\n' for i, name in enumerate(names))
    (tmp_path / "t.csv").write_text("file,label,note\n" + rows)
    assert everyone(tmp_path / "t.csv") == {i: i % 2 for i in range(COUNT)}


def test_labels_in_the_letters_of_windows_are_read(tmp_path: Path) -> None:
    names = images(tmp_path)
    text = "file,label\n" + "".join(f"{name},{('Hündin', 'Kater')[i % 2]}\n" for i, name in enumerate(names))
    (tmp_path / "t.csv").write_bytes(text.encode("cp1252"))
    assert Listed(path=str(tmp_path / "t.csv")).classes == ("Hündin", "Kater")


def test_rows_by_split_in_json_are_divided(tmp_path: Path) -> None:
    names = images(tmp_path)
    rows = [[name, i % 2, "ab"[i % 2]] for i, name in enumerate(names)]
    (tmp_path / "l.json").write_text(json.dumps({"train": rows[:16], "val": rows[16:20], "test": rows[20:]}))
    parts = [Listed(path=str(tmp_path / "l.json"), split=split) for split in ("train", "test")]
    assert [found(part) for part in parts] == [{i: i % 2 for i in range(16)}, {i: i % 2 for i in range(20, 24)}]
    assert parts[0].classes == ("a", "b")


def test_boxes_behind_a_file_are_no_part_of_its_name(tmp_path: Path) -> None:
    names = images(tmp_path)
    (tmp_path / "l.txt").write_text("".join(f"{name} 1,2,3,4,0 5,6,7,8,1\n" for name in names))
    assert everyone(tmp_path / "l.txt") == dict.fromkeys(range(COUNT))


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    images(tmp_path)
    (tmp_path / "l.jsonl").write_text('{"file": "im000.png"}\n\n{oops\n')
    with pytest.raises(SslgraphError, match=r"^l\.jsonl, line 3, can't be read as JSON: Expecting"):
        Listed(path=str(tmp_path / "l.jsonl"))
