"""Slow tests get their turn after the others, from another place for each commit, until the time is up."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parent / "support"
TESTS = """
import pytest

@pytest.mark.slow
@pytest.mark.parametrize("number", range(5))
def test_slow(number): assert number != {wrong}

def test_quick(): pass
"""
Ran = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def ran(tmp_path: Path) -> Ran:
    """Exit code, the tests that ran in their order, and the end of what pytest prints."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = slow\naddopts = -m 'not slow'\n")

    def run(*words: str, wrong: int = -1) -> tuple[int, list[str], str]:
        (tmp_path / "test_some.py").write_text(TESTS.format(wrong=wrong))
        command = [sys.executable, "-m", "pytest", "-v", "-p", "slow_share", "-p", "no:cacheprovider", *words]
        environment = {**os.environ, "PYTHONPATH": str(SUPPORT)}
        found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        names = re.findall(r"^test_some.py::test_(\S+) ", found.stdout, re.MULTILINE)
        return found.returncode, names, found.stdout + found.stderr

    return run


def test_without_minutes_nothing_changes(ran: Ran) -> None:
    assert ran()[:2] == (0, ["quick"])


@pytest.mark.parametrize(("commit", "first"), [("281f0e4", 1), ("5d35df3", 4)])
def test_all_slow_tests_run_once_in_a_circle_after_the_others(ran: Ran, commit: str, first: int) -> None:
    code, names, text = ran("-m", "", "--slow-until", "5", "--slow-from", commit)
    assert names == ["quick", *(f"slow[{(first + place) % 5}]" for place in range(5))]
    assert code == 0 and "5 of 5 slow tests began within 5 minutes, from" in text


def test_when_the_time_is_up_no_other_begins_and_the_next_is_named(ran: Ran) -> None:
    code, names, text = ran("-m", "", "--slow-until", "0")
    assert code == 0 and names == ["quick"]
    assert (
        "0 of 5 slow tests began within 0 minutes, from test_some.py::test_slow[0]; the next one is test_some" in text
    )
    assert re.fullmatch(r"=+ 1 passed in .*s =+", text.splitlines()[-1])


def test_a_slow_test_that_fails_is_an_error(ran: Ran) -> None:
    code, _, text = ran("-m", "", "--slow-until", "5", wrong=3)
    assert code == 1 and "1 failed, 5 passed" in text.splitlines()[-1]
