"""What lies there in place of images: other forms, downloads that went wrong, and torchvision's own folders."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from tars import png
from torchvision import datasets

from sslgraph.components.sources.image_folder import ImageFolder
from sslgraph.components.sources.parquet import Parquet
from sslgraph.components.sources.torchvision_folder import TorchvisionFolder
from sslgraph.components.sources.webdataset import WebDataset
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.request import source_for

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 12\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x.h5", "an array of numbers: save its images as .npz, PNG or TIFF"),
        ("train_32x32.mat", "an array; one of many images may be the path, single ones are read as PNG"),
        ("data.mdb", "not read: write its images as tar or parquet"),
        ("train-images-idx3-ubyte", "read where torchvision lays it: MNIST/raw/train-images-idx3-ubyte"),
        ("scan.nii.gz", "a medical image: save its planes as 16-bit TIFF"),
        ("IMG_1.CR2", "a camera's raw data: convert it"),
        ("clip.mp4", "a video: sources.video reads it"),
        ("set.tar.gz", "packed: unpack it"),
    ],
)
def test_a_folder_of_another_form_is_told_what_to_do(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / name).write_bytes(bytes(100))
    with pytest.raises(SslgraphError, match=f"has no images; it holds 1 .*{said}"):
        ImageFolder(path=str(tmp_path))


def test_images_without_endings_are_told_from_other_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(png(1))
    with pytest.raises(SslgraphError, match=r"no images by their names, but 1 extensionless file: add \.jpg or \.png"):
        ImageFolder(path=str(tmp_path))


@pytest.mark.parametrize(
    ("content", "said"),
    [(POINTER, "a pointer of Git LFS in place of the file: run git lfs pull"), (b"\n<!DOCTYPE html>", "a web page")],
)
def test_what_a_download_left_in_place_of_a_file_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    for name in ("a.png", "a.parquet", "a.tar"):
        (tmp_path / name).write_bytes(content)
    images = ImageFolder(path=str(tmp_path / "a.png"))
    with pytest.raises(SslgraphError, match=said):
        images.read(torch.arange(1))
    with pytest.raises(SslgraphError, match=f"can't be read as parquet: {said}"):
        Parquet(path=str(tmp_path / "a.parquet"))
    with pytest.raises(SslgraphError, match=rf"can't be read as a tar file \({said}"):
        WebDataset(path=str(tmp_path / "a.tar"))


def mnist(root: Path, name: str = "MNIST") -> Path:
    raw = root / name / "raw"
    raw.mkdir(parents=True)
    for split, count in (("train", 12), ("t10k", 4)):
        pixels = np.arange(count, dtype=np.uint8).repeat(28 * 28)
        (raw / f"{split}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 2051, count, 28, 28) + pixels.tobytes())
        labels = bytes(i % 10 for i in range(count))
        (raw / f"{split}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 2049, count) + labels)
    return root


@pytest.mark.parametrize("inside", ["", "MNIST", "MNIST/raw"])
def test_where_torchvision_downloaded_is_read_with_its_own_splits(tmp_path: Path, inside: str) -> None:
    path = str(mnist(tmp_path) / inside)
    assert source_for(path) == "sources.torchvision_folder"
    train, test = TorchvisionFolder(path=path), TorchvisionFolder(path=path, split="test")
    assert (len(train), len(test)) == (12, 4) and train.labels is not None and train.notes[-1] == "torchvision's MNIST"
    assert train.labels.tolist() == [i % 10 for i in range(12)]
    assert int(train.read(torch.tensor([7]))[0][0].max()) == 7


def test_cifars_pickles_are_known_and_opened_by_torchvision_which_refuses_all_but_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cifar-10-batches-py").mkdir()
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        batch = {"data": np.zeros((2, 3072), dtype=np.uint8), "labels": [0, 1]}
        (tmp_path / "cifar-10-batches-py" / name).write_bytes(pickle.dumps(batch))
    path = str(tmp_path / "cifar-10-batches-py")
    assert source_for(path) == "sources.torchvision_folder"
    with pytest.raises(SslgraphError, match="torchvision's CIFAR10 can't be opened: Dataset not found or corrupted"):
        TorchvisionFolder(path=path)
    monkeypatch.setattr(datasets.CIFAR10, "_check_integrity", lambda _: True)
    monkeypatch.setattr(datasets.CIFAR10, "_load_meta", lambda self: setattr(self, "classes", ["a", "b"]))
    assert (len(TorchvisionFolder(path=path)), len(TorchvisionFolder(path=path, split="test"))) == (10, 2)


def test_images_beside_torchvisions_files_lead_and_several_data_sets_are_refused(tmp_path: Path) -> None:
    mnist(tmp_path), mnist(tmp_path, "KMNIST")
    with pytest.raises(SslgraphError, match="several data sets of torchvision; give the folder of one: MNIST, KMN"):
        TorchvisionFolder(path=str(tmp_path))
    assert len(TorchvisionFolder(path=str(tmp_path / "KMNIST"))) == 12
    (tmp_path / "photo.png").write_bytes(png(1))
    assert source_for(str(tmp_path)) == "sources.image_folder"
    with pytest.raises(SslgraphError, match="holds no data set of torchvision; give the folder of one: cifar-10-batch"):
        TorchvisionFolder(path=str(tmp_path / "nothing"))
