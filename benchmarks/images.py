"""Photographs from files to views: ours beside torchvision's ImageFolder, v2 steps and DataLoader; one thread."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from sslgraph.parts import registry
from sslgraph.pipelines.feed.preparing import prepare_images
from sslgraph.read.load import load_augmentation
from sslgraph.read.spec import Augmentation, View
from sslgraph.views.views import ViewProgram

from .turns import Timed, Work, in_turns
from .views import composed

IMAGES, BATCH = 256, 64
LARGE, LARGE_SIDE = 16, 3000
BYOL = {"x1": View(augment="byol_a"), "x2": View(augment="byol_b")}
DINO = {
    "x1": View(augment="dino_global_a"),
    "x2": View(augment="dino_global_b"),
    "local_crops": View(augment="dino_local", copies=8),
}


@dataclass(frozen=True)
class Case:
    """A list of views, its augmentations, and the same list of torchvision's steps."""

    title: str
    views: Mapping[str, View]
    augmentations: Mapping[str, Augmentation]
    peers: list[Callable[[Any], Tensor]]


def measure(folder: str, *, rounds: int = 5) -> list[Timed]:
    """The first photographs of a folder, as they are and prepared; then some of them made as large as a camera's."""
    two, ten = _crops_only("decoded and two crops of 224 px", BYOL), _crops_only("decoded and DINO's ten crops", DINO)
    whole = Case("BYOL's two views of 224 px", BYOL, _loaded(BYOL), [composed(view) for view in BYOL.values()])
    with tempfile.TemporaryDirectory(prefix="sslgraph-bench-") as place:
        for form in ("jpeg", "raw"):
            prepare_images(folder, str(Path(place, form)), form=form)
        sources = {
            "sslgraph": registry.build("sources.image_folder", {"path": folder}),
            "sslgraph, prepared jpeg": registry.build("sources.prepared", {"path": str(Path(place, "jpeg"))}),
            "sslgraph, prepared raw": registry.build("sources.prepared", {"path": str(Path(place, "raw"))}),
        }
        found = [_timed("photographs", case, sources, folder, IMAGES, rounds) for case in (two, whole, ten)]
        large = Path(place, "large")
        _enlarge(folder, large)
        settings = {"path": str(large), "split": "train", "memory": 0.0}
        sources = {"sslgraph": registry.build("sources.image_folder", settings)}
        for side in (512, 256):
            name = f"sslgraph, at_least: {side}"
            sources[name] = registry.build("sources.image_folder", {**settings, "at_least": side})
        count = len(sources["sslgraph"])
        found.append(_timed(f"of {LARGE_SIDE} px and more", two, sources, str(large), count, rounds))
    return found


def _timed(what: str, case: Case, sources: Mapping[str, Any], folder: str, count: int, rounds: int) -> Timed:
    program = ViewProgram.build(case.views, case.augmentations)
    ways: dict[str, Work] = {name: _ours(source, program, count) for name, source in sources.items()}
    ways["torchvision, DataLoader"] = _torchvision(folder, case.peers, count)
    return in_turns(f"{what}, {case.title}", ways, unit="image", units=count, rounds=rounds)


def _loaded(views: Mapping[str, View]) -> dict[str, Augmentation]:
    return {view.augment: load_augmentation(view.augment).spec for view in views.values()}


def _crops_only(title: str, views: Mapping[str, View]) -> Case:
    """The views without their colours; torchvision's stay bytes, ours are floats."""
    kept: dict[str, Augmentation] = {}
    peers: list[Callable[[Any], Tensor]] = []
    for name, found in _loaded(views).items():
        steps = {key: step for key, step in found.steps.items() if key in ("crop", "flip")}
        kept[name] = Augmentation(augmentation=name, steps=steps)
    for view in views.values():
        its = kept[view.augment].steps["crop"].settings
        mode = v2.InterpolationMode(its.get("interpolation", "bilinear"))
        crop = v2.RandomResizedCrop(its["size"], tuple(its["scale"]), interpolation=mode)
        peers += [v2.Compose([crop, v2.RandomHorizontalFlip(), v2.ToImage()])] * view.copies
    return Case(title, views, kept, peers)


def _enlarge(folder: str, out: Path) -> None:
    """Photographs as large as a camera's: the grain of a sensor is put on them, or they would be too easy to decode."""
    out.mkdir()
    always = np.random.default_rng(0)
    for file in sorted(Path(folder).rglob("*.jpg"))[:LARGE]:
        with Image.open(file) as image:
            scale = LARGE_SIDE / min(image.size)
            size = (round(image.width * scale), round(image.height * scale))
            pixels = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
        grain = always.integers(-6, 7, (*pixels.shape[:2], 1), dtype=np.int16)
        Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8)).save(out / file.name, quality=90)


def _ours(source: Any, program: ViewProgram, count: int) -> Work:
    def work() -> None:
        for wanted in torch.arange(count).split(BATCH):
            images, index = source.read(wanted)
            program(images, index, seed=0, epoch=0)

    return work


class _Photos(Dataset):  # type: ignore[type-arg]
    """torchvision's way of reading a folder (its ImageFolder needs subfolders, and these photographs lie flat)."""

    def __init__(self, folder: str, views: list[Callable[[Any], Tensor]], count: int) -> None:
        from torchvision.datasets.folder import default_loader

        self.files, self.load, self.views = sorted(Path(folder).rglob("*.jpg"))[:count], default_loader, views

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> list[Tensor]:
        picture = self.load(self.files[index])
        return [view(picture) for view in self.views]


def _torchvision(folder: str, views: list[Callable[[Any], Tensor]], count: int) -> Work:
    loader = DataLoader(_Photos(folder, views, count), batch_size=BATCH, num_workers=0)

    def work() -> None:
        for _ in loader:
            pass

    return work
