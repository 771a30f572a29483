"""What measures a GPU runs on a processor too, at a tiny size: every line is made, though its figures mean nothing."""

from __future__ import annotations

import re

import pytest
import torch

from benchmarks import gpu


def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    gpu.main()
    assert "no CUDA device here; nothing was measured" in capsys.readouterr().out


@pytest.mark.slow
def test_every_line_is_measured() -> None:
    steps = [(title, method, 4, compiled) for title, method, _, compiled in gpu.STEPS if not compiled]
    lines = list(gpu.measured(torch.device("cpu"), steps=steps, kinds=[False], batch=8, times=1))
    rates = [re.search(r": ([\d,]+) images/s", line) for line in lines]
    assert len(lines) == len(gpu.LISTS) + len(steps) + 3
    assert sum(rate is not None for rate in rates) >= len(lines) - 1  # but for a library that is not installed
    assert all(int(rate[1].replace(",", "")) > 0 for rate in rates if rate)
