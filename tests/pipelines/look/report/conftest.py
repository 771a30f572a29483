"""A finished run that is made once, and copies of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from report_run import trained


@pytest.fixture(scope="session")
def the_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of SimCLR, made once; tests that change it take `a_run`."""
    return trained(tmp_path_factory.mktemp("runs") / "demo-simclr-0")


@pytest.fixture
def a_run(the_run: Path, tmp_path: Path) -> Path:
    """A copy of the run that a test may change."""
    return Path(shutil.copytree(the_run, tmp_path / the_run.name))
