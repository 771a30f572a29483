"""Images that are files of a folder, on disk or at an address: how each is read, called and told from another set's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .album import Album
from .store import Store


class Filed(Album):
    """Images each of which is a file; a source that is one sets where they lie, their names and their sizes."""

    _store: Store
    files: Sequence[str]
    _sizes: NDArray[np.int64]

    def encoded(self, index: int) -> bytes:
        """The bytes of its file."""
        return self._store.read(self.files[index])

    def name(self, index: int) -> str:
        """Its file."""
        return self._store.place(self.files[index])

    def listing(self) -> Iterator[bytes]:
        """The names below the folder, and the sizes: they are another set's if any of them differs."""
        yield "\n".join(self.files).encode("utf-8", "surrogateescape")
        yield self._sizes.tobytes()
