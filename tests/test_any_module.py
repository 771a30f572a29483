"""Any module of torch, or of a user's own, is a part: as it is, inherited, re-exported, with shapes by another name."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph

from sslgraph.parts import module_text
from sslgraph.read.trusted import remember

METHOD = """
method: Regressed
views:
  x1: {augment: simclr, size: 16}
  x2: {augment: simclr, size: 16}
nets:
  f: {use: backbones.resnet, depth: 10, width: 4, stem: small}
  g: {use: "torch.nn:Linear", in_features: 32, out_features: 8}
targets:
  fk: {ema_of: f, momentum: 0.5}
  gk: {ema_of: g, momentum: 0.5}
flow:
  q: g(f(x1))
  k: gk(fk(x2))
losses:
  near: {use: "torch.nn:SmoothL1Loss", of: [q, k], beta: 0.5}
  also: {use: "torch.nn:MSELoss", of: [q], target: k}
export: f
"""
RECIPE = """
recipe: regressed
method: method.yaml
data: {use: sources.shapes, size: 32, limit: 16}
steps: 2
batch: 8
optimizer: {use: sgd, lr: 0.1, momentum: 0.9, weight_decay: 1e-4}
plugins: [torch.nn]
"""
SMOOTH = '"torch.nn:SmoothL1Loss"'


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recipe.yaml").write_text(RECIPE.lstrip())
    remember([("torch.nn", module_text.source_of("torch") or Path())])


def with_loss(use: str, *, plugin: str = "") -> None:
    """A method whose first loss is another one, without settings."""
    Path("method.yaml").write_text(METHOD.lstrip().replace(f"{SMOOTH}, of: [q, k], beta: 0.5", f"{use}, of: [q, k]"))
    if plugin:
        Path("recipe.yaml").write_text(RECIPE.lstrip().replace("[torch.nn]", f"[torch.nn, {plugin}]"))
        remember([(plugin, Path(plugin, "__init__.py"))])


def steps_of(run: str) -> int:
    """How many steps a run recorded with a finite value of its first loss."""
    lines = [json.loads(line) for line in Path(run, "metrics.jsonl").read_text().splitlines()]
    return sum(math.isfinite(line["near"]) for line in lines if "near" in line)


def test_losses_and_layers_of_torch_train(sslgraph: Command) -> None:
    Path("method.yaml").write_text(METHOD.lstrip())
    said = sslgraph("train", "recipe.yaml", "--out", "run")
    assert said.code == 0, said.err
    assert steps_of("run") == 2


def test_a_fast_check_of_them_imports_no_torch() -> None:
    Path("method.yaml").write_text(METHOD.lstrip())
    code = (
        "import sys\nfrom sslgraph.pipelines.check.check import examine\n"
        "examine('recipe.yaml', fast=True, imports=False)\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("beta: 0.5", "bta: 0.5", "method.yaml:15:57: torch.nn:SmoothL1Loss has no setting 'bta'; did you mean"),
        (
            "beta: 0.5",
            'beta: "0.5"',
            "method.yaml:15:58: 'beta' of torch.nn:SmoothL1Loss must be a number, not the text '0.5' (remove",
        ),
        ("[q, k], beta", "[q, k, q], beta", "method.yaml:15:44: loss 'near' (torch.nn:SmoothL1Loss) is given 3"),
        (
            "beta: 0.5",
            "reduction: none",
            "method.yaml:15:9: 'near' (torch.nn:SmoothL1Loss) gives [8, 8]\n  a loss is a single number",
        ),
        ("SmoothL1Loss", "SmothL1Loss", "method.yaml:15:15: torch.nn has no class 'SmothL1Loss'\n  did you mean"),
        ("in_features: 32", "in_features: 31", "method.yaml:12:6: 'g' (torch.nn:Linear) can't take input=[8, 32]: "),
        (
            "Linear\", in_features: 32, out_features: 8",
            "LSTM\", input_size: 32, hidden_size: 8",
            "method.yaml:12:6: 'g' (torch.nn:LSTM) gives a tuple of 2\n  a part gives one tensor, or a NamedTuple",
        ),
    ],
)  # fmt: skip
def test_what_torch_cannot_do_is_told_at_its_line(sslgraph: Command, old: str, new: str, says: str) -> None:
    assert old in METHOD
    Path("method.yaml").write_text(METHOD.lstrip().replace(old, new))
    said = sslgraph("check", "recipe.yaml")
    assert said.code == 1 and f"\n{says}" in f"\n{said.err}", said.err


OWN = '''
from jaxtyping import Float
from torch import Tensor, nn

Features = Float[Tensor, "batch dim"]


class Distance(nn.Module):
    def __init__(self, *, scale: float = 1.0, dim: int | None = None) -> None:
        super().__init__()
        self.scale = scale
        assert dim == 8, "dim is filled from the axis of this name"

    def forward(self, one: Features, other: Features) -> Float[Tensor, ""]:
        return self.scale * (one - other).square().mean()


class Twice(Distance):
    """Says nothing of its own."""


class Smooth(nn.SmoothL1Loss):
    """Says nothing of its own."""
'''


def test_inherited_re_exported_parts_with_named_shapes_train(sslgraph: Command) -> None:
    Path("re_exported").mkdir()
    Path("re_exported/__init__.py").write_text("from .distances import Smooth as Near, Twice\n")
    Path("re_exported/distances.py").write_text(OWN)
    with_loss('"re_exported:Twice"', plugin="re_exported")
    assert sslgraph("check", "recipe.yaml", "--fast").code == 0
    said = sslgraph("train", "recipe.yaml", "--out", "twice")
    assert said.code == 0, said.err
    wide = sslgraph("check", "recipe.yaml", "--set", "targets.gk.out_features=9")
    assert "'dim' is 8 at port 'one' and 9 at port 'other'" in wide.err  # the shape behind Features is known
    with_loss('"re_exported:Near"')
    said = sslgraph("train", "recipe.yaml", "--out", "near")
    assert said.code == 0, said.err
    assert steps_of("twice") == steps_of("near") == 2
