"""The cache of the Hugging Face hub: data sets by their names, read where they were downloaded. Nothing is fetched."""

from __future__ import annotations

import os
import re
from pathlib import Path

NAME = re.compile(r"[\w.-]+/[\w.-]+")


def located(path: str) -> str:
    """The folder that holds the images: the snapshot of a data set of the hub's cache, by folder or name; else `path`.

    Of several snapshots it is that of `main`, or the newest.
    """
    folder = Path(path).expanduser()
    if not folder.exists() and NAME.fullmatch(path):
        folder = _cache() / f"datasets--{path.replace('/', '--')}"
    snapshots = folder / "snapshots"
    if not (snapshots.is_dir() and (folder / "blobs").is_dir()):
        return path
    main = folder / "refs" / "main"
    if main.is_file() and (snapshots / main.read_text().strip()).is_dir():
        return str(snapshots / main.read_text().strip())
    newest = max(snapshots.iterdir(), key=lambda one: one.stat().st_mtime, default=None)
    return path if newest is None else str(newest)


def is_name(path: str) -> bool:
    """Whether a path that is not there may be meant as the name of a data set of the hub."""
    return bool(NAME.fullmatch(path))


def snapshot_places(folder: Path) -> list[Path]:
    """Where a snapshot's files really lie, to which its links lead: SET/blobs of SET/snapshots/REVISION."""
    above = [one for one in (folder, *folder.parents) if one.parent.name == "snapshots"]
    return [(one.parent.parent / "blobs").resolve() for one in above[:1]]


def _cache() -> Path:
    home = Path(os.environ.get("HF_HOME") or "~/.cache/huggingface").expanduser()
    return Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()
