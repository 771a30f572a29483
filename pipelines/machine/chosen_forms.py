"""Chooses the forms in which a run computes by the rates of its machine; a resumed run keeps them.

Another form gives other bits of the same sums. So a run that was begun keeps its forms, and all ranks take the first
one's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import nn

from sslgraph import collectives

from ..storage import checkpoint
from . import small_maps
from .calibration import ATTENTIONS, LAYOUTS, PRECISIONS, Rates, calibrated
from .probes import DTYPES, MAPS

Precision = Literal["bfloat16", "float32", "float64"]
MARGIN = 1.1  # a form other than the usual one must be so much faster: less is noise
ATTENTION = "TIMM_FUSED_ATTN"  # timm's own variable, which has the last word


@dataclass(frozen=True)
class Forms:
    """The forms of a run. `maps`: by precision, places up to which weight gradients and other sums are products."""

    precision: Precision
    channels_last: bool = True
    fused_attention: bool = False
    maps: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    threads: int = 1
    device: str = "cpu"
    why: str = ""

    def record(self) -> dict[str, Any]:
        """The forms as plain values."""
        return asdict(self)

    @classmethod
    def recorded(cls, found: Mapping[str, Any]) -> Forms:
        """The forms of a run that was begun."""
        maps = {str(name): (int(pair[0]), int(pair[1])) for name, pair in found["maps"].items()}
        return cls(**{**found, "maps": maps, "why": "as the run began"})

    def on(self, net: nn.Module) -> None:
        """Gives a net on a processor these forms, in place; its weights stay the same tensors."""
        small_maps.as_products(net, {DTYPES[name]: pair for name, pair in self.maps.items()})
        for layer in net.modules() if ATTENTION not in os.environ else ():
            if isinstance(getattr(layer, "fused_attn", None), bool):
                layer.fused_attn = self.fused_attention  # type: ignore[assignment]

    @property
    def dtype(self) -> torch.dtype:
        """What the run multiplies in."""
        return {**DTYPES, "float64": torch.float64}[self.precision]

    @property
    def layout(self) -> torch.memory_format:
        """The memory layout of images and convolutions."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def __str__(self) -> str:
        layout = "channels last" if self.channels_last else "channels first"
        attention = "fused attention" if self.fused_attention else "attention as products"
        most = self.maps.get(self.precision, (0, 0))
        maps = f"products for maps up to {most[0]} places (gradient of the weight) and {most[1]} (the rest)"
        return f"{self.precision}, {layout}, {maps if any(most) else 'no map as products'}, {attention}"


def of_run(
    checkpoints: Path, wish: str, nets: Iterable[nn.Module], on: torch.device, *, pinned: int | None = None
) -> Forms:
    """The forms that a run began with, else those that are chosen now: the first rank's, on all of them.

    The forms of a run that began on another kind of device are chosen anew. A process uses no more threads than it has,
    unless the recipe pins their number.
    """
    found, threads = None, torch.get_num_threads()
    if collectives.rank() == 0:
        begun = checkpoint.about(checkpoints).get("forms")
        found = Forms.recorded(begun) if begun and begun["device"] == on.type else fitting(wish, nets, on)
    found = cast(Forms, collectives.of_the_first(found))
    if pinned is not None:
        found, threads = replace(found, threads=pinned), pinned
    torch.set_num_threads(min(threads, found.threads))
    if threads < found.threads:
        change = f"{found.threads} threads when it began and {threads} now: the last bits will differ"
        return replace(found, why=f"{change}; OMP_NUM_THREADS={found.threads} keeps them")
    return found


def fitting(wish: str, nets: Iterable[nn.Module], on: torch.device) -> Forms:
    """The forms that fit nets and a device; a processor is measured where that was never done."""
    if on.type == "cpu":
        return chosen(calibrated(), wish=wish, convolves=convolves(nets))
    has_short = on.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    precision = cast(Precision, wish if wish != "auto" else "bfloat16" if has_short else "float32")
    return Forms(precision, fused_attention=True, threads=torch.get_num_threads(), device=on.type)


def chosen(rates: Rates, *, wish: str, convolves: bool) -> Forms:
    """The forms that these rates speak for; `wish` is the recipe's precision, `convolves` the kind of the nets."""
    kind, ways = ("convolutions", LAYOUTS) if convolves else ("transformer", ATTENTIONS)
    best = {p: max(rates[f"{kind} {p} {way}"] for way in ways) for p in PRECISIONS}
    is_short = best["bfloat16"] > MARGIN * best["float32"]
    precision = cast(Precision, wish if wish != "auto" else "bfloat16" if is_short else "float32")
    like = precision if precision in PRECISIONS else "float32"  # doubles take the forms of floats
    last, first = (rates[f"convolutions {like} {layout}"] for layout in LAYOUTS)
    products, fused = (rates[f"transformer {like} {attention}"] for attention in ATTENTIONS)
    numbers = ", ".join(f"{p} {best[p] / 1e9:,.0f}" for p in sorted(PRECISIONS))
    what = "convolutions" if convolves else "transformer blocks"
    return Forms(
        precision=precision,
        channels_last=first <= MARGIN * last,
        fused_attention=fused > MARGIN * products,
        maps={p: _limits(rates, p) for p in PRECISIONS},
        threads=_threads(rates),
        why=f"{what} here, GFLOP/s: {numbers}" + ("" if wish == "auto" else f"; precision: {wish}"),
    )


def convolves(nets: Iterable[nn.Module]) -> bool:
    """Whether nets are convolutional: they have windows that overlap, as no cut into patches has."""
    layers = (layer for net in nets for layer in net.modules() if isinstance(layer, nn.Conv2d))
    return any(layer.kernel_size[0] > layer.stride[0] for layer in layers)


def peak(rates: Rates, forms: Forms) -> float:
    """Operations a second of the machine's best product or convolution, with the threads and in the precision of a run.

    Where torch's products come from a library that this processor does not suit, convolutions are the faster ones.
    """
    short = forms.precision if forms.precision in PRECISIONS else "float32"
    return max(rate for name, rate in rates.items() if f" {short}" in name) * forms.threads


def expected(rates: Rates, forms: Forms, *, convolves: bool) -> float:
    """Operations a second of the blocks that a net is made of, in these forms."""
    short = forms.precision if forms.precision in PRECISIONS else "float32"
    way = LAYOUTS[not forms.channels_last] if convolves else ATTENTIONS[forms.fused_attention]
    return rates[f"{'convolutions' if convolves else 'transformer'} {short} {way}"] * forms.threads


def _limits(rates: Rates, precision: str) -> tuple[int, int]:
    """Places up to which products win in every size that was measured: for the weight's gradient, and for both sums."""
    if f"map 2 {precision} output product" not in rates:  # slower than the other precision, and not looked at
        return small_maps.LIMITS[DTYPES[precision]]
    limit = {"weight": 0, "output": 0}
    for done in limit:
        for side in sorted(MAPS):
            product, plain = (rates[f"map {side} {precision} {done} {form}"] for form in ("product", "convolution"))
            if product <= MARGIN * plain:
                break
            limit[done] = side**2
    return limit["weight"], min(limit.values())


def _threads(rates: Rates) -> int:
    """The most threads, unless fewer are clearly faster."""
    by_count = {int(name.split()[1]): rate for name, rate in rates.items() if name.startswith("threads ")}
    most, best = max(by_count), max(by_count, key=lambda count: by_count[count])
    return best if by_count[best] > MARGIN * by_count[most] else most
