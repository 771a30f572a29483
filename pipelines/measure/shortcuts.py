"""A pretext task asked of noise: labels told better than by chance come from an artefact, since nothing is in there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from sslgraph.amounts import percent
from sslgraph.compile.compile import CompiledMethod
from sslgraph.settle.views import ViewProgram, clocked

IMAGES, BATCH = 512, 16
SURE = 4.0  # standard errors above chance: of 10,000 honest tasks fewer than one lies there


@dataclass(frozen=True)
class Pretext:
    """A loss whose labels are drawn and not read from the image: shares of noise's labels told, and by chance.

    chance: of always telling the most frequent label. artefact: the share told is above what luck explains.
    """

    loss: str
    noise: float
    chance: float
    labels: int
    artefact: bool

    def __str__(self) -> str:
        told = f"{self.loss}: of noise, {percent(self.noise)} of the labels are told, by chance {percent(self.chance)}"
        why = "an artefact tells them, such as borders or interpolation, and not what images show"
        return f"{told}: {why}" if self.artefact else f"{told}: no artefact is found"


@torch.no_grad()
def asked_of_noise(
    method: CompiledMethod, views: ViewProgram, *, size: tuple[int, int], device: torch.device | str = "cpu"
) -> tuple[Pretext, ...]:
    """Each pretext task of a method, asked of images of independent pixels of a (height, width), in eval mode.

    A loss is one if it says which port takes class numbers, and these change neither with the pixels nor with the index
    or the label of the image: then they are drawn, or given by the place in the batch. Borders, interpolation and
    padding can tell them all the same (the dossier of every such paper warns of it).
    """
    ports = _ports(method)
    if not ports:
        return ()
    program = method.training_program.only(dict.fromkeys(name for pair in ports.values() for name in pair))
    was_training = method.training
    method.eval()
    try:
        first, other = (_batch(views, 0, size, device, pixels=pixels) for pixels in (0, 1))
        moved = {k: v.roll(1, 0) if k.endswith((".index", ".label")) else v for k, v in other.items()}
        before, after = program(first), program(moved)
        drawn = {loss: pair for loss, pair in ports.items() if torch.equal(before[pair[1]], after[pair[1]])}
        told: dict[str, list[tuple[Tensor, Tensor]]] = {loss: [] for loss in drawn}
        for epoch in range(IMAGES // BATCH if drawn else 0):
            out = program(_batch(views, epoch, size, device, pixels=epoch))
            for loss, (scores, labels) in drawn.items():
                told[loss].append((out[scores].argmax(-1).flatten().cpu(), out[labels].flatten().cpu()))
    finally:
        method.train(was_training)
    return tuple(_judged(loss, *(torch.cat(some) for some in zip(*found, strict=True))) for loss, found in told.items())


def _ports(method: CompiledMethod) -> dict[str, tuple[str, str]]:
    """The tensors of scores and of class numbers of each loss of the training step that has both."""
    (leg,) = (leg for leg in method.sized.legs if leg.leg.is_training)
    found, losses = {}, {loss.name for loss in leg.leg.losses}
    for step in leg.steps:
        if step.kind == "call" and step.target in losses:
            scores, labels = method.graph.boxes[step.target].traits.classifies
            inputs = dict(step.inputs)
            if scores in inputs and labels in inputs:
                found[step.target] = (inputs[scores], inputs[labels])
    return found


def _batch(
    views: ViewProgram, epoch: int, size: tuple[int, int], device: torch.device | str, *, pixels: int
) -> dict[str, Tensor]:
    """Noise under an epoch's draws; indices and labels are there for methods that read them."""
    noise = torch.Generator().manual_seed(pixels)
    images = torch.randint(256, (BATCH, 3, *size), generator=noise, dtype=torch.uint8)
    index = torch.arange(BATCH)
    return clocked(views, images, index, seed=0, epoch=epoch, step=epoch, device=device, labels=index % 2)


def _judged(loss: str, told: Tensor, labels: Tensor) -> Pretext:
    told, labels = told[labels >= 0], labels[labels >= 0]
    count = max(1, len(labels))
    chance = float(labels.bincount().max()) / count if len(labels) else 0.0
    right = float((told == labels).sum()) / count
    error = math.sqrt(chance * (1 - chance) / count)
    return Pretext(loss, right, chance, len(labels), right > chance + SURE * error)
