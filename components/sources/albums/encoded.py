"""Pictures that are encoded files, in a folder or in shards: how they are fetched and brought to bytes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from sslgraph import draws
from sslgraph.ranges import Count, Whole

from ..decode.decoding import Picture, decode, numbers_of
from ..decode.pixels import SAMPLE, Array, Scaling
from ..stores.opening import store_at
from ..stores.store import Store
from .album import Album, AlbumSettings


class ScaledSettings(AlbumSettings, total=False):
    """The settings that `Scaled` and `Album` describe, for the sources that pass them on."""

    range: list[float] | Literal["auto"] | None
    channels: list[int] | None


class Scaled(Album):
    """Pictures whose numbers may be more than bytes.

    Settings:
        range: which numbers are black and white where pixels are more than bytes, as [0, 4095], or auto.
        channels: which channels are taken, 2 to 16 of them, counted from 0; three if left out.
    """

    scaling: Scaling

    def __init__(
        self,
        *,
        range: list[float] | Literal["auto"] | None = None,
        channels: list[Whole] | None = None,
        **shared: Unpack[AlbumSettings],
    ) -> None:
        super().__init__(**shared)
        self._range, self._channels = range, channels

    def scale(self, sample: Callable[[], Iterable[Array]], where: str) -> None:
        """Pixels are scaled by the range of some images from now on; `sample` gives them when it is needed."""
        self.scaling = Scaling(self._range, sample, where, self._channels)


class EncodedSettings(ScaledSettings, total=False):
    """The settings that `Encoded` describes, and those behind it."""

    reads: int
    links: bool
    at_least: int | None


class Encoded(Scaled):
    """Pictures each of which is the bytes of an image file.

    Settings:
        reads: images that are fetched at a time from an address.
        links: whether links that lead out of the folder are followed.
        at_least: pixels that the shorter side of a large JPEG keeps, which is then decoded at a half, a quarter or an
            eighth of its size; None decodes it whole.
    """

    def __init__(
        self, *, reads: Count = 32, links: bool = False, at_least: Count | None = None, **shared: Unpack[ScaledSettings]
    ) -> None:
        super().__init__(**shared)
        self.links, self.at_least, self._fetched = links, at_least, reads

    def store_at(self, path: str) -> Store:
        """The store of a path or an address, from which as many images are fetched at a time as it allows."""
        store = store_at(path, reads=self._fetched, links=self.links)
        self.reads = store.reads
        return store

    def scale_files(self, count: int, encoded: Callable[[int], bytes], where: str) -> None:
        """Pixels are scaled by images of all splits from now on; `encoded` gives the file of each of so many items."""

        def sample() -> Iterator[Array]:
            for item in draws.fair(count, SAMPLE).tolist():
                with suppress(OSError):
                    if (found := numbers_of(encoded(item))) is not None:
                        yield found

        self.scale(sample, where)

    def load(self, index: int) -> Picture:
        """One picture; ValueError or OSError if it is broken, StorageError if nothing can be read at all."""
        return decode(self.encoded(index), self.at_least, self.scaling)

    @abstractmethod
    def encoded(self, index: int) -> bytes:
        """The bytes of its file."""


class Filed(Encoded):
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
