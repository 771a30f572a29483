"""The files of a new part work as they are: its tests pass, the method is right, and nothing is overwritten."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph

ROOT = Path(__file__).parents[3]
KINDS = ("losses", "heads", "memory", "anything", "sources")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    modules = set(sys.modules)
    yield
    for name in set(sys.modules) - modules:
        if name.removeprefix("test_").startswith("fresh_"):
            del sys.modules[name]


@pytest.mark.parametrize("folder", KINDS)
def test_a_new_part_passes_its_tests_and_its_method_is_right(
    folder: str, sslgraph: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / folder).mkdir()
    name = f"fresh_{folder}"
    said = sslgraph("new", "part", f"{folder}/{name}.py")
    assert said.code == 0 and f"Next: pytest {folder}/test_{name}.py; sslgraph check {folder}/{name}.yaml" in said.out
    monkeypatch.syspath_prepend(str(tmp_path / folder))
    tests = importlib.import_module(f"test_{name}")
    found = [value for key, value in vars(tests).items() if key.startswith("test_")]
    assert len(found) >= 2
    for test in found:
        test()
    checked = sslgraph("check", f"{folder}/{name}.yaml", "--strict", "--plugin", name)
    assert checked.code == 0, checked.out + checked.err


def test_what_is_written_is_formatted_and_speaks_of_nothing_else(sslgraph: Command, tmp_path: Path) -> None:
    for folder in KINDS:
        (tmp_path / folder).mkdir()
        sslgraph("new", "part", f"{folder}/fresh_{folder}.py")
    for file in tmp_path.rglob("*.*"):
        text = file.read_text(encoding="utf-8")
        assert not {"CLASS", "NAME", "METHOD"} & set(text.split()) and text.endswith("\n") and "=====" not in text
        assert all(len(line) <= 120 for line in text.splitlines()), file


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("there.py",), "there.py is there already; give the part another name"),
        (("no/part.py",), "there is no folder no; make it first: mkdir -p no"),
        (("Part.py",), "Part.py: write a Python file in small letters, for example losses/my_loss.py"),
        (("torch.py",), "Python already has a module named torch; give the part another name"),
        (("part_x.py", "--kind", "los"), "there is no kind of part 'los'; there is loss, net, op, source, state"),
    ],
)
def test_what_can_not_be_written_is_refused_and_nothing_is(
    words: tuple[str, ...], says: str, sslgraph: Command, tmp_path: Path
) -> None:
    (tmp_path / "there.py").write_text("precious")
    said = sslgraph("new", "part", *words)
    assert said.code == 1 and said.err.strip() == says
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("there.py", "precious")]
