"""Arrays of images as people keep them: MedMNIST's and keras' .npz files, folders of .npy files, MATLAB's .mat."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

from sslgraph.components.sources.arrays import Arrays
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.request import source_for

Array = NDArray[Any]


def pixels(count: int, *shape: int, first: int = 0, dtype: type = np.uint8) -> Array:
    """Images each of which is all of its own number."""
    numbers = np.arange(first, first + count).astype(dtype)
    return np.broadcast_to(numbers.reshape(-1, *[1] * len(shape)), (count, *shape)).copy()


def labels(count: int, *shape: int) -> Array:
    return (np.arange(count) % 3).astype(np.uint8).reshape(count, *shape)


def npz(path: Path, arrays: Mapping[str, Array]) -> Path:
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    return path


def npys(folder: Path, arrays: Mapping[str, Array]) -> Path:
    folder.mkdir()
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return folder


def mat(path: Path, arrays: Mapping[str, Array]) -> Path:
    savemat(path, dict(arrays))
    return path


def values_of(source: Arrays) -> list[int]:
    return [int(image.float().mean()) for image in source.read(torch.arange(len(source)))[0]]


MEDMNIST = {
    "train_images": pixels(30, 8, 8, 3), "train_labels": labels(30, 1),
    "val_images": pixels(6, 8, 8, 3, first=100), "val_labels": labels(6, 1),
    "test_images": pixels(6, 8, 8, 3, first=200), "test_labels": labels(6, 1),
}  # fmt: skip


@pytest.mark.parametrize(
    ("names", "write"),
    [
        (("train_images", "train_labels", "test_images", "test_labels"), npz),
        (("x_train", "y_train", "x_test", "y_test"), npz),
        (("Xtr", "Ytr", "Xte", "Yte"), npz),
        (("X_train", "y_train", "X_val", "y_val"), npys),
        (("trainImages", "trainLabels", "testImages", "testLabels"), mat),
    ],
)
def test_words_of_the_names_say_splits_and_labels(
    tmp_path: Path, names: tuple[str, ...], write: Callable[[Path, Mapping[str, Array]], Path]
) -> None:
    arrays = (pixels(30, 8, 9), labels(30), pixels(6, 8, 9, first=100), labels(6))
    path = write(tmp_path / f"set.{write.__name__}", dict(zip(names, arrays, strict=True)))
    assert source_for(str(path)) == "sources.arrays"
    train, test = Arrays(path=str(path)), Arrays(path=str(path), split="test")
    assert values_of(train) == list(range(30)) and values_of(test) == list(range(100, 106)) and train.size == (8, 9)
    assert train.labels is not None and train.labels.tolist() == [0, 1, 2] * 10
    assert test.labels is not None and test.labels.tolist() == [0, 1, 2] * 2
    assert train.notes == (f"splits: train 30 images; {'val' if names[2] == 'X_val' else 'test'} 6 images, held out",
                           f"labels: {names[1]}, {names[3]}")  # fmt: skip


def test_files_of_one_array_each_are_called_as_the_files(tmp_path: Path) -> None:
    """Kuzushiji-MNIST's: each .npz file holds an arr_0."""
    for split, count, first in (("train", 30, 0), ("test", 6, 100)):
        npz(tmp_path / f"kmnist-{split}-imgs.npz", {"arr_0": pixels(count, 8, 8, first=first)})
        npz(tmp_path / f"kmnist-{split}-labels.npz", {"arr_0": labels(count)})
    train, test = Arrays(path=str(tmp_path)), Arrays(path=str(tmp_path), split="test")
    assert values_of(train) == list(range(30)) and values_of(test) == list(range(100, 106))
    assert test.labels is not None and test.labels.tolist() == [0, 1, 2] * 2


def test_of_val_and_test_of_medmnist_test_is_held_out_and_a_folder_reads_as_its_file(tmp_path: Path) -> None:
    npz(tmp_path / "bloodmnist.npz", MEDMNIST)
    for path in (tmp_path / "bloodmnist.npz", tmp_path):
        assert source_for(str(path)) == "sources.arrays"
        assert values_of(Arrays(path=str(path), split="test")) == list(range(200, 206))
        said = "splits: train 30 images; val 6 images, not used; test 6 images, held out"
        assert said in Arrays(path=str(path), limit=5).notes


@pytest.mark.parametrize(
    "shape", [(30, 8, 8), (30, 8, 8, 1), (30, 20, 20, 3), (30, 3, 20, 20), (30, 1, 8, 8), (30, 3, 8, 8)]
)
def test_one_array_with_channels_before_or_behind_holds_a_tenth_out(tmp_path: Path, shape: tuple[int, ...]) -> None:
    file = tmp_path / "pixels.npy"
    np.save(file, pixels(shape[0], *shape[1:]))
    train, test = Arrays(path=str(file)), Arrays(path=str(file), split="test")
    assert sorted(values_of(train) + values_of(test)) == list(range(30)) and len(test) == 3 and train.labels is None
    side = 20 if 20 in shape else 8
    assert train.read(torch.tensor([0]))[0][0].shape == (3, side, side)


def test_a_mat_file_may_have_its_images_along_the_last_axis(tmp_path: Path) -> None:
    """SVHN's: X of height, width, channels and images; y from 1 to 10, where 10 is the digit 0."""
    for split, count, first in (("train", 30, 0), ("test", 6, 100)):
        images = np.moveaxis(pixels(count, 32, 32, 3, first=first), 0, -1)
        mat(tmp_path / f"{split}_32x32.mat", {"X": images, "y": (np.arange(count) % 10 + 1).reshape(-1, 1)})
    train, test = Arrays(path=str(tmp_path)), Arrays(path=str(tmp_path), split="test")
    assert values_of(train) == list(range(30)) and values_of(test) == list(range(100, 106))
    assert train.labels is not None and train.labels.tolist() == [i % 10 + 1 for i in range(30)]
    assert len(Arrays(path=str(tmp_path / "train_32x32.mat"))) == 27


@pytest.mark.parametrize(
    ("side", "count", "has_labels"), [(32, 32, True), (32, 32, False), (8, 20, False), (10, 10, True)]
)
def test_the_axis_of_channels_says_where_images_stand_and_labels_only_where_it_is_open(
    tmp_path: Path, side: int, count: int, has_labels: bool
) -> None:
    """32 images of 32 x 32 have as many labels as rows."""
    arrays = {"X": np.moveaxis(pixels(count, side, side, 3), 0, -1)}
    source = Arrays(path=str(mat(tmp_path / "a.mat", arrays | ({"y": labels(count, 1)} if has_labels else {}))))
    held_out = Arrays(path=str(tmp_path / "a.mat"), split="test")
    assert sorted(values_of(source) + values_of(held_out)) == list(range(count))
    if has_labels:
        assert source.labels is not None and source.labels.tolist() == [value % 3 for value in values_of(source)]


@pytest.mark.parametrize("write", [mat, npz])
def test_rows_with_a_single_one_may_stand_as_columns(
    tmp_path: Path, write: Callable[[Path, Mapping[str, Array]], Path]
) -> None:
    images = pixels(30, 8, 8, 3) if write is npz else np.moveaxis(pixels(30, 8, 8, 3), 0, -1)
    source = Arrays(path=str(write(tmp_path / f"a.{write.__name__}", {"X": images, "y": np.eye(3)[labels(30)].T})))
    assert source.labels is not None and source.labels.tolist() == [value % 3 for value in values_of(source)]


@pytest.mark.parametrize("has_words", [True, False])
def test_an_empty_cell_is_no_label(tmp_path: Path, has_words: bool) -> None:
    cells = np.empty((30, 1), dtype=object)
    for i in range(30):
        cells[i, 0] = ("cat", "dog", np.zeros((0, 0)))[i % 3 if has_words else 2]
    source = Arrays(path=str(mat(tmp_path / "a.mat", {"X": np.moveaxis(pixels(30, 8, 8, 3), 0, -1), "y": cells})))
    wanted = [(0, 1, -1)[value % 3] for value in values_of(source)] if has_words else None
    assert source.classes == (("cat", "dog") if has_words else ())
    assert (None if source.labels is None else source.labels.tolist()) == wanted


@pytest.mark.parametrize(
    ("given", "classes"),
    [
        (np.array(["cat", "dog", "eel"] * 10), ("cat", "dog", "eel")),
        (np.eye(3)[np.arange(30) % 3], ()),
        (np.arange(30) % 3 == 1, ()),
        (labels(30).astype(np.float64), ()),
    ],
)
def test_labels_are_words_numbers_or_rows_with_a_single_one(
    tmp_path: Path, given: Array, classes: tuple[str, ...]
) -> None:
    source = Arrays(path=str(npz(tmp_path / "a.npz", {"data": pixels(30, 8, 8), "target": given})))
    wanted = {0: 0, 1: 1, 2: 0 if given.dtype == np.bool_ else 2}
    assert source.labels is not None and source.classes == classes
    assert source.labels.tolist() == [wanted[value % 3] for value in values_of(source)]


def test_the_array_of_labels_can_be_named_and_several_findings_are_no_class(tmp_path: Path) -> None:
    file = npz(tmp_path / "chest.npz", {"images": pixels(30, 8, 8), "labels": np.ones((30, 14)), "sex": labels(30) % 2})
    assert Arrays(path=str(file)).labels is None
    said = "no array says a class of each image (data.label names one); beside the images there are: labels, sex"
    assert said in Arrays(path=str(file)).notes
    named = Arrays(path=str(file), label="sex")
    assert named.labels is not None and set(named.labels.tolist()) == {0, 1}
    with pytest.raises(SslgraphError, match=r"no array 'age' \(data\.label\) with a class of each image; there are: "):
        Arrays(path=str(file), label="age")
    cifar = {"data": pixels(30, 8, 8), "fine_labels": labels(30), "coarse_labels": labels(30) % 2}
    source = Arrays(path=str(npz(tmp_path / "cifar.npz", cifar)))
    assert "labels: fine_labels" in source.notes and source.whole[1] == 3


def test_numbers_that_are_no_bytes_are_scaled_by_a_stated_range_or_refused(tmp_path: Path) -> None:
    file = str(npz(tmp_path / "a.npz", {"x": pixels(20, 8, 8, dtype=np.float32) / 20}))
    with pytest.raises(SslgraphError, match=r"(?s)hold fractions .* set data\.range: \[0, 1\]"):
        Arrays(path=file).read(torch.arange(2))
    assert values_of(Arrays(path=file, range=[0, 1]))[:2] == [13, 26]  # the first is held out
    bands = str(npz(tmp_path / "bands.npz", {"x": pixels(20, 8, 8, 5)}))
    with pytest.raises(SslgraphError, match=r"it has 5 channels; name those to take: data\.channels: \[0, 1, 2"):
        Arrays(path=bands).read(torch.arange(2))
    assert Arrays(path=bands, channels=[0, 1, 2, 3, 4]).read(torch.arange(2))[0][0].shape == (5, 8, 8)
    masks = Arrays(path=str(npz(tmp_path / "cells.npz", {"images": pixels(20, 8, 8), "masks": pixels(20, 8, 8) > 9})))
    assert len(masks) == 18 and any("1 array of label maps: no images to train on" in note for note in masks.notes)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": np.zeros((20, 784), np.uint8)}, r"no array of images; its arrays are: a \[20, 784\] of uint8; one must"),
        ({"rgb": pixels(9, 8, 8), "depth": pixels(9, 8, 8)}, r"that nothing in .* joins to one set: rgb \[9, 8, 8\]"),
        ({"x": np.array([{}, None], dtype=object)}, r"no array of images; its arrays are: a \[2\] of object"),
    ],
)
def test_what_holds_no_images_or_several_kinds_is_refused(tmp_path: Path, arrays: dict[str, Array], said: str) -> None:
    with pytest.raises(SslgraphError, match=said):
        Arrays(path=str(npz(tmp_path / "a.npz", arrays)))


def test_one_range_holds_for_both_splits_and_they_may_differ_in_size(tmp_path: Path) -> None:
    arrays = {"x_train": pixels(20, 8, 8, dtype=np.float32), "x_test": pixels(6, 9, 9, first=200, dtype=np.float32)}
    file = str(npz(tmp_path / "a.npz", arrays))
    for split in ("train", "test"):
        with pytest.raises(SslgraphError, match=r"set data\.range: \[0, 255\]"):
            Arrays(path=file, split=split).read(torch.arange(2))  # type: ignore[arg-type]
    train, test = Arrays(path=file, range="auto"), Arrays(path=file, range="auto", split="test")
    assert max(values_of(train)) < 30 and min(values_of(test)) > 240


def test_an_array_for_each_image_is_refused_with_a_cure(tmp_path: Path) -> None:
    npys(tmp_path / "set", {f"im{i}": np.zeros((20, 20, 3), np.uint8) for i in range(12)})
    assert source_for(str(tmp_path / "set")) == "sources.image_folder"
    with pytest.raises(SslgraphError, match=r"no array of images; its arrays are: im0 \[20, 20, 3\]"):
        Arrays(path=str(tmp_path / "set"))


def test_two_data_sets_a_damaged_file_and_matlabs_newest_form_are_refused(tmp_path: Path) -> None:
    for name in ("bloodmnist", "pathmnist"):
        npz(tmp_path / f"{name}.npz", MEDMNIST)
    with pytest.raises(SslgraphError, match=r"one set: bloodmnist\.npz, pathmnist\.npz; give one of them"):
        Arrays(path=str(tmp_path))
    (tmp_path / "cut.npz").write_bytes((tmp_path / "pathmnist.npz").read_bytes()[:500])
    with pytest.raises(SslgraphError, match=r"cut\.npz can't be read as an array: File is not a zip file"):
        Arrays(path=str(tmp_path / "cut.npz"))
    np.save(tmp_path / "cut.npy", pixels(20, 8, 8))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "cut.npy").read_bytes()[:600])
    with pytest.raises(SslgraphError, match=r"cut\.npy can't be read as an array: it is cut short"):
        Arrays(path=str(tmp_path / "cut.npy"))
    (tmp_path / "new.mat").write_bytes(b"MATLAB 7.3 MAT-file" + bytes(600))
    with pytest.raises(SslgraphError, match=r"it is of MATLAB 7\.3, which is HDF5: save it with -v7"):
        Arrays(path=str(tmp_path / "new.mat"))
    bomb = tmp_path / "bomb.npz"
    head = {"descr": "|u1", "fortran_order": False, "shape": (2**33, 2**9, 2**9)}
    with zipfile.ZipFile(bomb, "w") as packed, packed.open("x.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, head)
    with pytest.raises(SslgraphError, match=r"its images take .* GiB unpacked, and this machine has .* an \.npy file"):
        Arrays(path=str(bomb))


def test_a_folder_of_photographs_with_a_few_arrays_beside_them_is_one_of_photographs(tmp_path: Path) -> None:
    for i in range(12):
        Image.new("RGB", (8, 8), (i, 0, 0)).save(tmp_path / f"{i}.png")
    np.save(tmp_path / "features.npy", np.zeros((12, 128)))
    assert source_for(str(tmp_path)) == "sources.image_folder"
    np.save(tmp_path / "only.npy", np.zeros((12, 128)))
    assert source_for(str(npys(tmp_path / "features", {"x": np.zeros((12, 128))}))) == "sources.image_folder"
