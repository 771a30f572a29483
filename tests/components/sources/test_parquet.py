"""Parquet shards as the Hugging Face hub has them."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from object_storage import Storage
from PIL import Image

from sslgraph.components.sources.packed import parquet_index
from sslgraph.components.sources.parquet import Parquet
from sslgraph.errors import SslgraphError, StorageError


def picture(value: int, side: int = 4) -> dict[str, object]:
    file = io.BytesIO()
    Image.new("RGB", (side, side), (value, 0, 0)).save(file, "WEBP", lossless=True)
    return {"bytes": file.getvalue(), "path": f"{value}.webp"}


def write(path: Path, values: list[int], **columns: list[object]) -> Path:
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table({"image": [picture(value) for value in values], **columns}), path)
    return path


def reds(source: Parquet, *indices: int) -> list[int]:
    return [int(image[0, 0, 0]) for image in source.read(torch.tensor(indices))[0]]


def test_splits_go_by_the_names_of_the_files_and_rows_by_their_order(tmp_path: Path) -> None:
    write(tmp_path / "train-00001-of-00002.parquet", [3, 4], label=[1, 0])
    write(tmp_path / "train-00000-of-00002.parquet", [1, 2], label=[0, 1])
    write(tmp_path / "test-00000-of-00001.parquet", [9], label=[1])
    train, test = Parquet(path=str(tmp_path)), Parquet(path=str(tmp_path), split="test")
    assert reds(train, 0, 3, 2) == [1, 4, 3] and train.size == (4, 4) and reds(test, 0) == [9]
    assert train.labels is not None and train.labels.tolist() == [0, 1, 1, 0]
    assert len(Parquet(path=str(tmp_path), limit=3)) == 3 and reds(Parquet(path=str(tmp_path), limit=3), 2) == [4]


def test_a_single_file_holds_out_a_tenth_of_its_rows(tmp_path: Path) -> None:
    file = str(write(tmp_path / "photos.parquet", list(range(20))))
    train, test = Parquet(path=file), Parquet(path=file, split="test")
    assert train.labels is None and len(train) == 18 and reds(test, 0, 1) == [0, 12]


def test_plain_bytes_and_class_names_of_the_schema_are_read(tmp_path: Path) -> None:
    about = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    table = pa.table({"img": [picture(5)["bytes"]], "label": [1]})
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(about)}), tmp_path / "train-0.parquet")
    source = Parquet(path=str(tmp_path / "train-0.parquet"))
    assert source.classes == ("cat", "dog") and reds(source, 0) == [5]


def test_a_broken_row_is_replaced_by_the_next_and_named(tmp_path: Path) -> None:
    rows = [picture(1), {"bytes": b"half", "path": ""}, {"bytes": None, "path": ""}, picture(4)]
    pq.write_table(pa.table({"image": rows}), tmp_path / "a.parquet")
    source = Parquet(path=str(tmp_path))
    assert source.read(torch.arange(4))[1].tolist() == [0, 3, 3, 3] and sorted(source.broken) == [1, 2]
    assert "train row 1: not an image" in source.broken[1] and "an empty file" in source.broken[2]


def test_images_of_many_sizes_are_a_list(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [picture(1), picture(2, side=6)]}), tmp_path / "a.parquet")
    source = Parquet(path=str(tmp_path))
    assert source.size is None and [image.shape[1] for image in source.read(torch.arange(2))[0]] == [4, 6]


def test_what_is_missing_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(SslgraphError, match=r"holds no \.parquet files; give the folder"):
        Parquet(path=str(tmp_path))
    with pytest.raises(SslgraphError, match="nowhere does not exist"):
        Parquet(path=str(tmp_path / "nowhere"))
    (tmp_path / "a.parquet").write_text("no")
    with pytest.raises(SslgraphError, match=r"a\.parquet can't be read as parquet"):
        Parquet(path=str(tmp_path))
    pq.write_table(pa.table({"text": ["x"], "label": [1]}), tmp_path / "a.parquet")
    with pytest.raises(
        SslgraphError, match=r"has no column of images; its columns are text \(string\), label \(int64\)"
    ):
        Parquet(path=str(tmp_path))


def grouped(path: Path, values: list[int], rows: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"image": [picture(value) for value in values], "label": values})
    pq.write_table(table, path, row_group_size=rows)
    return path


@pytest.mark.parametrize("form", ["s3://b/set", "{web}/b/set/{train-{0..1},test-0}.parquet"])
def test_rows_at_an_address_are_those_of_the_folder_and_each_group_is_read_once(storage: Storage, form: str) -> None:
    for name, values in (("train-0", range(20)), ("train-1", range(20, 33)), ("test-0", range(5))):
        grouped(storage.root / "b" / "set" / f"{name}.parquet", list(values), 4)
    source = Parquet(path=form.replace("{web}", storage.address))
    assert reds(source, 32, 0, 19, 20) == [32, 0, 19, 20] and source.size == (4, 4)
    assert len(source) == 33 and source._kept.read == 9
    assert reds(Parquet(path=form.replace("{web}", storage.address), split="test"), 4) == [4]


def test_storage_that_is_away_is_no_broken_row(storage: Storage) -> None:
    grouped(storage.root / "b" / "train-0.parquet", list(range(20)), 4)
    source = Parquet(path="s3://b", memory=0)
    storage.refuses = True
    with pytest.raises(StorageError, match=r"reading train-0\.parquet was refused"):
        source.read(torch.tensor([3]))
    assert source.broken == {}


def test_groups_that_do_not_fit_in_memory_are_read_again_and_give_the_same(tmp_path: Path) -> None:
    file = grouped(tmp_path / "train-0.parquet", list(range(40)), 4)
    (tmp_path / "test-0.parquet").write_bytes(file.read_bytes())
    small, large = Parquet(path=str(tmp_path), memory=0), Parquet(path=str(tmp_path))
    everyone = torch.randperm(40).tolist()
    assert reds(small, *everyone) == reds(large, *everyone) == everyone
    assert large._kept.read == 10 < small._kept.read


def test_large_groups_that_do_not_fit_are_refused_with_what_to_do(tmp_path: Path) -> None:
    rows = [{"bytes": bytes(2**18), "path": ""}] * 40
    pq.write_table(pa.table({"image": rows}), tmp_path / "a.parquet", row_group_size=20, compression="none",
                   use_dictionary=False)  # fmt: skip
    message = (
        r"here of up to 5 MiB, and all of them \(0\.0 GiB\) do not fit in memory: 0\.001 GiB\n"
        r"  prepare them once \(.*\), or write them with row groups of 15 rows; or raise memory:, "
        r"or allow it with largest_group: 6"
    )
    with pytest.raises(SslgraphError, match=message):
        Parquet(path=str(tmp_path), memory=0.001)
    assert len(Parquet(path=str(tmp_path), memory=0.001, largest_group=6)) == 36


def test_files_that_name_their_images_otherwise_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", [1])
    pq.write_table(pa.table({"img": [picture(1)]}), tmp_path / "b.parquet")
    with pytest.raises(SslgraphError, match=r"b\.parquet has its images in img\.bytes, and a\.parquet in image\.bytes"):
        Parquet(path=str(tmp_path))


def test_cifar_10_is_read_without_loss(data_root: Path) -> None:
    source = Parquet(path=str(data_root / "cifar10"), split="test", limit=200)
    pixels, _ = source.read(torch.arange(200))
    assert pixels.shape == (200, 3, 32, 32) and source.broken == {} and source.classes[3] == "cat"  # type: ignore[union-attr]
    assert source.labels is not None and set(source.labels.tolist()) == set(range(10))


@pytest.mark.parametrize("kind", ["uint8", "uint16", "uint32", "uint64", "int8", "int32", "float32", "bool_"])
def test_labels_of_every_kind_of_number_are_read(tmp_path: Path, kind: str) -> None:
    labels = pa.array([0, 1, 1]).cast(getattr(pa, kind)())
    pq.write_table(pa.table({"image": [picture(i) for i in range(3)], "label": labels}), tmp_path / "a.parquet")
    source = Parquet(path=str(tmp_path))
    assert source.labels is not None and source.labels.tolist() == [0, 1, 1]


def test_whole_numbers_are_labels_without_an_object_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_index, "of_values", None)  # which takes objects
    write(tmp_path / "a.parquet", [0, 1, 2, 3], label=[2, None, -1, 0])
    source = Parquet(path=str(tmp_path))
    assert source.labels is not None and sorted(source.labels.tolist()) == [-1, -1, 0, 2]


def test_labels_that_are_texts_are_numbered_alike_in_every_file(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [1, 2], label=["dog", "cat"])
    write(tmp_path / "test-0.parquet", [3], label=["dog"])
    train, test = Parquet(path=str(tmp_path)), Parquet(path=str(tmp_path), split="test")
    assert train.classes == test.classes == ("cat", "dog")
    assert train.labels is not None and test.labels is not None
    assert train.labels.tolist() == [1, 0] and test.labels.tolist() == [1]


@pytest.mark.parametrize("limit", [None, 4])
def test_a_file_without_labels_takes_none_of_another_file(tmp_path: Path, limit: int | None) -> None:
    write(tmp_path / "a.parquet", [0, 1, 2])
    write(tmp_path / "b.parquet", [3, 4, 5], label=[3, 4, 5])
    source = Parquet(path=str(tmp_path), limit=limit)
    assert source.labels is not None
    for value, label in zip(reds(source, *range(len(source))), source.labels.tolist(), strict=True):
        assert label == (value if value > 2 else -1)


def test_columns_that_look_like_labels_are_named_and_taken_when_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", [1, 2], class_id=[1, 0], width=[4, 4])
    said = "no column is called label; there are class_id: choose one with data.label: class_id"
    assert Parquet(path=str(tmp_path)).labels is None and said in Parquet(path=str(tmp_path)).notes
    named = Parquet(path=str(tmp_path), label="class_id")
    assert named.labels is not None and named.labels.tolist() == [1, 0]
    with pytest.raises(SslgraphError, match=r"no row of .* 'klass' \(data\.label\); there are: image "):
        Parquet(path=str(tmp_path), label="klass")


def test_names_of_any_file_and_texts_in_bytes_are_taken(tmp_path: Path) -> None:
    about = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    write(tmp_path / "a.parquet", [1], label=[1])
    named = pa.table({"image": [picture(2)], "label": [0]}).replace_schema_metadata({"huggingface": json.dumps(about)})
    pq.write_table(named, tmp_path / "b.parquet")
    assert Parquet(path=str(tmp_path)).classes == ("cat", "dog")
    write(tmp_path / "texts" / "a.parquet", [1, 2], label=[b"dog", b"cat"])
    source = Parquet(path=str(tmp_path / "texts"))
    assert source.classes == ("cat", "dog") and source.labels is not None and source.labels.tolist() == [1, 0]


def test_minus_one_is_no_label(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [1, 2], label=[1, 0]), write(tmp_path / "test-0.parquet", [3], label=[-1])
    test = Parquet(path=str(tmp_path), split="test")
    assert test.labels is None and test.notes == (
        "splits: train 2 images; test 1 image, held out (they have no labels)",
    )


def test_bytes_that_are_no_images_are_passed_over(tmp_path: Path) -> None:
    table = pa.table({"hash": [b"\x01\x02", b"\x03"], "picture": [picture(7)["bytes"], picture(8)["bytes"]]})
    pq.write_table(table, tmp_path / "a.parquet")
    pq.write_table(pa.table({"file_name": ["a"]}), tmp_path / "b.parquet")
    source = Parquet(path=str(tmp_path))
    assert reds(source, 0, 1) == [7, 8] and "1 .parquet file: no column of images, such as b.parquet" in source.notes


@pytest.mark.parametrize(
    ("column", "classes"),
    [
        ([{"id": i % 2, "name": "ab"[i % 2]} for i in range(20)], ("a", "b")),
        ([[i % 2] for i in range(20)], ()),
        (pa.array(["ab"[i % 2] for i in range(20)]).dictionary_encode(), ("a", "b")),
    ],
)
def test_a_label_in_a_struct_or_a_list_of_one_is_read(
    column: list[object], classes: tuple[str, ...], tmp_path: Path
) -> None:
    source = Parquet(path=str(write(tmp_path / "train-0.parquet", list(range(20)), label=column)))
    assert source.labels is not None and source.classes == classes
    assert [int(label) for label in source.labels] == [value % 2 for value in reds(source, *range(len(source)))]


def test_several_labels_an_image_are_none_and_said(tmp_path: Path) -> None:
    source = Parquet(path=str(write(tmp_path / "a.parquet", list(range(20)), labels=[[1, 2]] * 20)))
    assert source.labels is None
    assert "the column labels holds no classes: it is empty, or has fractions, dates or lists" in source.notes


def test_a_column_says_the_splits_where_no_name_does(tmp_path: Path) -> None:
    splits = ["train" if i < 15 else "Validation" for i in range(20)]
    path = str(write(tmp_path / "a.parquet", list(range(20)), split=splits))
    assert reds(Parquet(path=path, split="test"), *range(5)) == [15, 16, 17, 18, 19]
    assert Parquet(path=path).notes[0] == "splits: train 15 images; val 5 images, held out"


def test_files_whose_schemas_number_the_classes_differently_are_compared_by_name(tmp_path: Path) -> None:
    for file, names in (("a", ["cat", "dog"]), ("b", ["dog", "cat"])):
        table = pa.table({"image": [picture(i) for i in range(10)], "label": [0, 1] * 5})
        about = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({b"huggingface": json.dumps(about).encode()})
        pq.write_table(table, tmp_path / f"train-{file}.parquet")
        pq.write_table(table, tmp_path / f"test-{file}.parquet")
    source = Parquet(path=str(tmp_path))
    assert source.classes == ("cat", "dog") and source.labels is not None
    assert source.labels.tolist() == [0, 1] * 5 + [1, 0] * 5


def test_of_several_columns_of_images_one_is_taken_and_the_others_are_said(tmp_path: Path) -> None:
    columns = {name: [picture(first + i) for i in range(10)] for name, first in (("left", 0), ("right", 100))}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    source = Parquet(path=str(tmp_path))
    said = "1 further column: holds images, too, and is not used; data.image names the one that is, such as right"
    assert said in source.notes and int(source.read(torch.tensor([0]))[0][0].max()) < 100
    other = Parquet(path=str(tmp_path), image="right")
    assert int(other.read(torch.tensor([0]))[0][0].max()) >= 100 and "further column" not in " ".join(other.notes)
    with pytest.raises(SslgraphError, match=r"has no column 'middle' \(data.image\) of images; its columns are left "):
        Parquet(path=str(tmp_path), image="middle")


def test_a_flag_says_the_split_of_rows_and_those_in_none_are_counted(tmp_path: Path) -> None:
    rows = {"image": [picture(i) for i in range(12)], "is_valid": [i >= 8 for i in range(12)]}
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    assert (len(Parquet(path=str(tmp_path))), len(Parquet(path=str(tmp_path), split="test"))) == (8, 4)
    rows = {"image": rows["image"], "split": ["train"] * 6 + ["test"] * 4 + ["spoilt"] * 2}
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    source = Parquet(path=str(tmp_path))
    assert len(source) == 6 and "2 rows: in none of the splits, such as row 10" in source.notes


def test_several_configurations_of_a_data_set_of_the_hub_are_refused_and_one_is_read(tmp_path: Path) -> None:
    for number, name in enumerate(("plain", "augmented")):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "train-00000.parquet", list(range(20 * number, 20 * number + 20)))
    (tmp_path / "README.md").write_text("---\nconfigs:\n- config_name: plain\n- config_name: 'augmented'\n---\n")
    with pytest.raises(SslgraphError, match=r"the configurations plain, augmented of one data set .* one: .*plain$"):
        Parquet(path=str(tmp_path))
    assert len(Parquet(path=str(tmp_path / "plain"))) == 18
