"""The store of a data set: a folder of this machine, or an address."""

from __future__ import annotations

from .store import Folder, Store


def store_at(path: str, *, reads: int = 32) -> Store:
    """The store at a path or an address; `reads` is how many requests may be under way at a time."""
    if "://" in path:
        from .bucket import Bucket  # which brings pyarrow's file systems with it

        return Bucket(path, reads=reads)
    return Folder(path)
