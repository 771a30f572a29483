"""What is sent with a job, and what is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sslgraph.pipelines.launch.job_files import _packed, hiding, job_files


def test_modules_that_would_take_the_place_of_rays_are_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("numpy.py", "queue.py", "sent_parts.py", "utils.py"):
        (tmp_path / name).touch()
    for name in ("pytest", "components", "own_package"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "torch").mkdir()  # a folder of files: Python prefers the installed package
    monkeypatch.syspath_prepend(str(tmp_path))
    __import__("sent_parts")  # a plugin, imported from there
    assert hiding(tmp_path) == ["numpy.py", "pytest", "queue.py"]
    monkeypatch.delitem(sys.modules, "sent_parts")
    with job_files(tmp_path, {"A": "b"}) as sent:
        assert {"/numpy.py", "/queue.py", "/pytest", "/runs"} <= set(sent["excludes"])
        assert sent["working_dir"] == str(tmp_path) and sent["env_vars"]["A"] == "b"
        assert [Path(module).name for module in sent["py_modules"]] == ["sslgraph"]
        assert (Path(sent["py_modules"][0]) / "components" / "losses").is_dir()


def test_the_code_that_is_sent_runs_without_this_checkout(tmp_path: Path) -> None:
    _packed(tmp_path / "sslgraph")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [sys.executable, "-m", "sslgraph", "check", "--fast", "simclr"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert ran.stdout.startswith("simclr: OK ("), ran.stderr
