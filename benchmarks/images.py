"""Photographs from files to views: ours beside torchvision's ImageFolder, v2 steps and DataLoader; one thread."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from pipelines.preparing import prepare_images
from pipelines.views import ViewProgram
from sslgraph import registry
from sslgraph.load import load_augmentation
from sslgraph.spec import Augmentation, View

from .turns import Timed, Work, in_turns
from .views import composed

IMAGES, BATCH = 256, 64


def measure(folder: str, *, rounds: int = 5) -> list[Timed]:
    """Two views of 224 px of each of the first photographs: decoded and cropped only, and with BYOL's whole list."""
    byol = {name: load_augmentation(name).augmentation for name in ("byol_a", "byol_b")}
    whole = {"x1": View(augment="byol_a"), "x2": View(augment="byol_b")}
    steps = {key: step for key, step in byol["byol_a"].steps.items() if key in ("crop", "flip")}
    crop = {"crop": Augmentation(augmentation="crop", steps=steps)}
    crops = {name: View(augment="crop") for name in ("x1", "x2")}
    only = [v2.Compose([v2.RandomResizedCrop(224, interpolation=v2.InterpolationMode.BICUBIC),
                        v2.RandomHorizontalFlip(), v2.ToImage()])] * 2  # fmt: skip
    found = []
    with tempfile.TemporaryDirectory(prefix="sslgraph-bench-") as place:
        for form in ("jpeg", "raw"):
            prepare_images(folder, str(Path(place, form)), form=form)
        sources = {
            "sslgraph": registry.build("sources.image_folder", {"path": folder}),
            "sslgraph, prepared jpeg": registry.build("sources.prepared", {"path": str(Path(place, "jpeg"))}),
            "sslgraph, prepared raw": registry.build("sources.prepared", {"path": str(Path(place, "raw"))}),
        }
        for title, views, augmentations, peers in (
            ("photographs, decoded and two crops of 224 px", crops, crop, only),
            ("photographs, BYOL's two views of 224 px", whole, byol, [composed(view) for view in whole.values()]),
        ):
            program = ViewProgram.build(views, augmentations)
            ways: dict[str, Work] = {name: _ours(source, program) for name, source in sources.items()}
            ways["torchvision, DataLoader"] = _torchvision(folder, peers)
            found.append(in_turns(title, ways, unit="image", units=IMAGES, rounds=rounds))
    return found


def _ours(source: Any, program: ViewProgram) -> Work:
    def work() -> None:
        for wanted in torch.arange(IMAGES).split(BATCH):
            images, index = source.read(wanted)
            program(images, index, seed=0, epoch=0)

    return work


class _Photos(Dataset):  # type: ignore[type-arg]
    """torchvision's way of reading a folder (its ImageFolder needs subfolders, and these photographs lie flat)."""

    def __init__(self, folder: str, views: list[Callable[[Any], Tensor]]) -> None:
        from torchvision.datasets.folder import default_loader

        self.files, self.load, self.views = sorted(Path(folder).rglob("*.jpg"))[:IMAGES], default_loader, views

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> list[Tensor]:
        picture = self.load(self.files[index])
        return [view(picture) for view in self.views]


def _torchvision(folder: str, views: list[Callable[[Any], Tensor]]) -> Work:
    loader = DataLoader(_Photos(folder, views), batch_size=BATCH, num_workers=0)

    def work() -> None:
        for _ in loader:
            pass

    return work
