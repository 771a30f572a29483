"""Pictures of what a method's ops make of its views before any network: tiles, turns, holes and masks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from sslgraph.compile.program import Program
from sslgraph.parts import registry
from sslgraph.settle.sized import SizedGraph, SizedLeg, Step

# Hidden patches keep a trace of what they hide, so that an eye can tell what is to be guessed.
VEIL, TRACE = 0.55, 0.15
GAP = 2  # pixels between the pictures of a mosaic


@dataclass(frozen=True)
class Made:
    """A picture that an op made of a view: what comes out of it, the same for the eye, and its words."""

    title: str
    view: str
    seen: Tensor
    pixels: Float[Tensor, "3 height width"]
    lines: tuple[str, ...]


class OpPictures:
    """The ops of the training leg that read views alone, run as the method's own program runs them."""

    def __init__(self, sized: SizedGraph, plugins: tuple[str, ...] = ()) -> None:
        leg = sized.training
        self.sized = sized
        self.calls, steps = _before_nets(sized, leg)
        names = {step.target for step in steps if step.kind == "call"}
        parts: dict[str, nn.Module] = {
            name: registry.build(sized.graph.boxes[name].use, sized.settings[name], plugins) for name in names
        }
        only = replace(leg, steps=steps)
        self.views = {name: _view_of(name, steps) for name in self.calls}
        self.program = Program(only, parts, frozenset(), {name: name for name in self.calls}) if self.calls else None

    def of(self, batch: Mapping[str, Tensor], undo: Mapping[str, Callable[[Tensor], Tensor]]) -> Iterator[Made]:
        """The pictures of a batch of one image; `undo` takes the values of each view back to 0..1."""
        if self.program is None:
            return
        with torch.no_grad():
            made: Mapping[str, Any] = self.program(batch)
        found = {name: out._asdict() if hasattr(out, "_asdict") else out for name, out in made.items()}
        for name, out in found.items():
            ports: dict[str, Tensor] = out if isinstance(out, dict) else {"": out}
            image, view = batch[f"{self.views[name]}.image"], self.views[name]
            told = tuple(_told(port, value) for port, value in ports.items() if _is_number(value))
            for port, value in ports.items():
                title = f"{name}.{port}" if port else name
                if value.ndim == 4 and value.shape[1] == 3 and value.is_floating_point():
                    yield Made(title, view, value, within(mosaic(undo[view](value))), told)
                elif value.ndim == 2 and value.dtype == torch.bool and _grid(image, value.shape[1]):
                    pixels = mosaic(veiled(undo[view](image).clamp(0, 1), value))
                    yield Made(title, view, value, pixels, (*told, f"{value.double().mean().item():.0%} {port}"))


def _before_nets(sized: SizedGraph, leg: SizedLeg) -> tuple[list[str], list[Step]]:
    """The calls of ops whose inputs come from views through ops and wiring only, and all steps that lead to them."""
    free: dict[str, Step] = {}
    calls: list[str] = []
    for step in leg.steps:
        section = sized.graph.boxes[step.target].section if step.kind == "call" else "wiring"
        if section in ("ops", "wiring") and all(source in free for _, source in step.inputs):
            free[step.name] = step
            if section == "ops" and _view_of(step.name, list(free.values())):
                calls.append(step.name)
    needed = set(calls)
    for step in reversed(list(free.values())):
        if step.name in needed:
            needed |= {source for _, source in step.inputs}
    return calls, [step for step in free.values() if step.name in needed]


def _view_of(name: str, steps: list[Step]) -> str:
    """The first view whose image leads to a step; "" if none does."""
    by_name = {step.name: step for step in steps}
    waiting = [name]
    while waiting:
        step = by_name[waiting.pop(0)]
        view, _, port = step.target.partition(".")
        if step.kind == "input" and port == "image":
            return view
        waiting += [source for _, source in step.inputs]
    return ""


def _is_number(value: Tensor) -> bool:
    """Whether an output is one whole number an image, such as the label of a puzzle."""
    return value.ndim == 1 and value.dtype == torch.int64


def _told(port: str, value: Tensor) -> str:
    return f"{port} {', '.join(map(str, value.tolist()))}"


def _grid(image: Float[Tensor, "rows 3 height width"], patches: int) -> tuple[int, int] | None:
    """Rows and columns of square patches, so many of which cover an image; None if they can't."""
    height, width = image.shape[2:]
    side = math.isqrt(height * width // patches) if patches else 0
    if not side or height % side or width % side or (height // side) * (width // side) != patches:
        return None
    return height // side, width // side


def veiled(
    images: Float[Tensor, "rows 3 height width"], hidden: Bool[Tensor, "rows patches"]
) -> Float[Tensor, "rows 3 height width"]:
    """Images in 0..1 with their hidden patches under a grey veil."""
    grid = _grid(images, hidden.shape[1])
    assert grid is not None
    sides = [size // count for size, count in zip(images.shape[2:], grid, strict=True)]
    mask = hidden.unflatten(1, grid).repeat_interleave(sides[0], 1).repeat_interleave(sides[1], 2)[:, None]
    return torch.where(mask, VEIL * (1 - TRACE) + TRACE * images, images)


def mosaic(images: Float[Tensor, "rows 3 height width"]) -> Float[Tensor, "3 tall wide"]:
    """One picture as it is; several row by row in a square, with a white gap between them."""
    count, _, height, width = images.shape
    if count == 1:
        return images[0]
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    whole = torch.ones(3, rows * (height + GAP) - GAP, columns * (width + GAP) - GAP)
    for i, image in enumerate(images):
        top, left = i // columns * (height + GAP), i % columns * (width + GAP)
        whole[:, top : top + height, left : left + width] = image
    return whole


def within(pixels: Float[Tensor, "3 height width"]) -> Float[Tensor, "3 height width"]:
    """Values for the eye: clamped to 0..1; stretched from least to greatest where more than a tenth lie outside."""
    outside = ((pixels < -1e-3) | (pixels > 1 + 1e-3)).double().mean()
    if outside > 0.1:
        low, high = pixels.min(), pixels.max()
        pixels = (pixels - low) / (high - low).clamp(min=1e-6)
    return pixels.clamp(0, 1)
