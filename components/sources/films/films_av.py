"""Videos decoded by PyAV, whose wheels bring FFmpeg with them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

Picture = UInt8[Tensor, "3 height width"]


def can_decode() -> bool:
    """Whether PyAV is installed."""
    try:
        return find_spec("av") is not None
    except ValueError:  # what stands under that name was taken away
        return False


def head(place: str) -> tuple[float, float, tuple[int, int]]:
    """Seconds, frames a second, height and width."""
    with _opened(place) as container:
        stream = container.streams.best("video")
        first = next(iter(container.decode(stream)), None)
        if first is None:
            raise ValueError("it has no frame")
        rate = float(stream.average_rate or stream.guessed_rate or 0)
        length = stream.duration * stream.time_base if stream.duration else (container.duration or 0) / 1e6
        return float(length), rate, (first.height, first.width)


def frame(place: str, seconds: float) -> Picture:
    """The frame that is shown at a time, the last one behind the end."""
    shown = None
    for time, found in _frames(place, seconds):
        if shown is not None and time > seconds + 1e-6:
            break
        shown = found
    if shown is None:
        raise ValueError(f"it has no frame at {seconds:.2f} s")
    return _pixels(shown)


def frames(place: str, seconds: float, *, count: int, stride: int) -> tuple[list[Picture], list[float]]:
    """So many frames that begin at a time or later, each `stride`-th, and when."""
    kept, times = list[Picture](), list[float]()
    later = ((time, found) for time, found in _frames(place, seconds) if time >= seconds - 1e-6)
    for number, (time, found) in enumerate(later):
        if number % stride == 0:
            kept.append(_pixels(found))
            times.append(time)
        if len(kept) == count:
            break
    return kept, times


def _frames(place: str, seconds: float) -> Iterator[tuple[float, Any]]:
    """The frames from the last key frame before a time on, with their times."""
    with _opened(place) as container:
        stream = container.streams.best("video")
        if seconds > 0 and stream.time_base:
            container.seek(int(seconds / stream.time_base), stream=stream)
        try:
            for found in container.decode(stream):
                yield float(found.time or 0.0), found
        except (OSError, ValueError) as wrong:
            raise ValueError(f"it breaks off ({wrong})") from wrong


def _pixels(found: Any) -> Picture:
    return torch.from_numpy(found.to_ndarray(format="rgb24")).permute(2, 0, 1).contiguous()


def _opened(place: str) -> Any:
    import av

    try:
        container = av.open(place)
    except (OSError, ValueError) as wrong:  # PyAV's errors are of both kinds
        raise ValueError(f"no video that can be read ({wrong})") from wrong
    if not container.streams.video:
        container.close()
        raise ValueError("it has no pictures, only sound")
    return container
