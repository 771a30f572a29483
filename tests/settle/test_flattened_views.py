"""Own losses without annotations that get the views of a bag as rows are told, and those that mean rows are not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph

from sslgraph.method import Method
from sslgraph.method import load as load_method
from sslgraph.settle.own_parts import Given, flattened_views

LOSSES = """
from jaxtyping import Float
from torch import Tensor, nn


class Plain(nn.Module):
    def forward(self, student, teacher):
        return (student.mean() - teacher.mean()).square()


class Hinted(Plain):
    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        return super().forward(student, teacher)


class Views(Plain):
    def forward(self, student: Float[Tensor, "views batch dim"], teacher: Float[Tensor, "views_t batch dim"]) -> Tensor:
        return super().forward(student, teacher)


class Rows(Plain):
    def forward(self, student: Float[Tensor, "batch dim"], teacher: Float[Tensor, "batch dim"]) -> Tensor:
        return super().forward(student, teacher)
"""
METHOD = """
method: Own loss
views:
  x: {augment: moco_v2, copies: COPIES, size: 16}
  y: {augment: moco_v2, copies: 2, size: 16}
nets:
  f: {use: backbones.resnet, depth: 10, width: 4, stem: small}
flow:
  s: f(x)
  t: stopgrad(f(y))
losses:
  own: {use: "USE", of: [OF]}
export: f
"""
HERE = "flattened_losses"


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{HERE}.py").write_text(LOSSES.lstrip())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))  # a plugin's folder joins it
    monkeypatch.delitem(sys.modules, HERE, raising=False)


def method(name: str, copies: int = 4, *, of: str = "s, t", more: str = "") -> Method:
    text = METHOD.lstrip().replace("USE", name).replace("COPIES", str(copies)).replace("OF", of)
    Path("own.yaml").write_text(text.replace("\nlosses:", f"\n{more}losses:"))
    return load_method("own.yaml", plugins=(HERE, "torch.nn"))


def found(name: str, copies: int = 4) -> dict[str, tuple[Given, ...]]:
    return dict(flattened_views(method(name, copies).sized(batch=8)))


@pytest.mark.parametrize("name", ["Plain", "Hinted"])
def test_views_that_arrive_as_rows_are_told_with_both_shapes(name: str) -> None:
    assert found(f"{HERE}:{name}") == {"own": (("student", 4, (32, 32)), ("teacher", 2, (16, 32)))}


def test_of_one_number_of_views_a_loss_of_ones_own_is_told_and_one_of_torch_means_rows() -> None:
    assert found(f"{HERE}:Plain", 2) == {"own": (("student", 2, (16, 32)), ("teacher", 2, (16, 32)))}
    assert found("torch.nn:MSELoss", 2) == {}


def test_a_loss_that_says_its_axes_means_them() -> None:
    assert found(f"{HERE}:Rows", 2) == {}


def test_views_that_the_flow_names_are_no_bag() -> None:
    named = method(f"{HERE}:Plain", of="a, b", more="  a: s[0]\n  b: t[0]\n")
    assert flattened_views(named.sized(batch=8)) == ()


def test_check_warns_at_the_line_with_the_cure(sslgraph: Command) -> None:
    method(f"{HERE}:Plain")
    said = sslgraph("check", "own.yaml", "--plugin", HERE)
    assert said.code == 0
    assert f"own.yaml:11:8: SG204: 'own' ({HERE}:Plain) gets the views of a bag as rows" in said.out
    assert "'student' is [1024, 32], 4 views; 'teacher' is [512, 32], 2 views" in said.out
    assert 'Float[Tensor, "views batch dim"]' in said.out
    method(f"{HERE}:Views")
    said = sslgraph("check", "own.yaml", "--plugin", HERE)
    assert said.code == 0 and "SG204" not in said.out
