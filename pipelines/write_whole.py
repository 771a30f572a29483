"""A file that is there whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sslgraph.errors import SslgraphError


def writable(path: Path) -> None:
    """Refuses a place where no file can be written, before the work for it is done."""
    with _beside(path) as file:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        file.touch()


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Writes beside the file first and renames; a folder that is not there or not writable is told, nothing is left."""
    with _beside(path) as file:
        with file.open("wb") as opened:
            write(opened)
        file.replace(path)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A name for the file while it is not whole; whatever happens, nothing stays under it."""
    file = path.with_name(f".{path.name}.tmp")
    try:
        yield file
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise SslgraphError(f"{path} can't be written: {reason}; give another place with -o") from problem
    finally:
        if file.exists():
            file.unlink()
