"""A data set of torchvision by the name of its class, from a folder where its files already lie."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor
from torchvision import datasets

from sslgraph.component import component
from sslgraph.errors import SslgraphError, nearest

from .albums.album import Album, AlbumSettings
from .decode.decoding import Picture, picture_of

TEST_NAMES = ("test", "val", "valid")
LABEL_ATTRIBUTES = ("targets", "labels", "_labels")


@component(source="https://docs.pytorch.org/vision/stable/datasets.html")
class TorchvisionDataset(Album):
    """Any class of torchvision.datasets whose items begin with an image.

    `split` becomes the class's own `train` or `split` argument; a class that has neither gives a tenth to the
    test split. Labels are taken where the class keeps one whole number for each image, and are None elsewhere.

    Settings:
        dataset: the name of the class, such as CIFAR10.
        path: the folder its files lie in (torchvision's `root`).
        download: whether the class may fetch its files into `path`.
        options: further arguments of the class, such as {split: unlabeled}; they go before `split`.
    """

    def __init__(
        self,
        *,
        dataset: str,
        path: str = ".",
        download: bool = False,
        options: dict[str, Any] | None = None,
        **shared: Unpack[AlbumSettings],
    ) -> None:
        super().__init__(**shared)
        known = _class_of(dataset)
        parameters = inspect.signature(known).parameters
        arguments: dict[str, Any] = {"root": str(Path(path).expanduser())} if "root" in parameters else {}
        arguments |= {"download": True} if download and "download" in parameters else {}
        arguments |= options or {}
        self._data, is_split = _opened(known, arguments, self.split)
        whole = len(self._data)
        labels = _labels(self._data)
        splits = None if is_split else np.zeros(whole, dtype=np.int64)
        self._items = self.choose(labels, splits, whole, where=f"torchvision's {dataset}").tolist()
        self._names = f"torchvision's {dataset}, {self.split} image"
        self.classes = () if labels is None else tuple(map(str, getattr(self._data, "classes", ())))

    def load(self, index: int) -> Picture:
        return picture_of(self._data[self._items[index]][0])

    def name(self, index: int) -> str:
        return f"{self._names} {index}"


def _class_of(name: str) -> Any:
    if name not in datasets.__all__:
        close = nearest(name, datasets.__all__)
        hint = f"; did you mean '{close}'?" if close else ""
        raise SslgraphError(f"torchvision.datasets has no class '{name}'{hint}")
    return getattr(datasets, name)


def _opened(known: Any, arguments: dict[str, Any], split: str) -> tuple[Any, bool]:
    """The data set, and whether it holds the split and nothing else."""
    parameters = inspect.signature(known).parameters
    if "train" in parameters and "train" not in arguments:
        return _made(known, arguments | {"train": split == "train"}), True
    if "split" not in parameters or "split" in arguments:
        return _made(known, arguments), False
    if split == "train":
        return _made(known, arguments | {"split": "train"}), True
    refusals = []
    for name in TEST_NAMES:
        try:
            return _made(known, arguments | {"split": name}), True
        except SslgraphError as refusal:
            refusals.append(refusal)
    raise refusals[0]


def _made(known: Any, arguments: dict[str, Any]) -> Any:
    try:
        return known(**arguments)
    except (RuntimeError, OSError, ValueError, TypeError) as reason:
        raise SslgraphError(
            f"torchvision's {known.__name__} can't be opened: {reason}\n"
            "  give the folder of its files as path:, or allow the download with download: true"
        ) from reason


def _labels(data: Any) -> Int64[Tensor, "images"] | None:
    kept = (getattr(data, name, None) for name in LABEL_ATTRIBUTES)
    found = next((labels for labels in kept if labels is not None), None)
    if found is None or len(found) != len(data):
        return None
    labels = torch.as_tensor(found)
    if labels.ndim != 1 or labels.is_floating_point():
        return None
    return labels.long()
