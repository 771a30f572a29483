"""Data sets of torchvision, on its own FakeData and on files written as its classes expect them."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision import datasets

from sslgraph.components.sources.torchvision import TorchvisionDataset
from sslgraph.errors import SslgraphError

FAKE: dict[str, Any] = {"size": 20, "image_size": [3, 6, 5]}


def test_a_class_without_splits_holds_out_a_tenth() -> None:
    train = TorchvisionDataset(dataset="FakeData", options=FAKE)
    test = TorchvisionDataset(dataset="FakeData", options=FAKE, split="test")
    assert (len(train), len(test), train.size) == (18, 2, (6, 5)) and train.labels is None
    expected = np.array(datasets.FakeData(**FAKE)[12][0]).transpose(2, 0, 1)
    assert np.array_equal(test.read(torch.tensor([1]))[0][0].numpy(), expected)


def test_splits_labels_and_classes_are_those_of_the_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.CIFAR10, "_check_integrity", lambda _: True)
    monkeypatch.setattr(datasets.CIFAR10, "_load_meta", lambda self: setattr(self, "classes", ["a", "b"]))
    monkeypatch.setattr(datasets.CIFAR10, "train_list", [["one", ""]])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", [["two", ""]])
    (tmp_path / "cifar-10-batches-py").mkdir()
    for name, labels in (("one", [0, 1, 1]), ("two", [1])):
        batch = {"data": np.full((len(labels), 3072), len(labels), dtype=np.uint8), "labels": labels}
        (tmp_path / "cifar-10-batches-py" / name).write_bytes(pickle.dumps(batch))
    train = TorchvisionDataset(dataset="CIFAR10", path=str(tmp_path), limit=2)
    test = TorchvisionDataset(dataset="CIFAR10", path=str(tmp_path), split="test")
    assert train.labels is not None and train.labels.tolist() == [0, 1] and train.classes == ("a", "b")
    assert test.labels is not None and test.labels.tolist() == [1]
    assert int(test.read(torch.tensor([0]))[0][0].max()) == 1


def test_what_torchvision_refuses_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SslgraphError, match=r"(?s)CIFAR10 can't be opened: .*allow the download with download: true"):
        TorchvisionDataset(dataset="CIFAR10", path=str(tmp_path))
    with pytest.raises(SslgraphError, match="has no class 'CIFAR11'; did you mean 'CIFAR10'"):
        TorchvisionDataset(dataset="CIFAR11")
