"""The files that are sent with a job: the user's folder, and this code if it is not in it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sslgraph import home

from .ray_compat import STOPPING

EXCLUDES = ("/runs", "/data", "/outputs", ".git", ".venv", "venv", "node_modules", "__pycache__", ".*_cache")


@contextmanager
def job_files(folder: Path, variables: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Ray's runtime environment of a job. Nothing is installed on the nodes."""
    with tempfile.TemporaryDirectory() as scratch:
        modules = [] if folder == home.ROOT and not home.INSTALLED else [_packed(Path(scratch) / "sslgraph")]
        yield {
            "working_dir": str(folder),
            "py_modules": modules,
            "excludes": [*EXCLUDES, *(f"/{path}" for path in hiding(folder))],
            "env_vars": {**STOPPING, **variables},
        }


def hiding(folder: Path) -> list[str]:
    """Modules at the top of a folder that bear the name of one from elsewhere that this process uses, such as numpy.py.

    Ray puts the folder first on the path of all its processes, its own supervisors too, and would import them instead.
    """
    found = []
    for path in sorted([*folder.glob("*.py"), *folder.glob("*/__init__.py")]):
        top = path if path.parent == folder else path.parent
        module = sys.modules.get(top.stem)
        own = module is not None and Path(getattr(module, "__file__", None) or "").resolve().is_relative_to(folder)
        if top.stem in sys.stdlib_module_names or (module is not None and not own):
            found.append(top.name)
    return found


def _packed(folder: Path) -> str:
    """This code in the form in which it is installed: one package with the catalogue, pipelines and specs inside."""
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(home.HERE, folder, ignore=leave)
    if not home.INSTALLED:
        for room in ("components", "pipelines", "specs"):
            shutil.copytree(home.ROOT / room, folder / room, ignore=leave)
    return str(folder)
