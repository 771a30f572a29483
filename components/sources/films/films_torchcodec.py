"""Videos decoded by torchcodec, which takes the FFmpeg that is installed on the machine."""

from __future__ import annotations

from functools import cache
from typing import Any

from jaxtyping import UInt8
from torch import Tensor

Picture = UInt8[Tensor, "3 height width"]


@cache
def can_decode() -> bool:
    """Whether torchcodec is installed and finds the libraries of FFmpeg."""
    try:
        import torchcodec
    except (ImportError, RuntimeError, OSError):  # built for another torch, or without FFmpeg
        return False
    try:
        return bool(torchcodec.ffmpeg_major_version)
    except (ImportError, RuntimeError, OSError, AttributeError):
        return False


def head(place: str) -> tuple[float, float, tuple[int, int]]:
    """Seconds, frames a second, height and width."""
    film = _opened(place)
    first, about = _decoded(film.get_frame_at, 0), film.metadata
    length = about.duration_seconds_from_header or about.end_stream_seconds or 0.0
    return float(length), float(about.average_fps or 0.0), (first.data.shape[1], first.data.shape[2])


def frame(place: str, seconds: float) -> Picture:
    """The frame that is shown at a time, the last one behind the end."""
    film = _opened(place)
    if seconds >= film.metadata.end_stream_seconds:
        found = _decoded(film.get_frame_at, len(film) - 1)
    else:
        found = _decoded(film.get_frame_played_at, max(seconds, film.metadata.begin_stream_seconds))
    picture: Picture = found.data
    return picture


def frames(place: str, seconds: float, *, count: int, stride: int) -> tuple[list[Picture], list[float]]:
    """So many frames that begin at a time or later, each `stride`-th, and when."""
    film = _opened(place)
    start, end, rate = max(seconds, film.metadata.begin_stream_seconds), film.metadata.end_stream_seconds, _rate(film)
    stop = start
    while start < end:  # again with twice the time where frames lie farther apart than their rate says
        stop = min(end, start + 2 * max(stop - start, (count * stride + 1) / rate))
        found = _decoded(film.get_frames_played_in_range, start, stop)
        later = [i for i, time in enumerate(found.pts_seconds.tolist()) if time >= seconds - 1e-6][::stride][:count]
        if len(later) == count or stop == end:
            return [*found.data[later]], found.pts_seconds[later].tolist()
    return [], []


def _rate(film: Any) -> float:
    return float(film.metadata.average_fps or 1.0)


def _decoded(read: Any, *where: float) -> Any:
    try:
        return read(*where)
    except (RuntimeError, IndexError, ValueError) as wrong:
        raise ValueError(f"it breaks off ({_short(wrong)})") from wrong


def _opened(place: str) -> Any:
    from torchcodec.decoders import VideoDecoder

    try:
        film = VideoDecoder(place)
    except (RuntimeError, ValueError, OSError) as wrong:
        raise ValueError(f"no video that can be read ({_short(wrong)})") from wrong
    if not len(film):
        raise ValueError("it has no frame")
    return film


def _short(wrong: Exception) -> str:
    return str(wrong).splitlines()[0] if str(wrong) else type(wrong).__name__
