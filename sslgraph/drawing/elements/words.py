"""Short words for the picture: what a part is, in which shape a tensor comes, how a schedule runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from sslgraph.parts.signature import Signature
from sslgraph.schedules import is_schedule, schedule

_SIZES = {"tiny": "Ti", "small": "S", "base": "B", "large": "L", "huge": "H", "giant": "g"}
# Of an op's settings the one behind its name is the first of these; what its encoder says, too, is left out.
_FIRST = ("ratio", "k", "grid", "size", "out", "max_distance", "epsilon")
_ELSEWHERE = ("patch",)
_GREEK = {"epsilon": "ε", "gamma": "γ", "redundancy": "λ", "momentum": "m"}


def title_of(part: Signature) -> str:
    """The name of a part: its trait, else its class's name as words."""
    return part.traits.title or spaced(part.class_name)


def part_words(part: Signature, settings: dict[str, Any]) -> str:
    """What a part is exactly, from its name and the settings by which the field knows it: "ResNet-50", "ViT-S/16"."""
    known, seen = part.settings.get("attention"), settings.get("attention")
    is_special = known is not None and isinstance(seen, str) and seen != known.default  # "causal": what a row sees
    return f"{seen} {_part_words(part, settings)}" if is_special else _part_words(part, settings)


def _part_words(part: Signature, settings: dict[str, Any]) -> str:
    get, name = settings.get, part.traits.title or part.class_name
    if isinstance(get("preset"), str):
        preset = str(get("preset"))
        size = f"{name}-{_SIZES[preset]}" if preset in _SIZES else preset
        return f"{size}/{get('patch')}" if get("patch") else size
    if isinstance(get("name"), str):
        return str(get("name"))
    if _is_count(get("depth")):
        is_encoder = part.traits.role in ("encoder", "") and not part.traits.title
        return f"{name}-{get('depth')}" if is_encoder else f"{title_of(part)}, {get('depth')} blocks"
    widths = [*_widths(get("hidden")), *_widths(get("out"))]
    return f"{title_of(part)} {'→'.join(map(number, widths))}" if widths else title_of(part)


def op_words(part: Signature, settings: dict[str, Any], own: dict[str, Any]) -> tuple[str, str]:
    """An operation without weights with the number that says what it does, and what else a spec sets of its own."""
    first = next((name for name in _FIRST if settings.get(name) is not None), "")
    title = f"{title_of(part)} {_setting(first, settings[first])}" if first else title_of(part)
    rest = {name: value for name, value in own.items() if name not in (first, *_ELSEWHERE)}
    return title, settings_words(rest)


def loss_words(kind: str, settings: dict[str, Any], weight: Any) -> str:
    """What a loss measures and is set to, in lines: its kind, its figure's numbers, what is said in words."""
    return "\n".join(filter(None, (kind, settings_words(settings, weight))))


def settings_words(settings: dict[str, Any], weight: Any = 1) -> str:
    """What a part is set to, in lines: numbers, and what is said in words."""
    numbers: list[str] = []
    words: list[str] = []
    for name, value in settings.items():
        said = name.replace("_", " ")
        if name.endswith("temperature"):
            index = name.removesuffix("temperature").strip("_")
            numbers.append(f"τ{f' {index}' if index else ''} = {scheduled(value)}")
        elif isinstance(value, bool):
            words += [said] if value else []
        elif isinstance(value, int | float):
            numbers.append(f"{_GREEK.get(name, said)} = {number(value) if isinstance(value, int) else f'{value:g}'}")
        elif isinstance(value, list) and any(isinstance(one, float) for one in value):  # the bounds of a share
            numbers.append(f"{_GREEK.get(name, said)} = {', '.join(scheduled(one) for one in value)}")
        elif isinstance(value, str):
            words.append(f"{said}: {value.replace('_', ' ')}")
    if scheduled(weight) != "1":
        numbers.append(f"weight {scheduled(weight)}")
    return "\n".join(filter(None, (" · ".join(numbers), " · ".join(words))))


def spaced(class_name: str) -> str:
    """A class's name as words; acronyms stay: "CosineRegression" is "cosine regression", "InfoNCE" stays."""
    if any(a.isupper() and b.isupper() for a, b in pairwise(class_name)):
        return class_name
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", class_name).lower()


def scheduled(value: Any) -> str:
    """A number, or how it runs: "0.996 → 1"."""
    if not (is_schedule(value) or isinstance(value, int | float)):
        return str(value)
    return " → ".join(f"{number:g}" for number in schedule(value).every_value)


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


def shape_words(shapes: Iterable[tuple[int, ...]], batch: int | None, names: Mapping[int, str] | None = None) -> str:
    """Shapes in the reader's terms: B is the batch, equal sides a square: "2B×3×224²".

    `names` are those of sizes that the method does not say, such as N for the images of the data set.
    """
    return ", ".join(_one_shape(shape, batch, names or {}) for shape in shapes)


def _one_shape(shape: tuple[int, ...], batch: int | None, names: Mapping[int, str]) -> str:
    words = [names.get(size) or number(size) for size in shape]
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
        several = value if isinstance(value, list | tuple) else [value]
        same = len(several) > 1 and len(set(several)) == 1
        return f"k = {len(several)} × {number(several[0])}" if same else f"k = {', '.join(map(number, several))}"
    if name == "size" and not _is_count(value):
        return str(value).replace("_", " ")
    return f"≤ {value}" if name == "max_distance" else f"→ {number(value)}" if name == "out" else number(value)
