"""Things that are costly to read, kept until newer ones need their room."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Thing = TypeVar("Thing")


class Kept(Generic[Key, Thing]):
    """The things that were asked for last, up to so many bytes in all; asked for by many threads, each is read once.

    `read` counts how many things were read.
    """

    def __init__(self, most: int) -> None:
        self.most, self.read = most, 0
        self._there: OrderedDict[Key, tuple[Thing, int]] = OrderedDict()
        self._lock, self._reading = threading.Lock(), defaultdict[Key, threading.Lock](threading.Lock)

    def get(self, key: Key, read: Callable[[], tuple[Thing, int]]) -> Thing:
        """The thing; `read` makes it, with its size in bytes, if it is not there."""
        with self._lock:
            reading = self._reading[key]
        with reading:  # others who ask for it wait here
            with self._lock:
                if key in self._there:
                    self._there.move_to_end(key)
                    return self._there[key][0]
                self.read += 1
            thing, size = read()
            with self._lock:
                self._there[key] = thing, size
                held = sum(size for _, size in self._there.values())
                while held > self.most and len(self._there) > 1:
                    held -= self._there.popitem(last=False)[1][1]
            return thing
