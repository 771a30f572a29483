"""Writes a complete file where the user asked for one, and explains in one sentence why it can't."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sslgraph.errors import SslgraphError
from sslgraph.files.whole_file import new_file, whole_file


def writable(path: Path) -> None:
    """Refuses a place where no file can be written, before the work for it is done."""
    with told(path), new_file(path):
        pass


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Writes the file whole or not at all; SslgraphError if the place can't be written."""
    with told(path), whole_file(path) as file:
        write(file)


def put_whole(path: Path, content: str | bytes) -> None:
    """Writes this as the file, in the same way."""
    write_whole(path, lambda file: file.write(content.encode() if isinstance(content, str) else content))


@contextmanager
def told(path: Path, option: str = "-o") -> Iterator[None]:
    """What the disk refuses, as a sentence that names the option to give another place with."""
    try:
        yield
    except OSError as problem:
        raise SslgraphError(
            f"{path} can't be written: {reason(problem)}; give another place with {option}"
        ) from problem


def reason(problem: OSError) -> str:
    """Why the disk refuses, in the words of the system: "permission denied"."""
    return (problem.strerror or str(problem)).lower()
