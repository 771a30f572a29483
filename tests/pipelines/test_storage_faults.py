"""What a disk refuses before the loop, and to commands that read a run: one sentence each, never a traceback."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph
from tiny_recipe import RECIPE

from sslgraph.files import whole_file

# Root may read and write everything; a user may not. Either way these commands run without that right.
PLAIN = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
CALLS = [("evaluate", "locked/run"), ("replay", "locked/run"), ("train", "--resume", "locked/run"),
         ("train", "tiny.yaml", "--out", "locked/run")]  # fmt: skip


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(RECIPE.lstrip())


def said_of(*words: str) -> str:
    """What a command without a right to override modes says on standard error, if it ends with code 1."""
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may read everything here: setpriv, which takes that right away, is not installed")
    command = [*(PLAIN if os.getuid() == 0 else []), sys.executable, "-m", "sslgraph", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 1, done.stdout
    return done.stderr


@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_a_folder_without_permission_is_said(words: tuple[str, ...]) -> None:
    Path("locked/run").mkdir(parents=True)
    Path("locked").chmod(0)
    try:
        said = said_of(*words)
    finally:
        Path("locked").chmod(0o700)
    assert len(said.splitlines()) == 1 and "locked/" in said and "permission denied" in said


@pytest.mark.parametrize(
    ("out", "reason"), [("taken", "file exists"), ("taken/run", "not a directory"), ("x" * 300, "file name too long")]
)
def test_a_run_folder_that_cannot_be_is_said(sslgraph: Command, out: str, reason: str) -> None:
    Path("taken").touch()
    said = sslgraph("train", "tiny.yaml", "--out", out)
    assert said.code == 1
    assert said.err == f"{Path(out).resolve()} can't be written: {reason}; give another place with --out\n"


def test_evaluate_prints_what_it_measured_though_nothing_can_be_written(
    sslgraph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sslgraph("train", "tiny.yaml", "--out", "run").code == 0

    def refused(path: Path, _: bytes) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(whole_file, "put", refused)
    said = sslgraph("evaluate", "run")
    assert said.code == 0, said.err
    assert (
        "raw pixels" in said.out and said.out.count("run/evaluation.json was not written: read-only file system") == 1
    )
