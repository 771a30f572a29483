"""A file that is there whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from sslgraph.errors import SslgraphError


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Writes beside the file first and renames; a folder that is not there or not writable is told, nothing is left."""
    beside = path.with_name(f".{path.name}.tmp")
    try:
        with beside.open("wb") as file:
            write(file)
        beside.replace(path)
    except OSError as problem:
        beside.unlink(missing_ok=True) if beside.parent.is_dir() else None
        reason = (problem.strerror or str(problem)).lower()
        raise SslgraphError(f"{path} can't be written: {reason}; give another place with -o") from problem
