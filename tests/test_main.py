"""The door of the command line: what happens before a command runs."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sslgraph import __main__


def test_ctrl_c_while_modules_are_imported_leaves_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib, "import_module", interrupted)
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 130 and ended.value.__suppress_context__


@pytest.mark.parametrize("module", ["typer.", "rich.console", "sslgraph.errors", "pydantic.", "torch."])
def test_ctrl_c_at_any_moment_of_a_start_leaves_no_traceback(module: str) -> None:
    """Python says which module it has just imported: Ctrl-C comes then."""
    command = [sys.executable, "-X", "importtime", "-m", "sslgraph", "check", "simclr"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as started:
        assert started.stderr is not None
        assert any(f" {module}" in line for line in started.stderr)
        started.send_signal(signal.SIGINT)
        said = [line for line in started.stderr if not line.startswith("import time:")]
    assert started.returncode == 130 and said == []


def test_the_current_folder_is_searched_only_where_pythonpath_names_it(tmp_path: Path) -> None:
    """Processes that verify starts take over this path: where it is a checkout, they must run the same code."""
    (tmp_path / "sitecustomize.py").write_text("import atexit, sys\natexit.register(lambda: print(sys.path))\n")
    (tmp_path / "elsewhere").mkdir()
    for folder, is_searched in ((tmp_path, True), (tmp_path / "elsewhere", False)):
        said = subprocess.run(
            [sys.executable, "-m", "sslgraph", "--version"], cwd=folder, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        )  # fmt: skip
        assert (repr(str(folder)) in said.stdout) == is_searched, said.stdout
