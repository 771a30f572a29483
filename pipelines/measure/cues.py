"""Finds the cues that solve a pretext task: whole images, grey, coarse, rims alone, or one colour.

Each change is made to what the encoder itself is given, so that tiles are changed tile by tile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from sslgraph.amounts import percent
from sslgraph.compile.compile import CompiledMethod
from sslgraph.views.views import ViewProgram

from .shortcuts import BATCH, SURE, asked, drawn, error_of

Images = Float[Tensor, "batch 3 height width"]
Read = Callable[[Tensor], Any]
RIM = 4  # pixels that are left of each side
COARSE = 8  # pixels a side
MOST = 512  # images that are asked about


def grey(images: Images) -> Images:
    """The mean of the channels in each of them."""
    return images.mean(1, keepdim=True).expand_as(images)


def coarse(images: Images) -> Images:
    """No more than 8 x 8 pixels of it, as large as before."""
    small = interpolate(images, (COARSE, COARSE), mode="bilinear", antialias=True)
    return interpolate(small, images.shape[2:], mode="bilinear")


def rim(images: Images) -> Images:
    """Four pixels of each side (of small images an eighth), and 0 within."""
    wide = max(1, min(RIM, min(images.shape[2:]) // 8))
    inside = images.clone()
    inside[:, :, wide:-wide, wide:-wide] = 0
    return inside


def flat(images: Images) -> Images:
    """One colour: that of its mean."""
    return images.mean((2, 3), keepdim=True).expand_as(images)


CHANGES: Mapping[str, Callable[[Images], Images]] = {
    "images": lambda images: images, "grey": grey, "coarse": coarse, "rims": rim, "one colour": flat
}  # fmt: skip


@dataclass(frozen=True)
class Cues:
    """The shares of a loss's drawn labels that are predicted from test images, by what is left of these.

    told: by the words of CHANGES. chance: of the most frequent label. warnings: what follows, in words.
    """

    loss: str
    told: Mapping[str, float]
    chance: float
    labels: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """Cues that solve the task without a look at what is shown."""
        least = self.chance + SURE * error_of(self.chance, self.labels)
        gained = self.told["images"] - self.chance
        found = []
        if self.told["one colour"] > least:
            found.append("images of one colour tell the labels: padding or borders of the method's own do")
        if self.told["rims"] > least and self.told["rims"] - self.chance > gained / 2:
            found.append("rims alone tell more than half of it: lines that go on across them do")
        if self.told["images"] > least and self.told["grey"] - self.chance < gained / 2:
            found.append("without colour less than half of it is left: colours tell, perhaps those of the lens")
        return tuple(found)

    def __str__(self) -> str:
        shares = ", ".join(f"{words} {percent(share)}" for words, share in self.told.items())
        said = f"{self.loss}: labels predicted from test {shares}, by chance {percent(self.chance)}"
        return "; ".join([said, *self.warnings])


@torch.no_grad()
def cues(
    method: CompiledMethod, views: ViewProgram, read: Read, images: int, *, size: tuple[int, int],
    device: torch.device | str = "cpu",
) -> tuple[Cues, ...]:  # fmt: skip
    """Each pretext task whose labels are drawn, asked of the first so many images, changed in each of these ways.

    `read` gives the images at some indices. Methods without such a task, and images fewer than a batch, give nothing.
    """
    ports = drawn(method, views, size=size, device=device)
    rows = torch.arange(min(images, MOST)).split(BATCH)
    rows = tuple(some for some in rows if len(some) == BATCH)
    if not ports or not rows:
        return ()
    told: dict[str, dict[str, float]] = {loss: {} for loss in ports}
    known: dict[str, tuple[float, int]] = {}
    for words, change in CHANGES.items():
        with changed(method, change):
            found = asked(
                method, views, ports, ((read(some), some, number) for number, some in enumerate(rows)), device
            )
        for loss, (scores, labels) in found.items():
            there = labels >= 0
            told[loss][words] = float((scores == labels)[there].double().mean())
            known[loss] = (float(labels[there].bincount().max()) / int(there.sum()), int(there.sum()))
    return tuple(Cues(loss, shares, *known[loss]) for loss, shares in told.items())


@contextmanager
def changed(method: CompiledMethod, change: Callable[[Images], Images]) -> Iterator[None]:
    """What the exported nets are given as images, changed, for as long as this lasts."""

    def hook(_: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
        is_image = [isinstance(one, Tensor) and one.ndim == 4 and one.shape[1] == 3 for one in given]
        return tuple(change(one) if is_one else one for one, is_one in zip(given, is_image, strict=True))

    handles = [method.parts[name].register_forward_pre_hook(hook) for name in method.graph.exported]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
