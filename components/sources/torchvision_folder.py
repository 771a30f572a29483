"""A folder into which torchvision downloaded a data set of small images: pickles or IDX files, and no image files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sslgraph.component import component
from sslgraph.errors import SslgraphError
from sslgraph.files.addresses import is_address
from sslgraph.ranges import Count, NotNegative

from .decode.decoding import SUFFIXES
from .stores.store import Folder
from .torchvision import TorchvisionDataset

# What lies below torchvision's root for each of its classes.
HOLDS = {
    "CIFAR10": "cifar-10-batches-py/data_batch_1",
    "CIFAR100": "cifar-100-python/train",
    **{
        name: f"{name}/raw/train-images-idx3-ubyte" for name in ("MNIST", "FashionMNIST", "KMNIST", "QMNIST")
    },
}  # fmt: skip


@component(source="https://docs.pytorch.org/vision/stable/datasets.html", role="reader")
class TorchvisionFolder(TorchvisionDataset):
    """CIFAR-10, CIFAR-100, MNIST, Fashion-MNIST, KMNIST or QMNIST where torchvision has downloaded it.

    Which one it is, the names of the files say; its own test images are the test split. Other classes of torchvision,
    or a download, need sources.torchvision.

    Settings:
        path: torchvision's `root`, or the folder of the data set in it.
    """

    def __init__(
        self,
        *,
        path: str,
        split: Literal["train", "test"] = "train",
        limit: Count | None = None,
        memory: NotNegative = 4.0,
    ) -> None:
        found = _found(path)
        if len(found) != 1:
            there = "several data sets of torchvision" if found else "no data set of torchvision"
            known = ", ".join(HOLDS[name].partition("/")[0] for name in found or HOLDS)
            raise SslgraphError(f"{path} holds {there}; give the folder of one: {known}")
        ((dataset, root),) = found.items()
        super().__init__(dataset=dataset, path=str(root), split=split, limit=limit, memory=memory)
        self.notes = (*self.notes, f"torchvision's {dataset}")

    @staticmethod
    def recognizes(path: str) -> bool:
        """Whether such a data set lies there, and no image files."""
        if is_address(path) or not Path(path).expanduser().is_dir() or not _found(path):
            return False
        return not any(name.lower().endswith(SUFFIXES) for name in Folder(path).top())


def _found(path: str) -> dict[str, Path]:
    """The classes whose files lie in a folder, or of which it is a part, with torchvision's root."""
    given = Path(path).expanduser().absolute()
    found = {}
    for name, inside in HOLDS.items():
        for root in (given, *given.parents[:2]):
            own = root / inside.partition("/")[0]
            if (root == given or given.is_relative_to(own)) and (root / inside).is_file():
                found[name] = root
    return found
