"""Frames of videos as images, each with its film, its time and the frame rate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Unpack

from jaxtyping import UInt8
from torch import Tensor

from sslgraph.amounts import counted
from sslgraph.component import component
from sslgraph.errors import SslgraphError
from sslgraph.ranges import Positive

from .albums.album import Album, AlbumSettings, chosen
from .films.films import SUFFIXES, Clip, Film, clip_at, counted_times, film, frame_at
from .names.arranging import arranged_files
from .stores.store import Folder


@component(source="own", role="films")
class Video(Album):
    """A frame every so many seconds of each video file below a folder, in the order of their paths.

    Films and not frames are held out, since frames of one film are alike: splits and labels are those that folders and
    names of files say (docs/data.md), else a tenth of the films is held out. A file that can't be decoded is left out
    and named in `notes`. It needs the extra `video`.

    Settings:
        path: the folder, or one video.
        every: seconds between two frames.
    """

    def __init__(self, *, path: str, every: Positive = 1.0, **shared: Unpack[AlbumSettings]) -> None:
        super().__init__(**shared)
        store = Folder(path)
        names = [file.name for file in store.files() if file.name.lower().endswith(SUFFIXES)]
        if not names:
            raise SslgraphError(f"{path} has no videos; they end in {', '.join(SUFFIXES)}")
        whole, broken = dict[str, Film](), list[str]()
        for name in names:
            try:
                whole[name] = film(store.place(name))
            except ValueError as reason:
                broken.append(f"{store.place(name)}: {reason}")
        if not whole:
            raise SslgraphError(f"none of the {counted(len(names), 'video')} can be read, for example {broken[0]}")
        found = arranged_files(list(whole), store.skipped)
        part = chosen(found.labels, found.splits, len(whole), split=self.split, limit=None, where=path)
        self.films, self.classes = [list(whole.values())[i] for i in part.rows], found.classes
        times = counted_times(self.films, every)
        labels = None if part.labels is None else part.labels[[number for number, _ in times]]
        notes = [*part.notes, f"{counted(len(self.films), 'video')}, a frame every {every:g} s"]
        if broken:
            notes.append(f"{counted(len(broken), 'video')} can't be read, such as {broken[0]}")
        self._times = [times[i] for i in self.choose(labels, None, len(times), where=path, notes=notes)]

    def load(self, index: int) -> UInt8[Tensor, "3 height width"]:
        number, seconds = self._times[index]
        return frame_at(self.films[number].place, seconds)

    def clip(self, index: int, *, frames: int = 7, stride: int = 1) -> Clip:
        """The frames from this one on."""
        number, seconds = self._times[index]
        return clip_at(self.films[number].place, seconds, frames=frames, stride=stride)

    def about(self, index: int) -> tuple[int, float, float]:
        """The number of a frame's film, its time in seconds, and the film's frames a second."""
        number, seconds = self._times[index]
        return number, seconds, self.films[number].rate

    def name(self, index: int) -> str:
        number, seconds = self._times[index]
        return f"{self.films[number].place} at {seconds:.2f} s"

    def listing(self) -> Iterator[bytes]:
        """The films and the times: they are another set's if any of them differs."""
        yield "\n".join(f"{self.films[n].place.rpartition('/')[2]} {s:.3f}" for n, s in self._times).encode()
