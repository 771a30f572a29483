"""docs/reliability.md promises nothing that no test holds: what it names is there, and is slow where it says so."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reliability.md"
HEAD = "| fault | promise | test |"
NAMED = re.compile(r"`((?:tests/[\w/.]*|test_\w+(?:\.py)?))`(?P<slow> \((?:\w+ )*slow\b)?")
SOAK = "soak"  # tests/support/soak.py, of which tests/pipelines/train/test_soak.py runs a short form


def known_tests(root: Path) -> dict[str, bool]:
    """Each test below a folder, each file of tests (as NAME.py), and whether it is slow."""
    found: dict[str, bool] = {}
    for file in sorted(root.rglob("test_*.py")):
        found[file.name] = False
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found[node.name] = "pytest.mark.slow" in [ast.unparse(mark) for mark in node.decorator_list]
    return found


def rows(text: str) -> list[list[str]]:
    """The cells of each row of the table of faults."""
    lines = text.partition(HEAD)[2].splitlines()[2:]
    table = lines[: next((n for n, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def faults(text: str, known: dict[str, bool]) -> list[str]:
    """What the page says of tests and is not so."""
    found = [f"'{row[0]}' names no test" for row in rows(text) if not (NAMED.search(row[-1]) or SOAK in row[-1])]
    for named in NAMED.finditer(text):
        name, is_said_slow = named[1], named["slow"] is not None
        if "/" in name:
            found += [] if (ROOT / name).exists() else [f"there is no {name}"]
        elif name not in known:
            found.append(f"there is no {name}")
        elif known[name] != is_said_slow and not name.endswith(".py"):
            found.append(f"{name} is {'slow' if known[name] else 'not slow'}")
    return found


def test_each_promise_names_tests_that_are_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(rows(text)) > 30
    assert faults(text, known_tests(ROOT / "tests")) == []


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("by hand", "'a fault' names no test"),
        ("`test_that_is_not_there`", "there is no test_that_is_not_there"),
        ("`tests/nowhere`", "there is no tests/nowhere"),
        ("`test_one` (slow)", "test_one is not slow"),
        ("`test_one`, `test_two`", "test_two is slow"),
    ],
)
def test_a_promise_without_its_test_is_found(cell: str, says: str) -> None:
    text = f"{HEAD}\n|---|---|---|\n| a fault | a promise | {cell} |\n\n"
    assert faults(text, {"test_one": False, "test_two": True}) == [says]


def test_a_promise_with_its_tests_is_none() -> None:
    text = f"{HEAD}\n|---|---|---|\n| a fault | a promise | `test_one`, `test_two` (slow, 3 min), the soak |\n"
    assert rows(text) == [["a fault", "a promise", "`test_one`, `test_two` (slow, 3 min), the soak"]]
    assert faults(text, {"test_one": False, "test_two": True}) == []
