from __future__ import annotations

import re

import pytest

from benchmarks import steps
from benchmarks.turns import Timed


def test_a_step_is_measured_by_the_machines_best_product() -> None:
    name = "MAE, ViT-tiny/4"
    said = steps.of_the_limit(name, Timed(name, "step", 1, {"sslgraph": [2.0, 4.0, 3.0]}))
    found = re.search(r"([\d,]+) GFLOP a step, ([\d,]+) GFLOP/s: ([\d,]+)% .* in (\w+) \(([\d,]+)\)", said)
    assert found is not None
    work, rate, share, best = (float(found[n].replace(",", "")) for n in (1, 2, 3, 5))
    assert rate == pytest.approx(work / 3, rel=0.05)
    assert share == pytest.approx(100 * work / 3 / best, rel=0.01)  # by the rates of tests/support
