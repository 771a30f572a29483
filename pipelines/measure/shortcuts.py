"""A pretext task on noise: labels that are predicted better than by chance come from an artefact."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sslgraph.amounts import percent
from sslgraph.compile.compile import CompiledMethod
from sslgraph.settle.evaluating import evaluating
from sslgraph.views.views import ViewProgram, clocked

from .told import ports as ports_of

IMAGES, BATCH = 512, 16
SURE = 4.0  # standard errors above chance: of 10,000 honest tasks fewer than one is there


@dataclass(frozen=True)
class Pretext:
    """A loss whose labels are drawn and not read from the image: shares of noise's labels predicted, and by chance.

    chance: of always predicting the most frequent label. artefact: the share is above what luck explains.
    """

    loss: str
    noise: float
    chance: float
    labels: int
    artefact: bool

    def __str__(self) -> str:
        shares = f"{percent(self.noise)} of the labels are predicted, by chance {percent(self.chance)}"
        told = f"{self.loss}: of noise, {shares}"
        why = "an artefact tells them, such as borders or interpolation, and not what images show"
        return f"{told}: {why}" if self.artefact else f"{told}: no artefact is found"


@torch.no_grad()
def asked_of_noise(
    method: CompiledMethod, views: ViewProgram, *, size: tuple[int, int], device: torch.device | str = "cpu"
) -> tuple[Pretext, ...]:
    """Each pretext task of a method, asked of images of independent pixels of a (height, width), in eval mode.

    Borders, interpolation and padding can tell the labels all the same (the dossier of every such paper warns of it).
    """
    ports, shape = drawn(method, views, size=size, device=device), (method.sized.channels, *size)
    epochs = range(IMAGES // BATCH if ports else 0)
    found = asked(
        method, views, ports, ((_noise(shape, epoch), torch.arange(BATCH), epoch) for epoch in epochs), device
    )
    return tuple(_judged(loss, *answers) for loss, answers in found.items())


@torch.no_grad()
def drawn(
    method: CompiledMethod, views: ViewProgram, *, size: tuple[int, int], device: torch.device | str = "cpu"
) -> dict[str, tuple[str, str]]:
    """The losses that are a pretext task, each with the tensors of its scores and of its class numbers.

    A loss is one if it says which port takes class numbers, and these change neither with the pixels nor with the index
    or the label of the image: then they are drawn, or given by the place in the batch.
    """
    ports = ports_of(method)
    if not ports:
        return {}
    program = method.training_program.only(dict.fromkeys(name for pair in ports.values() for name in pair))
    noise = (_noise((method.sized.channels, *size), number) for number in (0, 1))
    first, other = (_batch(views, images, torch.arange(BATCH), 0, device) for images in noise)
    moved = {k: v.roll(1, 0) if k.endswith((".index", ".label", ".map")) else v for k, v in other.items()}
    with evaluating(*method.modules()):
        before, after = program(first), program(moved)
    return {loss: pair for loss, pair in ports.items() if torch.equal(before[pair[1]], after[pair[1]])}


@torch.no_grad()
def asked(
    method: CompiledMethod, views: ViewProgram, ports: Mapping[str, tuple[str, str]],
    batches: Iterable[tuple[Any, Tensor, int]], device: torch.device | str = "cpu",
) -> dict[str, tuple[Tensor, Tensor]]:  # fmt: skip
    """For each of these losses the predicted labels, and the true ones, over batches of (images, index, epoch)."""
    program = method.training_program.only(dict.fromkeys(name for pair in ports.values() for name in pair))
    told: dict[str, tuple[list[Tensor], list[Tensor]]] = {}
    with evaluating(*method.modules()):
        for images, index, epoch in batches:
            out = program(_batch(views, images, index, epoch, device))
            for loss, (scores, labels) in ports.items():
                predicted, true = told.setdefault(loss, ([], []))
                predicted.append(out[scores].argmax(-1).flatten().cpu())
                true.append(out[labels].flatten().cpu())
    return {loss: (torch.cat(predicted), torch.cat(true)) for loss, (predicted, true) in told.items()}


def _noise(shape: tuple[int, int, int], number: int) -> Tensor:
    generator = torch.Generator().manual_seed(number)
    return torch.randint(256, (BATCH, *shape), generator=generator, dtype=torch.uint8)


def _batch(views: ViewProgram, images: Any, index: Tensor, epoch: int, device: torch.device | str) -> dict[str, Tensor]:
    """Images under an epoch's draws; labels and label maps are there for methods that read them."""
    labels = torch.arange(int(index.max()) + 1) % 2
    return clocked(
        views, images, index, seed=0, epoch=epoch, step=epoch, device=device, labels=labels,
        maps=[torch.full(image.shape[1:], int(i) % 2) for image, i in zip(images, index, strict=True)],
    )  # fmt: skip


def _judged(loss: str, told: Tensor, labels: Tensor) -> Pretext:
    told, labels = told[labels >= 0], labels[labels >= 0]
    count = max(1, len(labels))
    chance = float(labels.bincount().max()) / count if len(labels) else 0.0
    right = float((told == labels).sum()) / count
    return Pretext(loss, right, chance, len(labels), right > chance + SURE * error_of(chance, count))


def error_of(chance: float, count: int) -> float:
    """The standard error of the share of labels that chance predicts."""
    return math.sqrt(chance * (1 - chance) / max(1, count))
