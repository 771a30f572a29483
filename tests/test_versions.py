"""The lowest versions that are promised are the ones that `.ci/lowest` tests."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
TOOLS = {"mypy", "ruff", "types-PyYAML"}  # the newest ones judge, on the newest versions
WANTED = [Requirement(text) for text in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"])]
LINES = (ROOT / ".ci/lowest.txt").read_text("utf-8").splitlines()
LOWEST = {r.name: r for r in (Requirement(line) for line in LINES if not line.startswith("#"))}


def bound(wanted: Requirement, operator: str) -> str:
    return next(each.version for each in wanted.specifier if each.operator == operator)


def test_every_lower_bound_is_the_version_that_is_tested() -> None:
    said = {each.name: Version(bound(each, ">=")) for each in WANTED if each.name not in TOOLS}
    assert sorted(set(said) - set(LOWEST)) == [], "add them to .ci/lowest.txt, at their lower bounds"
    assert {name: Version(bound(LOWEST[name], "==")) for name in said} == said


def test_what_is_installed_lies_in_the_ranges() -> None:
    assert [each.name for each in WANTED if each.name not in TOOLS and not inside(each)] == []


def inside(wanted: Requirement) -> bool:
    return wanted.specifier.contains(Version(version(wanted.name)).public, prereleases=True)
