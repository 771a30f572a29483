"""Video files: how long they are, and frames of them, decoded by PyAV (the extra `video`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from sslgraph.errors import SslgraphError

SUFFIXES = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".ogv", ".wmv", ".flv", ".ts")


@dataclass(frozen=True)
class Film:
    """A file with a video: its place, its length in seconds, frames a second, height and width."""

    place: str
    seconds: float
    rate: float
    size: tuple[int, int]


@dataclass(frozen=True)
class Clip:
    """Frames of one film, one after another: when each is shown, in seconds, and how many there are a second."""

    frames: UInt8[Tensor, "time 3 height width"]
    times: Float64[Tensor, "time"]
    rate: float


def film(place: str) -> Film:
    """What the head of a file says; ValueError with the reason if no frame of it can be decoded."""
    with _opened(place) as container:
        stream = container.streams.video[0]
        first = next(iter(container.decode(stream)), None)
        if first is None:
            raise ValueError("it has no frame")
        rate = float(stream.average_rate or stream.guessed_rate or 0)
        length = stream.duration * stream.time_base if stream.duration else (container.duration or 0) / 1e6
        if rate <= 0:
            raise ValueError("it says no frame rate")
        return Film(place, max(float(length), 1 / rate), rate, (first.height, first.width))


def frame_at(place: str, seconds: float) -> UInt8[Tensor, "3 height width"]:
    """The frame that is shown at a time, the last one behind the end; ValueError if it can't be decoded."""
    shown = None
    for time, frame in _frames(place, seconds):
        if shown is not None and time > seconds + 1e-6:
            break
        shown = frame
    if shown is None:
        raise ValueError(f"it has no frame at {seconds:.2f} s")
    return _pixels(shown)


def clip_at(place: str, seconds: float, *, frames: int, stride: int = 1) -> Clip:
    """So many frames from a time on, each `stride`-th; fewer where the film ends."""
    rate, kept, times = film(place).rate, list[Tensor](), list[float]()
    for number, (time, frame) in enumerate(_from(place, seconds)):
        if number % stride == 0:
            kept.append(_pixels(frame))
            times.append(time)
        if len(kept) == frames:
            break
    if not kept:
        raise ValueError(f"it has no frame at {seconds:.2f} s")
    return Clip(torch.stack(kept), torch.tensor(times, dtype=torch.float64), rate / stride)


def _from(place: str, seconds: float) -> Iterator[tuple[float, Any]]:
    return ((time, frame) for time, frame in _frames(place, seconds) if time >= seconds - 1e-6)


def _frames(place: str, seconds: float) -> Iterator[tuple[float, Any]]:
    """The frames from the last key frame before a time on, with their times."""
    with _opened(place) as container:
        stream = container.streams.video[0]
        if seconds > 0 and stream.time_base:
            container.seek(int(seconds / stream.time_base), stream=stream)
        try:
            for frame in container.decode(stream):
                yield float(frame.time or 0.0), frame
        except (OSError, ValueError) as wrong:
            raise ValueError(f"it breaks off ({wrong})") from wrong


def _pixels(frame: Any) -> UInt8[Tensor, "3 height width"]:
    return torch.from_numpy(frame.to_ndarray(format="rgb24")).permute(2, 0, 1).contiguous()


def _opened(place: str) -> Any:
    try:
        import av
    except ImportError as missing:
        raise SslgraphError("videos are read by PyAV: pip install 'sslgraph[video]'") from missing
    try:
        container = av.open(place)
    except (OSError, ValueError) as wrong:  # PyAV's errors are of both kinds
        raise ValueError(f"no video that can be read ({wrong})") from wrong
    if not container.streams.video:
        container.close()
        raise ValueError("it has no pictures, only sound")
    return container


def counted_times(films: Sequence[Film], every: float) -> list[tuple[int, float]]:
    """A frame of each film every so many seconds, from the middle of the first span on: (film, seconds)."""
    return [
        (number, min((i + 0.5) * every, film.seconds / 2 if film.seconds < every else film.seconds))
        for number, film in enumerate(films)
        for i in range(max(1, int(film.seconds / every)))
    ]
