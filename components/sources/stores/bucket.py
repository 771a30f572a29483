"""A data set at an address, such as s3://bucket/images: patient with faults that pass, and without secrets."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, TypeVar

import pyarrow as pa

from sslgraph.errors import SslgraphError, StorageError
from sslgraph.files.addresses import kind_of, patiently, refuse_secrets

from .clients import client_for
from .skipped import Skipped
from .store import File, visible
from .wildcards import expanded

Found = TypeVar("Found")


class Bucket:
    """The files below an address, or those that its braces count up: https://host/train-{000..146}.tar.

    Each read is tried again where a fault may pass. Credentials come from the environment and never from the address,
    which is written into the run folder.
    """

    def __init__(self, address: str, *, reads: int) -> None:
        if reads < 1:
            raise SslgraphError(f"reads: {reads} would read nothing; ask for 1 or more, 32 if in doubt")
        self.root, self.reads = address.partition("?")[0], reads
        self._kind = kind_of(address)
        refuse_secrets(address)
        self._faults: tuple[type[Exception], ...] = (OSError, pa.ArrowException)
        addresses, query = expanded(self.root), "".join(address.partition("?")[1:])
        self._client, paths = self._patiently("opening it", lambda: client_for(addresses, query, reads))
        self._faults = self._client.faults
        self.only: str | None = None
        self.skipped = Skipped()
        self._base, self._given = paths[0], paths if len(paths) > 1 else None
        if self._given is not None:
            self._base = paths[0].rpartition("/")[0]
            while not all(path.startswith(self._base + "/") for path in paths):
                self._base = self._base.rpartition("/")[0]
        elif self._patiently("looking at it", lambda: self._client.about(self._base)) is not None:
            self._base, _, self.only = self._base.rpartition("/")

    def files(self, *suffixes: str) -> list[File]:
        given = [f"{self._base}/{self.only}"] if self.only else self._given
        if given is not None:
            with ThreadPoolExecutor(self.reads) as threads:
                found = list(threads.map(self._there, given))
        else:
            found = self._listed(deep=True)
        names = [File(file.name[len(self._base) + 1 :], file.size, file.stamp) for file in found]
        self.skipped = Skipped()
        return visible(names, () if self.only else suffixes, self.skipped)

    def top(self) -> list[str]:
        if self.only or self._given:
            return [self.only] if self.only else [path[len(self._base) + 1 :] for path in self._given or ()]
        first = [file.name[len(self._base) + 1 :] for file in self._listed(deep=False)]
        folders = [name for name in first if name.endswith("/")][:8]  # each is a request
        inside = (self._listed(deep=False, below="/" + folder.rstrip("/")) for folder in folders)
        return first + [file.name[len(self._base) + 1 :] for files in inside for file in files]

    def read(self, name: str, start: int = 0, size: int | None = None) -> bytes:
        data = self._patiently(f"reading {name}", lambda: self._client.read(f"{self._base}/{name}", start, size))
        if size is not None and len(data) != size:
            raise StorageError(
                f"{self.place(name)}: {len(data)} bytes came where {size} were asked for; it was changed, or the "
                "server ignores ranges: a run that is started again reads its headers anew"
            )
        return data

    def open(self, file: File, piece: int) -> IO[bytes]:
        return io.BufferedReader(_Ranges(lambda start, size: self.read(file.name, start, size), file.size), piece)

    def refuse_links_out(self, files: list[File]) -> None:
        """An address has no links."""

    def size(self, name: str) -> int:
        found = self._patiently("looking at it", lambda: self._client.about(f"{self._base}/{name}"))
        return found.size if found is not None else 0

    def place(self, name: str) -> str:
        scheme = "" if "://" in self._base else f"{self._kind}://"
        return f"{scheme}{self._base}/{name}"

    def _there(self, path: str) -> File:
        found = self._patiently("looking at it", lambda: self._client.about(path))
        if found is None:
            raise SslgraphError(f"{self.root}: there is no {path.rpartition('/')[2]}; see which files there are")
        return found

    def _listed(self, *, deep: bool, below: str = "") -> list[File]:
        found = self._patiently("listing it", lambda: self._client.listed(self._base + below, deep=deep))
        if found is None:
            cure = "name the files, as in train-{000..146}.tar" if self._kind.startswith("http") else "see its spelling"
            raise SslgraphError(f"{self.root}: nothing can be listed there; {cure}")
        return found

    def _patiently(self, what: str, work: Callable[[], Found]) -> Found:
        return patiently(self.root, what, work, self._faults)


class _Ranges(io.RawIOBase):
    """Bytes that are read by ranges, as something to seek in."""

    def __init__(self, read: Callable[[int, int], bytes], size: int) -> None:
        self._read, self._size, self._at = read, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = max(0, min(len(buffer), self._size - self._at))
        if count:
            buffer[:count] = self._read(self._at, count)
        self._at += count
        return count
