"""Where the files of a data set lie: a folder, or an address; they are listed once and read by ranges of bytes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from sslgraph.errors import SslgraphError, StorageError

# Parts of the names of files and folders that mean one of the two splits.
SPLITS = {"train": ("train",), "test": ("test", "val", "validation", "valid")}


@dataclass(frozen=True)
class File:
    """A file by its name below the store, its size in bytes, and a text that changes when it is written anew."""

    name: str
    size: int
    stamp: str


class Store(Protocol):
    """A folder or a prefix of a bucket. `only` is the name of the one file that was given instead of a folder.

    What can't be reached raises StorageError; a file that is not there, or can't be read alone, raises OSError.
    """

    root: str
    only: str | None

    @property
    def reads(self) -> int | None:
        """How many requests may be under way at a time; None where the system reads ahead by itself."""

    def files(self, *suffixes: str) -> list[File]:
        """All files below with these endings, in the order of their names; all there are if none is given."""

    def top(self) -> list[str]:
        """Names of what lies in it and in its folders, without going deeper; folders end in a slash."""

    def read(self, name: str, start: int = 0, size: int | None = None) -> bytes:
        """So many bytes of a file from `start` on; all of it if left out."""

    def open(self, file: File, piece: int) -> IO[bytes]:
        """A file to seek in; what is read of it comes in pieces of at least so many bytes."""

    def place(self, name: str) -> str:
        """The file as a message names it."""


def beside(store: Store, name: str) -> str | None:
    """The text of a small file in the store's own folder, or None if it has none."""
    try:
        return store.read(name).decode("utf-8")
    except FileNotFoundError:
        return None


class Folder:
    """A folder of this machine, or of storage that is mounted on it."""

    def __init__(self, path: str) -> None:
        given = Path(path).expanduser().resolve()
        self.only = given.name if given.is_file() else None
        self._folder = given.parent if self.only else given
        self.root = path
        self.reads = None
        if not given.exists():
            raise SslgraphError(f"{path} does not exist; give the folder of the images, or an address such as s3://")

    def files(self, *suffixes: str) -> list[File]:
        """All files below with these endings, in the order of their names."""
        if self.only:
            return [self._file(self._folder / self.only)]
        found = (
            Path(place, name) for place, _, names in os.walk(self._folder) for name in names if not name.startswith(".")
        )
        there = [self._file(file) for file in found if not suffixes or file.suffix.lower() in suffixes]
        return sorted(there, key=lambda file: file.name.split("/"))

    def top(self) -> list[str]:
        """Names of what lies in it and in its folders."""
        if self.only:
            return [self.only]
        there = [*self._folder.glob("*"), *self._folder.glob("*/*")]
        return [path.relative_to(self._folder).as_posix() + "/" * path.is_dir() for path in there]

    def read(self, name: str, start: int = 0, size: int | None = None) -> bytes:
        """So many bytes of a file from `start` on."""
        with self._opened(name) as file:
            file.seek(start)
            return file.read(-1 if size is None else size)

    def open(self, file: File, piece: int) -> IO[bytes]:  # noqa: ARG002  the system reads ahead
        """A file to seek in."""
        return self._opened(file.name)

    def place(self, name: str) -> str:
        """The whole path."""
        return str(self._folder / name)

    def refuse_links_out(self, files: list[File]) -> None:
        """A link may point at any file of the machine, which nobody meant to train on."""
        for path in (self._folder / file.name for file in files):
            if path.is_symlink() and not path.resolve().is_relative_to(self._folder):
                raise SslgraphError(
                    f"{path} is a link to {path.resolve()}, outside the folder; copy the file, or give that folder"
                )

    def _opened(self, name: str) -> IO[bytes]:
        try:
            return (self._folder / name).open("rb")
        except OSError as reason:
            if self._folder.is_dir():  # the file alone is broken, or gone
                raise
            raise StorageError(f"the images' folder {self.root} is gone ({reason}); see that it is mounted") from reason

    def _file(self, path: Path) -> File:
        about = path.stat()
        return File(path.relative_to(self._folder).as_posix(), about.st_size, f"{about.st_size} {about.st_mtime_ns}")
