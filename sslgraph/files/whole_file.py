"""Files and folders that appear completely or not at all, written first under a name that nobody can guess."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` when the block ends, its bytes on the disk.

    If the block raises, `path` stays as it was and nothing else is left. A link at `path` is replaced, not followed.
    """
    with new_file(path) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
        Path(file.name).replace(path)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """An empty file in the folder of `path`, removed when the block ends; OSError if no file can be at `path`."""
    if path.exists() and not path.is_file():
        number = errno.EISDIR if path.is_dir() else errno.EEXIST  # a device or a pipe must not be replaced
        raise OSError(number, os.strerror(number), str(path))
    hidden = _hidden(path)
    with hidden.open("xb") as file:  # refuses whatever is there, a link too
        try:
            yield file
        finally:
            hidden.unlink(missing_ok=True)


def put(path: Path, content: bytes) -> None:
    """Writes a whole file."""
    with whole_file(path) as file:
        file.write(content)


def put_json(path: Path, value: Any) -> None:
    """Writes a plain value as a whole file of JSON."""
    put(path, f"{json.dumps(value, indent=2)}\n".encode())


def mapping(path: Path) -> dict[str, Any] | None:
    """The mapping that a file of JSON holds; None if it is not there, can't be read, or holds something else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """An empty folder to fill, which becomes `path` when the block ends; `path` may be an empty folder.

    If the block raises, nothing is left of it.
    """
    hidden = _hidden(path)
    hidden.mkdir(parents=True)
    try:
        yield hidden
        hidden.replace(path)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _hidden(path: Path) -> Path:
    return path.with_name(f".{path.name[:40]}.{os.urandom(8).hex()}.tmp")
