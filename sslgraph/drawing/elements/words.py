"""Short words for the picture: what a part is, in which shape a tensor comes, how a schedule runs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from sslgraph.parts.signature import Signature
from sslgraph.schedules import is_schedule, schedule

_SIZES = {"tiny": "Ti", "small": "S", "base": "B", "large": "L", "huge": "H", "giant": "g"}
_GREEK = {"epsilon": "ε", "gamma": "γ", "redundancy": "λ", "momentum": "m"}


def title_of(part: Signature) -> str:
    """The name of a part: its trait, else its class's name as words."""
    return part.traits.title or spaced(part.class_name)


def part_words(part: Signature, settings: dict[str, Any]) -> str:
    """What a part is exactly, from its name and the settings by which the field knows it: "ResNet-50", "ViT-S/16"."""
    get, name = settings.get, part.traits.title or part.class_name
    if isinstance(get("preset"), str):
        preset = str(get("preset"))
        size = f"{name}-{_SIZES[preset]}" if preset in _SIZES else preset
        return f"{size}/{get('patch')}" if get("patch") else size
    if isinstance(get("name"), str):
        return str(get("name"))
    if _is_count(get("depth")):
        is_encoder = part.traits.role in ("encoder", "")
        return (
            f"{name}-{get('depth')}"
            if is_encoder and not part.traits.title
            else f"{title_of(part)}, {get('depth')} blocks"
        )
    widths = [*_widths(get("hidden")), *_widths(get("out"))]
    return f"{title_of(part)} {'→'.join(map(number, widths))}" if widths else title_of(part)


def op_words(part: Signature, settings: dict[str, Any]) -> str:
    """An operation without weights, with the one or two numbers that say what it does."""
    said = [
        _setting(name, settings[name])
        for name in ("ratio", "k", "grid", "size", "out", "max_distance", "epsilon")
        if settings.get(name) is not None
    ]
    return f"{title_of(part)} {said[0]}" if said else title_of(part)


def loss_words(kind: str, settings: dict[str, Any], weight: Any) -> str:
    """What a loss measures and is set to, in lines: its kind, its figure's numbers, what is said in words."""
    numbers: list[str] = []
    words: list[str] = []
    for name, value in settings.items():
        if name.endswith("temperature"):
            index = name.removesuffix("temperature").strip("_")
            numbers.append(f"τ{f' {index}' if index else ''} = {scheduled(value)}")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            numbers.append(f"{_GREEK.get(name, name.replace('_', ' '))} = {value:g}")
        elif isinstance(value, str):
            words.append(f"{name}: {value}".replace("_", " "))
    if scheduled(weight) != "1":
        numbers.append(f"weight {scheduled(weight)}")
    return "\n".join(filter(None, (kind, " · ".join(numbers), " · ".join(words))))


def spaced(class_name: str) -> str:
    """A class's name as words; acronyms stay: "CosineRegression" is "cosine regression", "InfoNCE" stays."""
    if any(a.isupper() and b.isupper() for a, b in pairwise(class_name)):
        return class_name
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", class_name).lower()


def scheduled(value: Any) -> str:
    """A number, or how it runs: "0.996 → 1"."""
    if not (is_schedule(value) or isinstance(value, int | float)):
        return str(value)
    found = schedule(value)
    values = [found.values[0], *found.values[1:]]
    while found.then is not None:
        found = found.then
        values += found.values
    return " → ".join(f"{v:g}" for v in values)


def number(value: Any) -> str:
    """A whole number with thin gaps: 65 536; four digits stay together."""
    text = str(value)
    return re.sub(r"(?<=\d)(?=(\d{3})+$)", " ", text) if text.isdigit() and len(text) > 4 else text


def count(parameters: int) -> str:
    """How many parameters: "23.5 M"."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if parameters >= size:
            return f"{parameters / size:.3g} {unit}" if parameters < 100 * size else f"{parameters / size:.0f} {unit}"
    return str(parameters)


def shape_words(shapes: Iterable[tuple[int, ...]], batch: int | None, images: int | None = None) -> str:
    """Shapes in the reader's terms: B is the batch, N the images of the data set, equal sides a square: "2B×3×224²"."""
    return ", ".join(_one_shape(shape, batch, images) for shape in shapes)


def _one_shape(shape: tuple[int, ...], batch: int | None, images: int | None) -> str:
    words = ["N" if size == images else number(size) for size in shape]
    if batch and shape and shape[0] % batch == 0:
        copies = shape[0] // batch
        words[0] = "B" if copies == 1 else f"{copies}B"
    if len(shape) >= 4 and shape[-1] == shape[-2]:  # tokens by width are no square, whatever their numbers
        words[-2:] = [f"{words[-1]}²"]
    return "×".join(words) or "scalar"


def _widths(value: Any) -> list[int]:
    values = list(value) if isinstance(value, list | tuple) else [value]
    return [v for v in values if _is_count(v)]


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _setting(name: str, value: Any) -> str:
    if name == "ratio" and isinstance(value, float):
        return f"{value * 100:g} %"
    if isinstance(value, dict) and "uniform" in value:  # a draw for each sample
        low, high = value["uniform"]
        of_some = f", of {value['p'] * 100:g} %" if value.get("p", 1) < 1 else ""
        return f"{low * 100:g}–{high * 100:g} %{of_some}"
    if name == "grid":
        return f"{value}×{value}"
    if name == "epsilon":
        return f"ε = {scheduled(value)}"
    if name == "k":
        return f"k = {number(value)}"
    if name == "size" and not _is_count(value):
        return str(value).replace("_", " ")
    return f"≤ {value}" if name == "max_distance" else f"→ {number(value)}" if name == "out" else number(value)
