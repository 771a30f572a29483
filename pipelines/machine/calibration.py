"""Measures once, in a second, how fast this machine does the work of nets in each form, and keeps the rates.

Rates are operations a second of one thread, of `memory` bytes a second. They are named `product PRECISION` (the peak),
`convolutions PRECISION LAYOUT`, `transformer PRECISION ATTENTION`, `map SIDE PRECISION SUM FORM` and `threads COUNT`
(that of all threads together).
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from sslgraph import home
from sslgraph.files import whole_file

from . import probes
from .machine import cores

Rates = Mapping[str, float]
FORM = 1  # of what is measured and kept; changes with it
PRECISIONS, LAYOUTS, ATTENTIONS = ("float32", "bfloat16"), ("channels-last", "channels-first"), ("products", "fused")
SUMS, FORMS = ("output", "weight"), ("convolution", "product")
CONVOLVED, TRANSFORMED, MAPPED = 8, 8, {2: 32, 4: 16, 8: 16}  # images of each piece of work
BUSY = 0.5  # load per core above which other work disturbs what is measured
LIMITING = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "MKL_ENABLE_INSTRUCTIONS")


def calibrated(*, measure: Callable[[], Rates] | None = None) -> Rates:
    """The rates with torch's present number of threads: those kept in the cache, else measured now and kept.

    A file that is damaged, of another machine, or in a folder of another user counts as none, and so does one that was
    measured beside other work of which half is gone now. A cache that can't be written costs a second at each start.
    """
    here = machine()
    try:
        file = _folder() / f"{_named(here)}.json"
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return (measure or measured)()
    if (kept := _kept(file, here)) is not None:
        return kept
    found = (measure or measured)()
    keep(found)
    return found


def keep(rates: Rates) -> None:
    """Writes the rates of this machine into the cache, whole or not at all."""
    here = machine()
    text = {"machine": here, "rates": dict(rates), "measured": time.strftime("%Y-%m-%d %H:%M:%S"),
            "load": round(os.getloadavg()[0], 1)}  # fmt: skip
    with suppress(OSError, RuntimeError):
        whole_file.put_json(_folder() / f"{_named(here)}.json", text)


def measured() -> dict[str, float]:
    """Times every form now, with one thread, and then how much more threads do: about a second."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rates = _by_one_thread()
    finally:
        torch.set_num_threads(threads)
    return rates | _by_threads(rates)


def _by_one_thread() -> dict[str, float]:
    rates = {f"product {p}": probes.product_rate(p, torch.device("cpu")) for p in PRECISIONS}
    rates["memory"] = probes.memory_rate(torch.device("cpu"))
    blocks = {f"convolutions {p} {layout}": probes.residual_block(p, channels_last=layout == "channels-last")
              for p in PRECISIONS for layout in LAYOUTS}  # fmt: skip
    rates |= _rates(blocks, CONVOLVED, probes.residual_flops())
    blocks = {f"transformer {p} {a}": probes.transformer_block(p, fused=a == "fused")
              for p in PRECISIONS for a in ATTENTIONS}  # fmt: skip
    rates |= _rates(blocks, TRANSFORMED, probes.transformer_flops())
    for precision in sorted({_best(rates, "convolutions", LAYOUTS), _best(rates, "transformer", ATTENTIONS)}):
        for side in probes.MAPS:
            for done in SUMS:
                makes = (
                    probes.small_map(precision, side, products=form == "product", weight=done == "weight")
                    for form in FORMS
                )
                forms = dict(zip((f"map {side} {precision} {done} {form}" for form in FORMS), makes, strict=True))
                rates |= _rates(forms, MAPPED[side], probes.map_flops(side))
    return rates


def fastest_of(rates: Rates, precision: str) -> float:
    """Operations a second of convolutions in the better of the two layouts."""
    return max(rates[f"convolutions {precision} {layout}"] for layout in LAYOUTS)


def _best(rates: Rates, kind: str, ways: tuple[str, ...]) -> str:
    return max(PRECISIONS, key=lambda p: max(rates[f"{kind} {p} {way}"] for way in ways))


def machine() -> dict[str, Any]:
    """What the rates depend on: the processor, torch, threads, and limits that the environment sets."""
    return {
        "form": FORM, "processor": processor(), "torch": torch.__version__, "threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(), "cores": cores(),
        "limits": {name: os.environ[name] for name in LIMITING if name in os.environ},
    }  # fmt: skip


def processor() -> str:
    """The processor's name, as the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _rates(forms: Mapping[str, probes.Make], images: int, flops: float) -> dict[str, float]:
    return {name: flops / took for name, took in probes.contest(forms, images).items()}


def _by_threads(rates: Rates) -> dict[str, float]:
    """Convolutions with all threads that torch has here, half and a quarter of them, on two images a thread."""
    most = torch.get_num_threads()
    precision = _best(rates, "convolutions", LAYOUTS)
    if most == 1:
        return {"threads 1": fastest_of(rates, precision)}
    counts = sorted({max(1, most // part) for part in (1, 2, 4)})
    work = probes.residual_block(precision, channels_last=True)(2 * most)
    took = {count: float("inf") for count in counts}
    try:
        for turn in range(1 + probes.ROUNDS):
            for count in counts:
                torch.set_num_threads(count)
                took[count] = min(took[count], probes.elapsed(work)) if turn else float("inf")
    finally:
        torch.set_num_threads(most)
    return {f"threads {count}": 2 * most * probes.residual_flops() / took[count] for count in counts}


def _folder() -> Path:
    """The folder of calibrations, which belongs to this user; OSError if it does not."""
    folder = home.cache() / "machine"
    if folder.is_symlink():
        raise PermissionError(f"{folder} is a link")
    return home.own_folder(folder)


def _named(here: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(here, sort_keys=True).encode()).hexdigest()[:16]


def _kept(file: Path, here: Mapping[str, Any]) -> dict[str, float] | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        rates = {str(name): float(rate) for name, rate in found["rates"].items()}
        is_whole = found["machine"] == here and all(math.isfinite(r) and r > 0 for r in rates.values())
        return rates if is_whole and names() <= rates.keys() and not _disturbed(float(found["load"])) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _disturbed(load: float) -> bool:
    """Whether other work ran when rates were measured, and less than half of it runs now."""
    return load > BUSY * cores() and os.getloadavg()[0] < load / 2


def names() -> set[str]:
    """The rates that every calibration has."""
    return {
        "memory", *(f"product {p}" for p in PRECISIONS), f"threads {torch.get_num_threads()}",
        *(f"convolutions {p} {layout}" for p in PRECISIONS for layout in LAYOUTS),
        *(f"transformer {p} {a}" for p in PRECISIONS for a in ATTENTIONS),
    }  # fmt: skip
