"""Matches the axis names of annotations with arriving shapes, and says where they do not fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, get_type_hints

import torch
from torch import Tensor, nn

from sslgraph.parts.signature import Port

WIDTHS = "set the widths of the parts that make them (out:, dim:) so that they match"

PLACES = "they count places: give both the same ones (the output patches has no class token; seen says which enter)"
SIDES = "they count pixels or cells: give both the same size"
CURES = {
    **dict.fromkeys(("kept", "tokens", "patches", "places"), PLACES),
    **dict.fromkeys(("height", "width", "rows", "columns"), SIDES),
}

# (axes that a value has, axes that a port takes): the parts that lead from one to the other.
FORMS = {
    (2, 3): "as_tokens(...) makes a row of an image its only token",
    (4, 3): "as_tokens(...) makes the cells of a map tokens",
    (3, 4): "as_map(...) lays the tokens of an image out as a map",
    (3, 2): "mean(...) pools the tokens of an image, fold(...) makes each a row of its own",
    (4, 2): "mean(...) pools the cells of a map, cells(...) makes each a row of its own",
}


def bind(ports: Mapping[str, Port], metas: Mapping[str, Any]) -> dict[str, int]:
    """Axis name -> size, over all annotated ports that a tensor arrives at; the first wins."""
    bound: dict[str, int] = {}
    for port, meta in metas.items():
        for axis, size in _axes(ports[port], meta):
            if axis.isidentifier():
                bound.setdefault(axis, size)
    return bound


def _axes(port: Port, meta: Any) -> list[tuple[str, int]]:
    """The named axes of a port with the sizes that arrive; those around one `*rest` or `...` match from both ends."""
    if not isinstance(meta, Tensor) or port.axes is None:
        return []
    rest = [i for i, axis in enumerate(port.axes) if axis.startswith("*") or axis == "..."]
    if not rest:
        return list(zip(port.axes, meta.shape, strict=False))
    before, after = port.axes[: rest[0]], port.axes[rest[0] + 1 :]
    last = meta.shape[len(meta.shape) - len(after) :]
    return [*zip(before, meta.shape, strict=False), *zip(after, last, strict=False)]


def promised(part: nn.Module, outputs: Sequence[Port], sizes: Mapping[str, Any]) -> Any:
    """The meta tensors that annotations promise, of axes whose sizes are known; None where one is not."""
    found = [_promised(port, sizes) for port in outputs]
    if any(meta is None for meta in found):
        return None
    kind = get_type_hints(type(part).forward).get("return") if outputs[0].name else None
    return found[0] if kind is None else kind(*found)


def _promised(port: Port, sizes: Mapping[str, Any]) -> Tensor | None:
    axes = port.axes or ("",)
    named = [size for axis in axes if isinstance(size := int(axis) if axis.isdigit() else sizes.get(axis), int)]
    if len(named) < len(axes):
        return None
    return torch.empty(named, dtype=torch.int64 if port.is_integer else torch.float32, device="meta")


def clash(ports: Mapping[str, Port], metas: Mapping[str, Any]) -> tuple[str, str] | None:
    """What does not fit between annotations and arriving tensors, as a sentence, and the cure; None where all does."""
    sizes: dict[str, tuple[int, str]] = {}
    for name, meta in metas.items():
        port = ports[name]
        if not isinstance(meta, Tensor):
            continue
        if port.kind not in ("", found := _kind(meta)):
            given = f"port '{name}' takes {port}: {port.kind}, and is given {found} of shape {list(meta.shape)}"
            return given, "look at the order of the arguments, or name the port that is meant: part(x, port=value)"
        if port.axes is None:
            continue
        variadic = any(axis.startswith("*") or axis == "..." for axis in port.axes)
        if (len(meta.shape) != len(port.axes)) if not variadic else len(meta.shape) < len(port.axes) - 1:
            return f"port '{name}' takes {port}, and is given {list(meta.shape)}", _axis_cure(port, meta)
        for axis, size in _axes(port, meta):
            if axis.isdigit() and int(axis) != size:
                return f"port '{name}' takes {port}, and is given {list(meta.shape)}", WIDTHS
            known, where = sizes.setdefault(axis, (size, name))
            if axis.isidentifier() and known != size:
                cure = _counts(known, size) if axis == "batch" else _turned(port, meta, sizes, CURES.get(axis, WIDTHS))
                return f"'{axis}' is {known} at port '{where}' and {size} at port '{name}'", cure
    return None


def _counts(one: int, other: int) -> str:
    """What to do where two values do not hold equally many images."""
    common = math.gcd(one, other)
    return f"they hold {one // common} views or patches of an image against {other // common}; give both as many"


def _kind(meta: Tensor) -> str:
    if meta.dtype == torch.bool:
        return "truth values"
    return "floating-point numbers" if meta.is_floating_point() else "whole numbers"


def _turned(port: Port, meta: Tensor, sizes: Mapping[str, tuple[int, str]], cure: str) -> str:
    """The cure; where the last two axes of a tensor fit the other way round, how to turn them."""
    known = {axis: size for axis, (size, where) in sizes.items() if where != port.name}
    turned = _axes(port, meta.mT) if meta.dim() > 2 else []
    fits = bool(turned) and all(known.get(axis, size) == size for axis, size in turned)
    return f"transpose(...) turns the last two axes of what '{port.name}' is given; or {cure}" if fits else cure


def _axis_cure(port: Port, meta: Tensor) -> str:
    """What to do where a tensor has more or fewer axes than a port: which part brings it into that form."""
    wanted, given = port.axes or (), len(meta.shape)
    views = "; in a part of your own, an axis that counts the views of a bag is called `views`"
    is_one_short = len(wanted) == given + 1 and not port.is_bag
    cure = f"connect a value that has these axes{views if is_one_short else ''}"
    if port.is_bag:
        return f"{cure}: of several views, as bag(...) or copies: make it" if given < len(wanted) else cure
    is_plain = wanted[:1] == ("batch",) and all(axis.isidentifier() for axis in wanted)
    ways = FORMS.get((given, len(wanted))) if is_plain else None
    return f"{ways}; or {cure}" if ways else cure
