"""Where the files of a data set lie: a folder, or an address; they are listed once and read by ranges of bytes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname
from typing import IO, Protocol

from sslgraph.errors import SslgraphError, StorageError

from .hub import is_name, snapshot_places
from .skipped import Skipped, is_hidden
from .wildcards import matching

TOP = 5_000  # names by which the form of a data set is told


@dataclass(frozen=True)
class File:
    """A file by its name below the store, its size in bytes, and a text that changes when it is written anew."""

    name: str
    size: int
    stamp: str
    is_link: bool = False


class Store(Protocol):
    """A folder or a prefix of a bucket. `only` is the name of the one file that was given instead of a folder.

    `skipped` counts what `files` left out.

    What can't be reached raises StorageError; a file that is not there, or can't be read alone, raises OSError.
    """

    root: str
    only: str | None
    skipped: Skipped

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

    def size(self, name: str) -> int:
        """Bytes of a file."""

    def refuse_links_out(self, files: list[File]) -> None:
        """Raises if one of these files is a link out of the folder."""

    def place(self, name: str) -> str:
        """The file as a message names it."""


def visible(files: Iterable[File], suffixes: tuple[str, ...], skipped: Skipped) -> list[File]:
    """Those with these endings, or all if there are none, in the order of their names; hidden ones are counted."""
    kept = [file for file in files if not suffixes or file.name.lower().endswith(suffixes)]
    for file in kept:
        if is_hidden(file.name):
            skipped.note("hidden file", "skipped", file.name)
    return sorted((one for one in kept if not is_hidden(one.name)), key=lambda file: file.name.split("/"))


def beside(store: Store, name: str) -> str | None:
    """The text of a small file in the store's own folder, or None if it has none."""
    try:
        return store.read(name).decode("utf-8-sig", "replace")
    except FileNotFoundError:
        return None


def class_names(store: Store) -> list[str]:
    """The lines of a classes.txt in the store's own folder, each the name of a class; none if there is no such file."""
    return (beside(store, "classes.txt") or "").splitlines()


class Folder:
    """A folder of this machine, or of storage that is mounted on it; or one file; or what wildcards stand for.

    Links inside are followed. One that leads out may point at any file of the machine, which nobody meant to train on:
    it is refused, unless `links` allows it, or it is the hub's own.
    """

    def __init__(self, path: str, *, links: bool = False) -> None:
        given = Path(path).expanduser().absolute()
        several = None if given.exists() else matching(str(given))
        if several is None and not given.exists():
            fetch = f"; or fetch it from the hub first: hf download {path} --repo-type dataset" if is_name(path) else ""
            raise SslgraphError(
                f"{path} does not exist; give the folder of the images, one file, or an address such as s3://{fetch}"
            )
        if given.exists() and not (given.is_file() or given.is_dir()):
            raise SslgraphError(f"{path} is a device or a pipe; give the folder of the images, or one file")
        self.only = given.name if given.is_file() else None
        self._folder, self._starts = several or (given.parent if self.only else given, [given])
        self._inside = [self._folder.resolve(), *snapshot_places(self._folder)]
        self.root, self.reads, self.links, self.skipped = path, None, links, Skipped()

    def files(self, *suffixes: str) -> list[File]:
        self.skipped, found = Skipped(), list[File]()
        for name, entry in self._walk(self.skipped, refuse=self._refuse_out):
            if not name.endswith("/") and (not suffixes or self.only or name.lower().endswith(suffixes)):
                about = entry.stat()
                found.append(File(name, about.st_size, f"{about.st_size} {about.st_mtime_ns}", entry.is_symlink()))
        return sorted(found, key=lambda file: file.name.split("/"))

    def top(self) -> list[str]:
        names = list[str]()
        for name, _ in self._walk(Skipped()):  # each folder whole: shards may stand behind thousands of other files
            if len(names) >= TOP and dirname(name.rstrip("/")) != dirname(names[-1].rstrip("/")):
                break
            names.append(name)
        return names

    def _walk(
        self, skipped: Skipped, refuse: Callable[[Path], object] = bool
    ) -> Iterator[tuple[str, os.DirEntry[str] | Path]]:
        """The files and folders below with their names, the upper ones first; what is left out is counted."""
        yield from ((self._name(start), start) for start in self._starts if not start.is_dir())
        folders = (start for start in self._starts if start.is_dir())
        waiting = deque((str(start), "" if start == self._folder else f"{self._name(start)}/") for start in folders)
        while waiting:
            place, above = waiting.popleft()
            try:
                entries = sorted(os.scandir(place), key=lambda entry: entry.name)
            except OSError as reason:
                skipped.note("folder", f"can't be listed ({reason.strerror})", above)
                continue
            for entry in entries:
                kind, name = kind_of(entry), above + entry.name
                if is_hidden(entry.name):
                    skipped.note(f"hidden {kind or 'file'}", "skipped", name)
                elif kind == "folder":
                    if not entry.is_symlink() or self._is_followed(Path(entry.path), skipped, refuse):
                        waiting.append((entry.path, f"{name}/"))
                        yield f"{name}/", entry
                elif kind == "file":
                    yield name, entry
                elif entry.is_symlink():
                    skipped.note("link", "its target is missing", name)
                else:
                    skipped.note("device or pipe", "not a file", name)

    def _is_followed(self, link: Path, skipped: Skipped, refuse: Callable[[Path], object]) -> bool:
        """Whether a linked folder is to be read: not if it leads back to one above it, by whatever way it was come to.

        Two folders that link to each other are followed once in each: above a link stands its own way, too.
        """
        target = link.resolve()
        way = [above.resolve() for above in link.parents if above.is_relative_to(self._folder)]
        if link.parent.resolve().is_relative_to(target) or target in way:
            skipped.note("link", "to a folder above it", self._name(link))
            return False
        refuse(link)
        return True

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def size(self, name: str) -> int:
        return (self._folder / name).stat().st_size

    def read(self, name: str, start: int = 0, size: int | None = None) -> bytes:
        with self._opened(name) as file:
            file.seek(start)
            return file.read(-1 if size is None else size)

    def open(self, file: File, piece: int) -> IO[bytes]:  # noqa: ARG002  the system reads ahead
        return self._opened(file.name)

    def place(self, name: str) -> str:
        return str(self._folder / name)

    def refuse_links_out(self, files: list[File]) -> None:
        for file in files:
            if file.is_link:
                self._refuse_out(self._folder / file.name)

    def _refuse_out(self, link: Path) -> None:
        target = link.resolve()
        if not self.links and not any(target.is_relative_to(place) for place in self._inside):
            raise SslgraphError(
                f"{link} is a link to {target}, outside the folder; copy it, give that folder, or allow such links "
                "with data.links: true"
            )

    def _opened(self, name: str) -> IO[bytes]:
        try:
            return (self._folder / name).open("rb")
        except OSError as reason:
            if self._folder.is_dir():  # the file alone is broken, or gone
                raise
            raise StorageError(f"the images' folder {self.root} is gone ({reason}); see that it is mounted") from reason


def kind_of(entry: os.DirEntry[str] | Path) -> str:
    """What it is, or what it links to; "" for a link that leads nowhere or in a circle."""
    try:
        return "folder" if entry.is_dir() else "file" if entry.is_file() else ""
    except OSError:
        return ""
