"""A zip file as a folder: its members are read where they lie, and nothing is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO

from sslgraph.errors import SslgraphError, StorageError

from .skipped import Skipped, is_hidden
from .store import File, visible

ENDING = ".zip"
ENCRYPTED = 0x1
LARGEST = 2**30  # bytes of a member, unpacked: a few kilobytes can claim any number


def is_zip(path: str) -> bool:
    """Whether a path is that of a zip file on this machine."""
    return path.lower().endswith(ENDING) and Path(path).expanduser().is_file()


class Zipped:
    """The members of a zip file by their names. A member may be read on any thread."""

    only: str | None = None
    reads: int | None = None

    def __init__(self, path: str) -> None:
        self.root, self.skipped = path, Skipped()
        self._file = Path(path).expanduser()
        self._stamp = f"{self._file.stat().st_size} {self._file.stat().st_mtime_ns}"
        try:
            self._zip = zipfile.ZipFile(self._file)
        except (zipfile.BadZipFile, OSError, NotImplementedError) as reason:
            raise SslgraphError(f"{path} can't be read as a zip file ({reason}); fetch it again") from None

    def files(self, *suffixes: str) -> list[File]:
        self.skipped, found = Skipped(), dict[str, File]()
        for member in self._zip.infolist():
            name = member.filename
            if member.is_dir():
                continue
            if member.flag_bits & ENCRYPTED:
                self.skipped.note("member", "encrypted: unpack it with its password", name)
            elif member.file_size > LARGEST:
                self.skipped.note("member", "larger than 1 GiB: unpack it", name)
            else:
                if name in found:
                    self.skipped.note("member", "has the name of a later one", name)
                found[name] = File(name, member.file_size, self._stamp)
        return visible(found.values(), suffixes, self.skipped)

    def top(self) -> list[str]:
        return [name for name in self._zip.namelist() if not is_hidden(name)]

    def read(self, name: str, start: int = 0, size: int | None = None) -> bytes:
        try:
            with self._zip.open(name) as member:
                if start:
                    member.seek(start)
                return member.read(-1 if size is None else size)
        except KeyError:
            raise FileNotFoundError(name) from None
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as reason:
            raise OSError(str(reason)) from reason
        except OSError as reason:
            if self._file.is_file():
                raise
            raise StorageError(f"the images' file {self.root} is gone ({reason}); see that it is mounted") from reason

    def open(self, file: File, piece: int) -> IO[bytes]:  # noqa: ARG002  the system reads ahead
        return self._zip.open(file.name)

    def size(self, name: str) -> int:
        return self._zip.getinfo(name).file_size

    def refuse_links_out(self, files: list[File]) -> None:
        """A link in a zip file is a small text, and no image."""

    def place(self, name: str) -> str:
        return f"{self.root}, {name}"
