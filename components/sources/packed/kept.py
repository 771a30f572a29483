"""Things that are costly to read, kept until newer ones need their room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Thing = TypeVar("Thing")


class Kept(Generic[Key, Thing]):
    """The things that were asked for last, up to so many bytes in all; asked for by many threads, each is read once.

    `read` counts how many things were read.
    """

    def __init__(self, most: int) -> None:
        self.most, self.read = most, 0
        self._there: OrderedDict[Key, Future[tuple[Thing, int]]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, read: Callable[[], tuple[Thing, int]]) -> Thing:
        """The thing; `read` makes it, with its size in bytes, if it is not there."""
        with self._lock:
            coming = self._there.get(key)
            is_mine = coming is None
            if coming is None:
                coming = self._there[key] = Future()
                self.read += 1
            self._there.move_to_end(key)
        if is_mine:
            self._fill(key, coming, read)
        return coming.result()[0]

    def _fill(self, key: Key, coming: Future[tuple[Thing, int]], read: Callable[[], tuple[Thing, int]]) -> None:
        try:
            coming.set_result(read())
        except BaseException as reason:
            with self._lock:
                self._there.pop(key, None)  # the next who asks tries again
            coming.set_exception(reason)
            return
        with self._lock:
            done = [(name, made.result()[1]) for name, made in self._there.items() if made.done() and name != key]
            held = sum(size for _, size in done) + coming.result()[1]
            for name, size in done:
                if held <= self.most:
                    break
                del self._there[name]
                held -= size
