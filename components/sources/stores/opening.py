"""The store of a data set: a folder of this machine, or an address; and whether shards or single images lead in it."""

from __future__ import annotations

from sslgraph.files.addresses import is_address

from ..decode.decoding import SUFFIXES
from . import hub
from .store import Folder, Store
from .zipped import Zipped, is_zip

HEAD = 1024  # bytes that a small image takes more in a tar file
WEIGHED = 20  # files of a kind whose sizes are looked at


def store_at(path: str, *, reads: int = 32, links: bool = False) -> Store:
    """The store at a path or an address; `reads` is how many requests may be under way at a time."""
    if is_address(path):
        from .bucket import Bucket  # which brings pyarrow's file systems with it

        return Bucket(path, reads=reads)
    if is_zip(path):
        return Zipped(path)
    return Folder(hub.located(path), links=links)


def holds_shards(path: str, suffix: str | tuple[str, ...]) -> bool:
    """Whether files with this ending lie at a path, and are not a few things beside a folder of images."""
    store = store_at(path)
    names = store.top()
    shards, images = ([name for name in names if name.lower().endswith(ends)] for ends in (suffix, SUFFIXES))
    if len(images) <= len(shards):
        return bool(shards)
    return bool(shards) and _weight(store, images) < 0.1 * _weight(store, shards)


def _weight(store: Store, names: list[str]) -> float:
    some = names[:: max(1, len(names) // WEIGHED)][:WEIGHED]
    return sum(store.size(name) + HEAD for name in some) / len(some) * len(names)
