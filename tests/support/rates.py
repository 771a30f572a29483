"""Rates of a machine, written by hand: no test depends on how fast the one under it is."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import patch

import torch

from sslgraph.pipelines.machine import calibration


def rates(*, short: float = 1.0, **changes: float) -> dict[str, float]:
    """Every form equally fast, bfloat16 `short` times as fast; a change's name has _ for a space."""
    found = {name: 1e9 * (short if "bfloat16" in name else 1.0) for name in calibration.names()}
    for precision in calibration.PRECISIONS:
        for side in (2, 4, 8):
            for done in calibration.SUMS:
                for form in calibration.FORMS:
                    found[f"map {side} {precision} {done} {form}"] = 1e9
    return found | {name.replace("_", " "): rate for name, rate in changes.items()}


def keep_for_tests(cache: Path) -> None:
    """Lays rates into a cache for every number of threads here: bfloat16 where there are tiles for it, else float32."""
    if (cache / "machine").is_dir():
        return
    short = 3.0 if torch.cpu.get_capabilities().get("amx_bf16", False) else 0.3
    before, named = torch.get_num_threads(), os.environ.get("SSLGRAPH_CACHE")
    os.environ["SSLGRAPH_CACHE"] = str(cache)
    try:
        for threads in {before, *range(1, calibration.cores() + 1)}:
            torch.set_num_threads(threads)
            with patch("os.getloadavg", lambda: (0.0, 0.0, 0.0)):  # else a load that is gone makes them count as none
                calibration.keep(rates(short=short))
    finally:
        torch.set_num_threads(before)
        if named is None:
            del os.environ["SSLGRAPH_CACHE"]
        else:
            os.environ["SSLGRAPH_CACHE"] = named
