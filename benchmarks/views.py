"""Views: our batched program beside torchvision v2, image by image, and kornia, batched; one thread, on a processor."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as tv

from sslgraph.components.augment import native
from sslgraph.read.load import load_augmentation
from sslgraph.read.spec import View
from sslgraph.views.views import ViewProgram

from .turns import Timed, Work, in_turns

# The three lists of views that are compared: sides of the source, batch, and the views as a method would write them.
CIFAR = {"size": 32, "brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1, "blur.p": 0}
LISTS: dict[str, tuple[tuple[int, int], int, dict[str, View]]] = {
    "SimCLR, 2 x 32": ((32, 32), 256, {"x": View(augment="simclr", copies=2, settings=CIFAR)}),
    "BYOL, 2 x 224": ((256, 341), 32, {"x1": View(augment="byol_a"), "x2": View(augment="byol_b")}),
    "DINO, 2 x 224 + 8 x 96": (
        (256, 341),
        16,
        {
            "x1": View(augment="dino_global_a"),
            "x2": View(augment="dino_global_b"),
            "local_crops": View(augment="dino_local", copies=8),
        },
    ),
}


def measure(*, rounds: int = 5, lists: Mapping[str, Any] = LISTS) -> list[Timed]:
    """Times every list in every way there is; kornia where it is installed."""
    return [_measure(name, *lists[name], rounds) for name in lists]


def _measure(name: str, size: tuple[int, int], count: int, views: dict[str, View], rounds: int) -> Timed:
    images = photos(count, *size)
    found = {view.augment: load_augmentation(view.augment).spec for view in views.values()}
    ours = _ours(ViewProgram.build(views, found), images)
    ways: dict[str, Work] = {"sslgraph": ours, "sslgraph, no C compiler": _in_tensors(ours)}
    peers = [composed(view) for view in views.values() for _ in range(view.copies)]
    pictures = [tv.to_pil_image(image) for image in images]
    ways["torchvision v2, tensors"] = lambda: [torch.stack([each(image) for image in images]) for each in peers]
    ways["torchvision v2, Pillow"] = lambda: [torch.stack([each(image) for image in pictures]) for each in peers]
    if importlib.util.find_spec("kornia"):
        batched = [_kornia(view) for view in views.values() for _ in range(view.copies)]
        ways["kornia, batched"] = lambda: [each(images.float() / 255) for each in batched]
    title = f"{name} px from {size[0]}x{size[1]}, batch {count}"
    return in_turns(title, ways, unit="image", units=count, rounds=rounds)


def photos(count: int, height: int, width: int) -> Tensor:
    """Smooth coloured noise as bytes: what a colour step costs depends on no picture, but grey would be too easy."""
    always = torch.Generator().manual_seed(0)
    small = torch.rand(count, 3, height // 8, width // 8, generator=always)
    large = torch.nn.functional.interpolate(small, (height, width), mode="bilinear")
    return (large * 255).to(torch.uint8)


def _ours(program: ViewProgram, images: Tensor) -> Work:
    index = torch.arange(len(images))
    return lambda: program(images, index, seed=0, epoch=0)


def _in_tensors(work: Work) -> Work:
    def run() -> object:
        with mock.patch.object(native, "_library", lambda: None):
            return work()

    return run


def composed(view: View) -> Callable[[Any], Tensor]:
    """The same list of torchvision's own steps, for one image at a time."""
    steps: list[Any] = []
    for use, its in _settings(view):
        match use:
            case "augment.random_resized_crop":
                mode = InterpolationMode(its.get("interpolation", "bilinear"))
                steps.append(v2.RandomResizedCrop(its["size"], tuple(its["scale"]), interpolation=mode))
            case "augment.horizontal_flip":
                steps.append(v2.RandomHorizontalFlip(its["p"]))
            case "augment.color_jitter":
                strengths = [its[key] for key in ("brightness", "contrast", "saturation", "hue")]
                steps.append(v2.RandomApply([v2.ColorJitter(*strengths)], p=its["p"]))
            case "augment.grayscale":
                steps.append(v2.RandomGrayscale(its["p"]))
            case "augment.gaussian_blur" if its["p"] > 0:
                blur = v2.GaussianBlur(its.get("kernel") or 23, tuple(its["sigma"]))
                steps.append(v2.RandomApply([blur], p=its["p"]))
            case "augment.solarize" if its["p"] > 0:
                steps.append(v2.RandomSolarize(128, its["p"]))
            case "augment.normalize":
                steps += _floats()
                steps.append(v2.Normalize(its["mean"], its["std"]))
    return v2.Compose(steps if any(isinstance(step, v2.Normalize) for step in steps) else [*steps, *_floats()])


def _floats() -> list[Any]:
    return [v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]


def _kornia(view: View) -> Callable[[Tensor], Tensor]:
    from kornia import augmentation as K

    steps: list[Any] = []
    for use, its in _settings(view):
        match use:
            case "augment.random_resized_crop":
                side, mode = its["size"], its.get("interpolation", "bilinear")
                steps.append(K.RandomResizedCrop((side, side), scale=tuple(its["scale"]), resample=mode))
            case "augment.horizontal_flip":
                steps.append(K.RandomHorizontalFlip(p=its["p"]))
            case "augment.color_jitter":
                strengths = [its[key] for key in ("brightness", "contrast", "saturation", "hue")]
                steps.append(K.ColorJiggle(*strengths, p=its["p"]))
            case "augment.grayscale":
                steps.append(K.RandomGrayscale(p=its["p"]))
            case "augment.gaussian_blur" if its["p"] > 0:
                taps = its.get("kernel") or 23
                steps.append(K.RandomGaussianBlur((taps, taps), tuple(its["sigma"]), p=its["p"]))
            case "augment.solarize" if its["p"] > 0:
                steps.append(K.RandomSolarize(0.0, 0.0, p=its["p"]))
            case "augment.normalize":
                steps.append(K.Normalize(mean=its["mean"], std=its["std"]))
    return torch.nn.Sequential(*steps)


def _settings(view: View) -> list[tuple[str, dict[str, Any]]]:
    from sslgraph.views.overrides import resolve

    found = {view.augment: load_augmentation(view.augment).spec}
    return [(part.use, dict(part.settings)) for part in resolve({"x": view}, found)["x"].values()]
