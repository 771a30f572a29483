"""Lists, reads, writes and removes objects at an address of S3 or Google storage, with retries."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from sslgraph.errors import SslgraphError
from sslgraph.files.addresses import is_address, kind_of, patiently, refuse_secrets

Found = TypeVar("Found")
KINDS = ("s3", "gs", "gcs")
PIECE = 2**23  # bytes at once of a file that is sent or fetched


class Remote:
    """The objects below one address, by names relative to it. Credentials come from the environment."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self.refuse(address)
        import pyarrow as pa  # here, because runs in a folder have no use for it
        import pyarrow.fs

        self._faults, self._selector = (OSError, pa.ArrowException), pa.fs.FileSelector
        uri = self.address.replace("gcs://", "gs://", 1)
        self._files, self._base = self._patiently("opening it", lambda: pa.fs.FileSystem.from_uri(uri))

    @staticmethod
    def refuse(address: str) -> None:
        """Raises SslgraphError for an address that can't keep a run; nothing is opened."""
        if not is_address(address) or kind_of(address) not in KINDS:
            raise SslgraphError(f"{address}: runs can be kept in a folder, or at an address s3://... or gs://...")
        refuse_secrets(address)
        place = address.rstrip("/")
        if "/" not in place.partition("://")[2]:
            raise SslgraphError(f"{address} is a whole bucket; name a folder in it, such as {place}/my-run")

    def names(self, below: str = "") -> dict[str, int]:
        """All objects, with their sizes in bytes."""
        path = f"{self._base}/{below}".rstrip("/")
        selector = self._selector(path, allow_not_found=True, recursive=True)
        found = self._patiently("listing it", lambda: self._files.get_file_info(selector))
        names = {about.path[len(self._base) + 1 :]: about.size for about in found if about.is_file}
        for name in names:
            if ".." in name.split("/") or name.startswith("/"):
                raise SslgraphError(
                    f"{self.address}: the object '{name}' would be written outside of the run's folder; remove it there"
                )
        return names

    def read(self, name: str) -> bytes | None:
        """The bytes of an object; None if there is none."""

        def work() -> bytes | None:
            if not self._files.get_file_info(self._path(name)).is_file:
                return None
            # A stream: asked for a size, Google's client keeps Python's other threads waiting for the answer.
            with self._files.open_input_stream(self._path(name)) as file:
                return bytes(file.read())

        return self._patiently(f"reading {name}", work)

    def put(self, name: str, content: bytes) -> None:
        """Writes an object whole."""

        def work() -> None:
            with self._files.open_output_stream(self._path(name)) as out:
                out.write(content)

        self._patiently(f"writing {name}", work)

    def send(self, name: str, file: Path) -> None:
        """Writes an object from a file. FileNotFoundError if the file is gone."""

        def work() -> None:
            with file.open("rb") as source, self._files.open_output_stream(self._path(name)) as out:
                shutil.copyfileobj(source, out, PIECE)

        self._patiently(f"writing {name}", work)

    def fetch(self, name: str, file: Path) -> None:
        """Writes a file from an object."""

        def work() -> None:
            with self._files.open_input_stream(self._path(name)) as source, file.open("wb") as out:
                shutil.copyfileobj(source, out, PIECE)

        file.parent.mkdir(parents=True, exist_ok=True)
        self._patiently(f"reading {name}", work)

    def remove(self, *names: str) -> None:
        """Removes objects, in this order; one that is not there is no fault."""

        def work(name: str) -> None:
            if self._files.get_file_info(self._path(name)).is_file:
                self._files.delete_file(self._path(name))

        for name in names:
            self._patiently(f"removing {name}", partial(work, name))

    def _path(self, name: str) -> str:
        return f"{self._base}/{name}"

    def _patiently(self, what: str, work: Callable[[], Found]) -> Found:
        return patiently(self.address, what, work, self._faults)
