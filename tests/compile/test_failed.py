"""An exception of a step is told with the part that it arose in, its place in the text, and the line of its file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import sslgraph
from sslgraph.compile.failed import failed_in
from sslgraph.errors import SslgraphError
from sslgraph.schedules import Clock

PART = '''
from jaxtyping import Float
from torch import Tensor, nn
from sslgraph.component import component

@component(source="a test")
class Far(nn.Module):
    """Row 99 of each."""

    def forward(self, rows: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        return rows.gather(1, (0 * rows + 99).long())
'''
TEXT = """
method: Far
views: {x: {augment: mae, size: 32}}
nets: {f: {use: backbones.resnet, depth: 18, width: 8, stem: small}}
ops: {far: {use: "far_part:Far"}}
losses: {l: {use: losses.cosine_regression, of: [z, w]}}
flow: {w: f(x), z: far(w)}
export: f
"""


def test_a_part_that_can_not_take_its_numbers_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "far_part.py"
    file.write_text(PART)
    (tmp_path / "far.yaml").write_text(TEXT.lstrip())
    monkeypatch.syspath_prepend(str(tmp_path))
    model = sslgraph.load(tmp_path / "far.yaml", plugins=("far_part",)).compile(batch=4)
    model.begin(0, Clock(1, 1))
    with pytest.raises(RuntimeError, match="out of bounds") as caught:
        model({"x.image": torch.zeros(4, 3, 32, 32)})
    told = failed_in(model, caught.value)
    line = PART.split("\n").index("        return rows.gather(1, (0 * rows + 99).long())") + 1
    assert told.startswith(f"{tmp_path / 'far.yaml'}:4:12: 'far' (far_part:Far, line {line} of {file}): ")
    assert "index 99 is out of bounds" in told and told.count("\n") == 1
    other = sslgraph.load(tmp_path / "far.yaml", plugins=("far_part",)).compile(batch=4)
    assert failed_in(other, caught.value) == ""  # it arose elsewhere
    assert failed_in(model, SslgraphError("told")) == ""  # it has a text of its own
