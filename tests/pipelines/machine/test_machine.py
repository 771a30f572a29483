"""What every run sets on the machine under it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sslgraph.pipelines.machine import machine

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(("on", "said", "then"), [("cpu", None, "0"), ("cpu", "1", "1"), ("cuda", None, None)])
def test_attention_is_not_fused_on_processors_unless_the_user_says_so(
    on: str, said: str | None, then: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIMM_FUSED_ATTN", said or "")
    if said is None:
        monkeypatch.delenv("TIMM_FUSED_ATTN")
    machine.use(on=torch.device(on))
    assert os.environ.get("TIMM_FUSED_ATTN") == then


def test_precision_is_what_was_asked_for_and_float32_where_nothing_is_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    on = torch.device("cpu")
    assert machine.precision("float32", on) is torch.float32
    assert machine.precision("bfloat16", on) is torch.bfloat16
    for has_tiles, found in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda has=has_tiles: {"amx_bf16": has})
        assert machine.precision("auto", on) is found


def test_numpy_says_nothing_of_numbers_that_became_zero() -> None:
    program = (
        "import warnings; warnings.simplefilter('error'); from sslgraph.pipelines.machine import machine; "
        "machine.use(); import numpy; numpy.finfo(numpy.float32); print(1)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert said.stdout == "1\n", said.stderr
