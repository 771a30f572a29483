"""What a method paints: filled holes, rebuilt patches, added colours, beside the images they come from."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from sslgraph.compile.compile import CompiledMethod
from sslgraph.settle.evaluating import evaluating
from sslgraph.settle.sized import SizedLeg, Step
from sslgraph.views.views import clocked

from ...evaluate.restored import Restored
from ...feed.feed import Images
from ...feed.label_maps import MapsOf

IMAGE = "image"  # the word of `pictures` that takes the view itself, in 0..1
TOLD = "told_"  # with an output behind it: the scores that a loss compares with this output
SIDE = 144  # pixels of a picture
HIDDEN = 0.6  # the grey of what a method does not see


@dataclass(frozen=True)
class Painted:
    """The pictures of one image by one part of a method, in its words and order."""

    part: str
    index: int
    pictures: dict[str, Image.Image]


@torch.no_grad()
def painted(
    encoders: Restored, images: Images, index: Tensor, undo: Callable[[Tensor], Tensor], device: torch.device,
    maps: MapsOf | None = None,
) -> tuple[Painted, ...]:  # fmt: skip
    """By each loss or op with a method `pictures`, which takes its own input ports, the view as `image`, and the scores
    that a loss compares with an output, as told_OUTPUT.

    `maps` gives the label maps of the images, for methods that read them.
    """
    method, count = encoders.method, len(index)
    calls = dict(painting(method))
    if not calls:
        return ()
    with evaluating(*method.modules()):
        batch = clocked(
            encoders.views, images, index, seed=0, epoch=0, step=0, device=device,
            labels=torch.zeros(int(index.max()) + 1).long(), maps=None if maps is None else maps(index),
        )  # fmt: skip
        names = dict.fromkeys(name for ports in calls.values() for name in ports.values())
        out = method.training_program.only(names)(batch)
    view = undo(batch[f"{method.graph.seen}.image"].cpu()).to(device)
    rows = []
    for part, ports in calls.items():
        make: Any = method.parts[part].pictures
        given = {port: out[name] for port, name in ports.items()}
        of_view = {IMAGE: view} if IMAGE in inspect.signature(make).parameters else {}
        found = {
            name: _shown(values[:count], undo, is_undone=bool(of_view))
            for name, values in make(**of_view, **given).items()
        }
        if found and all(pictures is not None for pictures in found.values()):
            shown = {name: pictures for name, pictures in found.items() if pictures is not None}
            rows += [Painted(part, int(i), {name: p[row] for name, p in shown.items()}) for row, i in enumerate(index)]
    return tuple(rows)


def painting(method: CompiledMethod) -> Iterator[tuple[str, dict[str, str]]]:
    """The parts of the training step that can show what they paint, and the tensor for each word of `pictures`."""
    leg = method.sized.training
    for step in leg.steps:
        if step.kind != "call" or not hasattr(method.parts[step.target], "pictures"):
            continue
        part: Any = method.parts[step.target]
        words = inspect.signature(part.pictures).parameters
        known = {port: name for port, name in step.inputs if port in words}
        asked = [word for word in words if word.startswith(TOLD)]
        known |= {word: scores for word in asked if (scores := _told(leg, step, word.removeprefix(TOLD)))}
        if all(word in known or word == IMAGE or words[word].default is not inspect.Parameter.empty for word in words):
            yield step.target, known


def _told(leg: SizedLeg, made: Step, port: str) -> str:
    """The scores that a loss compares with an output of a call: what that loss is given first; "" if none does."""
    outputs = {step.name for step in leg.steps if step.kind == "get" and step.target == port
               and step.inputs[0][1] == made.name}  # fmt: skip
    losses = {loss.name for loss in leg.leg.losses}
    readers = (s for s in leg.steps if s.target in losses and outputs & {name for _, name in s.inputs})
    return next((step.inputs[0][1] for step in readers), "")


def _shown(values: Tensor, undo: Callable[[Tensor], Tensor], *, is_undone: bool) -> list[Image.Image] | None:
    """Images, or rows of patches, in 0..1; None for what is neither."""
    pixels = unpatched(values.float().cpu()) if values.ndim == 3 else values.float().cpu()
    if pixels is None or pixels.ndim != 4 or pixels.shape[1] != 3:
        return None
    pixels = (pixels if is_undone else undo(pixels)).clamp(0, 1).nan_to_num(HIDDEN)
    made = (255 * pixels).round().byte().permute(0, 2, 3, 1).numpy()
    return [Image.fromarray(one).resize((SIDE, SIDE), Image.Resampling.NEAREST) for one in made]


def unpatched(rows: Float[Tensor, "batch patches numbers"]) -> Float[Tensor, "batch 3 side side"] | None:
    """Square patches of three channels, row by row, channel fastest, as one square image; None if they make none."""
    patches, side = math.isqrt(rows.shape[1]), math.isqrt(rows.shape[2] // 3)
    if patches**2 != rows.shape[1] or 3 * side**2 != rows.shape[2]:
        return None
    grid = rows.view(len(rows), patches, patches, side, side, 3)
    return grid.permute(0, 5, 1, 3, 2, 4).reshape(len(rows), 3, patches * side, patches * side)
