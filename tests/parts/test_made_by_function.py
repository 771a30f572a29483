"""A network that a function makes is refused with a cure, and the example of the page that holds one works."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from command import Command
from command import sslgraph as sslgraph

from sslgraph import home

METHOD = """
method: Own encoder
views:
  x1: {augment: byol_a, size: 32}
  x2: {augment: byol_b, size: 32}
nets:
  f: {use: "USE"}
  h: {use: heads.mlp, hidden: [16], out: 8}
flow:
  a: l2(h(f(x1)))
  b: l2(h(f(x2)))
losses:
  contrast: {use: losses.nt_xent, of: [z]}
export: f
"""
PAGE = home.SPECS.parent / "docs/parts.md"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torchvision")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


def written(use: str) -> None:
    text = METHOD.lstrip().replace("USE", use).replace("losses:", "  z: bag(a, b)\nlosses:", 1)
    Path("own.yaml").write_text(text)


@pytest.mark.parametrize(
    ("use", "plugin"), [("torchvision.models:resnet18", "torchvision.models"), ("timm:create_model", "timm")]
)
def test_a_function_is_refused_with_a_cure_that_the_page_has(use: str, plugin: str, sslgraph: Command) -> None:
    pytest.importorskip(plugin.partition(".")[0])
    written(use)
    said = sslgraph("check", "own.yaml", "--plugin", plugin)
    assert said.code == 1 and "it is a function\n" in said.err
    assert "write a class whose constructor calls it: docs/parts.md, Networks that a function makes" in said.err
    assert "### Networks that a function makes\n" in PAGE.read_text(encoding="utf-8")


def test_the_example_of_the_page_is_a_part(sslgraph: Command) -> None:
    page = PAGE.read_text(encoding="utf-8").partition("### Networks that a function makes")[2]
    found = re.search(r"^( {4}import torchvision\n(?: {4}.*\n|\n)+)", page, re.MULTILINE)
    assert found
    Path("encoder_of_the_page.py").write_text(dedent(found[1]))
    written("encoder_of_the_page:Encoder")
    said = sslgraph("check", "own.yaml", "--strict", "--plugin", "encoder_of_the_page")
    assert said.code == 0, said.out + said.err
