"""Writes where and with what a run was started into its folder, at each start."""

from __future__ import annotations

import json
import platform
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sslgraph import __version__, home
from sslgraph.files import whole_file

FILE = "starts.jsonl"


def note(folder: Path, facts: Mapping[str, Any]) -> None:
    """Adds a line for this start; a run that went on elsewhere has several."""
    starts = [*read(folder), {**here(), **facts}]
    whole_file.put(folder / FILE, "".join(f"{json.dumps(start)}\n" for start in starts).encode())


def read(folder: Path) -> list[dict[str, Any]]:
    """The starts of a run, first to last; none for a run of an earlier version. Garbled lines are left out."""
    file, found = folder / FILE, list[dict[str, Any]]()
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []:
        with suppress(ValueError):
            found.append(json.loads(line))
    return [start for start in found if isinstance(start, dict)]


def plugin_folders(text: Path) -> tuple[Path, ...]:
    """Where the plugins of the run lay whose text this is: that of its folder, or of a checkpoint in it."""
    starts = [start for folder in text.resolve().parents[:3] for start in read(folder)]
    folders = [folder for start in reversed(starts) for folder in start.get("plugins", {}).values()]
    return tuple(map(Path, dict.fromkeys(folders)))


def here() -> dict[str, Any]:
    """This moment, machine, commit and these versions."""
    import torch

    return {
        "started": time.strftime("%Y-%m-%d %H:%M:%S"),
        "host": platform.node(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "sslgraph": __version__,
        "commit": commit(home.ROOT),
    }


def commit(root: Path) -> str:
    """The commit of a checkout, with a word if files differ from it; "" where there is no checkout, or no git."""
    if not (root / ".git").exists():
        return ""
    try:
        found = _git(root, "rev-parse", "--short=12", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return ""
    return found + (", with changes" if changed else "")


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()
