"""Images prepared by `sslgraph data PATH --prepare OUT`: small already, in one file a split, mapped into memory."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Unpack

import numpy as np
import torch
from numpy.typing import NDArray

from sslgraph.component import component
from sslgraph.errors import SslgraphError
from sslgraph.ranges import Count, NotNegative, Whole

from .albums.album import Album
from .decode.decoding import COLOURS, Picture, decode
from .names.splits import SplitSettings
from .stores.opening import store_at
from .stores.store import Folder, beside

ABOUT = "prepared.json"


@component(source="own; raw bytes mapped into memory as in FFCV (arXiv:2306.12517)", role="reader")
class Prepared(Album):
    """Images whose shorter side was brought to one length once and for all, as JPEG or as raw bytes.

    Raw bytes need no decoding and about eight times the room of JPEG; the system keeps in memory what fits. A split
    lies in SPLIT.bin, image after image; SPLIT.npz says where each begins and how large it is. The folder may be
    copied to a bucket and read there, a request for each image.

    Settings:
        path: the folder that was written, or its address (s3://bucket/prepared).
        memory: most that images of one size may take to be held decoded, GiB; 0 reads them anew each time.
        reads: images that are fetched at a time from an address.
        channels: which of the prepared channels are taken, counted from 0; needed where they are not three.
    """

    def __init__(
        self,
        *,
        path: str,
        memory: NotNegative = 0.0,
        reads: Count = 32,
        channels: list[Whole] | None = None,
        **shared: Unpack[SplitSettings],
    ) -> None:
        super().__init__(memory=memory, **shared)
        self._store, split = store_at(path, reads=reads), self.split
        self.reads = self._store.reads
        found = beside(self._store, ABOUT)
        if found is None:
            cure = f"write them: sslgraph data IMAGES --prepare {path}"
            raise SslgraphError(f"{path} holds no prepared images ({ABOUT}); {cure}")
        about = json.loads(found)
        if split not in about["splits"]:
            raise SslgraphError(f"{path} has no {split} split; it was prepared with: {', '.join(about['splits'])}")
        with np.load(io.BytesIO(self._store.read(f"{split}.npz"))) as index:
            self._starts, self._sizes, labels = index["starts"], index["sizes"], index["labels"]
        known = torch.from_numpy(labels).long() if len(labels) else None
        self._row = self.choose(known, None, len(self._sizes), where=path)
        self.is_raw, self._there = about["form"] == "raw", int(about.get("channels", 3))
        self._channels = self._asked(channels, path)
        self.classes = tuple(about["classes"])
        self._file, self._split = f"{split}.bin", f"{path}, {split} image"
        is_here = isinstance(self._store, Folder)
        self._mapped = np.memmap(self._store.place(self._file), dtype=np.uint8, mode="r") if is_here else None

    @staticmethod
    def recognizes(path: str) -> bool:
        """Whether prepared images lie there."""
        return ABOUT in store_at(path).top()

    def load(self, index: int) -> Picture:
        row = self._row[index]
        start, end = int(self._starts[row]), int(self._starts[row + 1])
        if not self.is_raw:
            return decode(self._found(start, end).tobytes())[self._channels]
        height, width = self._sizes[row]
        # A copy: colour steps work in place, and the file is not to be changed.
        pixels = torch.from_numpy(np.array(self._found(start, end))).view(int(height), int(width), self._there)
        return pixels.permute(2, 0, 1)[self._channels]

    def _asked(self, channels: list[int] | None, path: str) -> list[int] | slice:
        if channels is None and self._there == COLOURS:
            return slice(None)  # all of them, as they lie
        if channels is None or max(channels, default=self._there) >= self._there:
            everyone = list(range(self._there))
            raise SslgraphError(
                f"{path} holds images of {self._there} channels: set data.channels: {everyone}, or some"
            )
        return channels

    def name(self, index: int) -> str:
        return f"{self._split} {index}"

    def listing(self) -> Iterator[bytes]:
        """Where each image begins, its height and width, and the labels: prepared images have no names."""
        yield self._starts[self._row].tobytes()
        yield self._sizes[self._row].tobytes()
        yield self.label_bytes

    def _found(self, start: int, end: int) -> NDArray[np.uint8]:
        if self._mapped is not None:
            return self._mapped[start:end]
        return np.frombuffer(self._store.read(self._file, start, end - start), dtype=np.uint8)
