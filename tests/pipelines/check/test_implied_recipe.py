"""A method with one file and no recipe: every command takes it as the data set's base with the method."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph

from sslgraph import home
from sslgraph.pipelines.commands.texts import page
from sslgraph.read.load import load_recipe

TWINS = """\
# Twins: two views agree. arXiv:0000.00000
method: Twins
views:
  x1: {augment: byol_a}
  x2: {augment: byol_b}
nets:
  f: {use: backbones.resnet, depth: 50, zero_init_residual: true}
  g: {use: heads.mlp, hidden: [32], out: 16, norm: batch}
flow:
  z1: g(f(x1))
  z2: g(f(x2))
losses:
  twins: {use: losses.barlow_twins, of: [z1, z2]}
export: f
"""
SMALL = ("--set", "data.images=32", "--set", "data.test_images=10", "--set", "batch=8", "--set", "steps=3")


@pytest.fixture(autouse=True)
def _catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped specs and one method more."""
    shutil.copytree(home.SPECS, tmp_path / "specs")
    (tmp_path / "specs/methods/twins.yaml").write_text(TWINS)
    monkeypatch.setattr(home, "SPECS", tmp_path / "specs")
    monkeypatch.chdir(tmp_path)


def test_the_base_makes_the_method_small() -> None:
    recipe = load_recipe("twins").spec
    assert recipe.recipe == "demo/twins" and recipe.data.use == "sources.patterns"
    assert recipe.method.nets["f"].settings == {"depth": 10, "width": 16, "stem": "small", "zero_init_residual": False}
    assert recipe.method.views["x1"].settings["size"] == 32
    assert load_recipe("cifar10/twins").spec.method.nets["f"].settings["depth"] == 18


@pytest.mark.parametrize("name", ["demo/twins", "cifar10-small/twins", "cifar10/twins"])
def test_check_takes_its_recipe_for_every_data_set(sslgraph: Command, name: str) -> None:
    said = sslgraph("check", name, "--fast")
    assert (said.code, said.err) == (0, "") and said.out.startswith(f"{name}: ")


def test_list_and_show_say_what_it_is(sslgraph: Command) -> None:
    listed = [line for line in sslgraph("list").out.splitlines() if line.startswith("twins ")]
    assert listed == [f"{'twins':<15}  Twins: two views agree. arXiv:0000.00000"]
    shown = sslgraph("show", "cifar10/twins").out
    assert shown.startswith("# cifar10/twins has no file of its own: it is this base with method: twins\n# What all")
    resolved = sslgraph("show", "cifar10/twins", "--resolved").out
    assert resolved.startswith("recipe: cifar10/twins\nmethod:\n  method: Twins\n") and "extends" not in resolved


def test_a_plan_and_a_page_are_made_of_it(sslgraph: Command) -> None:
    assert sslgraph("plan", "demo/twins", "--images", "1000").out.startswith("demo/twins: batch 128 on 1 GPU")
    shown = page.shown("demo/twins", "twins")
    assert [name for name, _ in shown.texts] == ["twins.yaml", "base.yaml"]


def test_it_is_trained_resumed_evaluated_and_reported(sslgraph: Command) -> None:
    trained = sslgraph("train", "twins", "--out", "run", *SMALL)
    assert (trained.code, "Twins: " in trained.out) == (0, True), trained.err
    assert sslgraph("train", "--resume", "run").code == 0
    assert sslgraph("evaluate", "run").code == 0
    assert sslgraph("report", "run", "-o", "page.html").code == 0
    assert "recipe: demo/twins" in Path("run/resolved.yaml").read_text()


@pytest.mark.parametrize("command", ["check", "train", "show", "plan"])
def test_a_base_alone_is_refused(sslgraph: Command, command: str) -> None:
    said = sslgraph(command, "demo/base")
    assert (said.code, said.out) == (1, "")
    assert "demo/base.yaml:4:1: this recipe has no method: it is a base that others extend\n  add method: " in said.err
