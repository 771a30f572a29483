"""Parts whose work depends on values, which meta tensors lack: their shapes come from a few real images."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sslgraph.parts import registry
from sslgraph.parts.signature import Port

FEW = 8  # images; a second run with twice as many shows which axes grow with them


def needs_numbers(wrong: Exception) -> bool:
    """Whether torch raised this because a tensor on the meta device has no numbers (torch.cov, .item(), nonzero)."""
    return re.search("meta tensor|register_meta", str(wrong), re.IGNORECASE) is not None


def built(use: str, settings: dict[str, Any], plugins: tuple[str, ...]) -> nn.Module:
    """The part on the CPU, with the same weights each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        part: nn.Module = registry.build(use, settings, plugins)
    return part


def called(part: nn.Module, method: str, inputs: Mapping[str, Any]) -> Any:
    """What a write of a part gives, or its forward where `method` is empty."""
    return (getattr(part, method) if method else part)(**inputs)


def result(part: nn.Module, method: str, ports: Mapping[str, Port], metas: Mapping[str, Any]) -> Any:
    """What the call gives for random inputs, as meta tensors; of many images it is found from FEW.

    Floats are drawn from [0, 1), truth values evenly, whole numbers are 0. Truth values of one shape are the same in
    every call, so that what two parts pick by one mask is equally long. Writes see all rows: a state may have room for
    just as many.
    """
    axes = {} if method else _batch_axes(ports, metas)
    rows = max((metas[port].shape[axis] for port, axis in axes.items()), default=0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found = [
            called(part, method, {port: _random(meta, axes.get(port), count) for port, meta in metas.items()})
            for count in ((FEW, 2 * FEW) if rows > 2 * FEW else (rows,))
        ]
    return _grown(found[0], found[-1], rows - FEW)


def few(ports: Mapping[str, Port], metas: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Random inputs of a call, of FEW images where it has more."""
    axes = _batch_axes(ports, metas)
    rows = min([FEW, *(metas[port].shape[axis] for port, axis in axes.items())])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return {port: _random(meta, axes.get(port), rows) for port, meta in metas.items()}


def _batch_axes(ports: Mapping[str, Port], metas: Mapping[str, Any]) -> dict[str, int]:
    """The axis of each port that counts images; none where two of them disagree."""
    named = {name: ("batch",) if name == "draw" else ports[name].axes or () for name in metas}
    found = {name: axes.index("batch") for name, axes in named.items() if "batch" in axes}
    return found if len({metas[name].shape[axis] for name, axis in found.items()}) == 1 else {}


def _random(meta: Tensor, axis: int | None, count: int) -> Tensor:
    shape = [count if number == axis else size for number, size in enumerate(meta.shape)]
    if meta.is_floating_point():
        return torch.rand(shape, dtype=meta.dtype)
    if meta.dtype == torch.bool:
        return torch.rand(shape, generator=torch.Generator().manual_seed(0)) < 0.5
    return torch.zeros(shape, dtype=meta.dtype)


def _grown(few: Any, more: Any, images: int) -> Any:
    """The meta tensors of a result, `images` larger than that for FEW; `more` is the result for FEW more."""
    if isinstance(few, Tensor):
        sizes = [size + (other - size) * images // FEW for size, other in zip(few.shape, more.shape, strict=True)]
        return torch.empty(sizes, dtype=few.dtype, device="meta")
    if isinstance(few, tuple):  # a NamedTuple of tensors
        return type(few)(*(_grown(one, other, images) for one, other in zip(few, more, strict=True)))
    return few
