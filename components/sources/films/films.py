"""Video files: how long they are, and frames of them, decoded by torchcodec or else by PyAV (the extra `video`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from sslgraph.errors import SslgraphError

from . import films_av, films_torchcodec

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


@cache
def decoder() -> ModuleType:
    """The module that decodes here; its functions raise ValueError where they can't. SslgraphError if nothing does."""
    for module in (films_torchcodec, films_av):
        if module.can_decode():
            return module
    raise SslgraphError("videos are read by torchcodec or PyAV: pip install 'sslgraph[video]'")


def film(place: str) -> Film:
    """What the head of a file says; ValueError with the reason if no frame of it can be decoded."""
    seconds, rate, size = decoder().head(place)
    if rate <= 0:
        raise ValueError("it says no frame rate")
    return Film(place, max(seconds, 1 / rate), rate, size)


def frame_at(place: str, seconds: float) -> UInt8[Tensor, "3 height width"]:
    """The frame that is shown at a time, the last one behind the end; ValueError if it can't be decoded."""
    found: UInt8[Tensor, "3 height width"] = decoder().frame(place, seconds)
    return found


def clip_at(place: str, seconds: float, *, frames: int, stride: int = 1) -> Clip:
    """So many frames from a time on, each `stride`-th; fewer where the film ends."""
    kept, times = decoder().frames(place, seconds, count=frames, stride=stride)
    if not kept:
        raise ValueError(f"it has no frame at {seconds:.2f} s")
    return Clip(torch.stack(kept), torch.tensor(times, dtype=torch.float64), film(place).rate / stride)


def counted_times(films: Sequence[Film], every: float) -> list[tuple[int, float]]:
    """A frame of each film every so many seconds, from the middle of the first span on: (film, seconds)."""
    return [
        (number, min((i + 0.5) * every, film.seconds / 2 if film.seconds < every else film.seconds))
        for number, film in enumerate(films)
        for i in range(max(1, int(film.seconds / every)))
    ]
