"""Modules as text: found and read without running them, and names followed through their imports."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from sslgraph.parts import module_text
from sslgraph.parts.module_text import Module, find, full_name, read, resolve, source_of

RAISES = "raise SystemExit('this ran')\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package on the import path whose files would end the test if they were run."""
    folder = tmp_path / "text_parts"
    (folder / "inner").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    write(folder, "__init__.py", "from .one import *\nfrom .inner import Renamed as Two\n")
    write(folder, "one.py", "class One: ...\nclass _Hidden: ...\nUno = One\nMade = type('Made', (), {})\n")
    write(folder, "inner/__init__.py", "from ..three import Three as Renamed\n")
    write(folder, "three.py", "import os\ntry:\n    class Three: ...\nexcept ImportError:\n    Three = None\n")
    return folder


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(RAISES + text)


def place(found: tuple[Module, ast.ClassDef | ast.expr] | None) -> tuple[str, str]:
    """In which module a definition was found, and its class's name."""
    assert found is not None and isinstance(found[1], ast.ClassDef)
    return found[0].name, found[1].name


def whole(name: str) -> Module:
    module = read(name)
    assert module is not None
    return module


def test_a_module_is_found_without_running_it_or_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "some_parts"
    (package / "inner").mkdir(parents=True)
    for file in ("__init__.py", "one.py", "inner/__init__.py", "inner/two.py"):
        (package / file).write_text("raise SystemExit('this ran')")
    monkeypatch.syspath_prepend(tmp_path)
    assert source_of("some_parts.one") == package / "one.py"
    assert source_of("some_parts.inner.two") == package / "inner/two.py"
    assert source_of("some_parts") == package / "__init__.py"
    assert "some_parts" not in sys.modules


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("One", ("text_parts.one", "One")),  # by a star
        ("Uno", ("text_parts.one", "One")),  # by another name of it
        ("Two", ("text_parts.three", "Three")),  # by two renamings, out of a try
    ],
)
def test_a_name_is_followed_to_the_class_behind_it(package: Path, name: str, where: tuple[str, str]) -> None:
    assert place(find(whole("text_parts"), name)) == where
    assert package.name not in sys.modules


@pytest.mark.parametrize("name", ["_Hidden", "Nothing", "os"])
def test_what_a_module_does_not_define_is_not_found(package: Path, name: str) -> None:  # noqa: ARG001
    assert find(whole("text_parts"), name) is None


def test_a_value_that_code_makes_is_given_as_it_is_written(package: Path) -> None:  # noqa: ARG001
    found = find(whole("text_parts"), "Made")
    assert found is not None and ast.unparse(found[1]) == "type('Made', (), {})"


def test_imports_that_go_round_in_a_circle_end(package: Path) -> None:
    write(package, "three.py", "from . import Two as Three\n")
    assert find(whole("text_parts"), "Two") is None


@pytest.mark.parametrize(
    "text",
    [
        "from torch import nn\nBase = nn.Module",
        "import torch\nBase = torch.nn.Module",
        "import torch.nn as layers\nBase = layers.Module",
        "from torch.nn import Module as Plain\nBase = Plain",
    ],
)
def test_an_expression_has_one_full_name_however_it_was_imported(text: str) -> None:
    tree = ast.parse(text)
    assign = tree.body[-1]
    assert isinstance(assign, ast.Assign)
    module = Module("own", Path("own.py"), tree)
    assert full_name(module, assign.value) == "torch.nn.Module"
    assert place(resolve(module, assign.value)) == ("torch.nn.modules.module", "Module")


def test_a_changed_file_is_read_anew(package: Path) -> None:
    assert find(whole("text_parts.one"), "Later") is None
    write(package, "one.py", "class Later: ...\nclass Other: ...\n")
    assert place(find(whole("text_parts.one"), "Later")) == ("text_parts.one", "Later")


def test_a_module_without_a_text_is_there_and_not_read() -> None:
    assert module_text.is_there("sys") and read("sys") is None
    assert not module_text.is_there("no_such_module") and read("no_such_module") is None


@pytest.mark.parametrize(
    "module", ["no_such_module", "json.no_such", "json.decoder.deeper", "", ".", "a b", "sys", "..x"]
)
def test_a_module_that_is_not_there_has_no_file(module: str) -> None:
    assert source_of(module) is None
