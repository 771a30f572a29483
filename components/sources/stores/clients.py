"""The clients that read object storage and web servers: pyarrow's own for S3 and Google, fsspec's for the rest."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.fs

from sslgraph.errors import SslgraphError

from .store import File

ARROW = ("s3", "gs", "gcs")
OPENED = 4096  # files whose size is known, so that a read is one request


def client_for(addresses: list[str], query: str, reads: int) -> tuple[Arrow | Fsspec, list[str]]:
    """What reads these addresses, and their paths there."""
    scheme = addresses[0].partition("://")[0].lower()
    if scheme not in ARROW:
        return Fsspec(scheme), [address.rstrip("/") for address in addresses]
    if pa.io_thread_count() < reads:  # as many connections as pyarrow's client for S3 opens
        pa.set_io_thread_count(reads)
    first = addresses[0].replace("gcs://", "gs://")
    try:
        files, _ = pa.fs.FileSystem.from_uri(first + query)
    except pa.ArrowInvalid as wrong:
        raise SslgraphError(f"{addresses[0]} can't be read as an address: {wrong}") from wrong
    return Arrow(files), [address.partition("://")[2].rstrip("/") for address in addresses]


class Arrow:
    """S3 and Google storage, with pyarrow's own clients."""

    faults = (OSError, pa.ArrowException)

    def __init__(self, files: Any) -> None:
        self._files = files
        self.opened = lru_cache(OPENED)(files.open_input_file)

    def listed(self, path: str, *, deep: bool) -> list[File] | None:
        found = self._files.get_file_info(pa.fs.FileSelector(path, allow_not_found=True, recursive=deep))
        folders = [File(f"{about.path}/", 0, "") for about in found if about.type == pa.fs.FileType.Directory]
        return [self._file(about) for about in found if about.is_file] + ([] if deep else folders)

    def about(self, path: str) -> File | None:
        found = self._files.get_file_info(path)
        return self._file(found) if found.is_file else None

    def read(self, path: str, start: int, size: int | None) -> bytes:
        file = self.opened(path)
        data: bytes = file.read_at(file.size() - start if size is None else size, start)
        return data

    def _file(self, about: Any) -> File:
        return File(about.path, about.size, f"{about.size} {about.mtime_ns}")


class Fsspec:
    """Web servers, and whatever fsspec has a package for (az://, hf://)."""

    def __init__(self, scheme: str) -> None:
        import aiohttp

        self.faults = (OSError, TimeoutError, aiohttp.ClientError)
        self.is_web = scheme.startswith("http")
        # The system's proxies and ~/.netrc hold for web servers too.
        given = {"client_kwargs": {"trust_env": True}} if self.is_web else {}
        try:
            self._files = fsspec.filesystem(scheme, **given)
        except (ValueError, ImportError) as missing:
            raise SslgraphError(f"{scheme}:// can't be read: {missing}; s3://, gs:// and https:// can") from missing

    def listed(self, path: str, *, deep: bool) -> list[File] | None:
        if self.is_web:
            return None
        found = self._files.find(path, maxdepth=None if deep else 1, withdirs=not deep, detail=True)
        return [
            File(name + "/", 0, "") if about["type"] == "directory" else self._file(name, about)
            for name, about in found.items()
        ]

    def about(self, path: str) -> File | None:
        try:
            found = self._files.info(path)
        except FileNotFoundError as gone:  # whatever went wrong, with what it was as the cause
            cause = gone.__cause__
            if cause is None or isinstance(cause, FileNotFoundError) or getattr(cause, "status", 0) == 404:
                return None
            raise cause from None
        is_file = found["type"] == "file" and found.get("size") is not None
        return self._file(path, found) if is_file else None

    def read(self, path: str, start: int, size: int | None) -> bytes:
        data: bytes = self._files.cat_file(path, start, None if size is None else start + size)
        return data

    def _file(self, name: str, about: dict[str, Any]) -> File:
        marks = (about.get(key) for key in ("size", "ETag", "etag", "Last-Modified", "last_modified", "mtime"))
        return File(name, int(about["size"]), " ".join(str(mark) for mark in marks if mark is not None))
