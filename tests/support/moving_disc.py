"""Clips of known truth: a textured disc over a textured background under a small drift of the camera, with noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

HEIGHT, WIDTH = 160, 224
COLOUR = (70, -40, -70)  # of the disc, added to the background's


def texture(fixed: np.random.Generator, height: int, width: int) -> Any:
    """Smooth grey noise of several scales, bytes."""
    made = np.zeros((height, width, 1), np.float32)
    for scale, weight in ((4, 1.0), (12, 1.5), (32, 2.0)):
        small = fixed.normal(size=(height // scale + 2, width // scale + 2)).astype(np.float32)
        made[..., 0] += weight * cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 15 * made, 0, 255).astype(np.uint8).repeat(3, 2)


def clip(seed: int, *, radius: int = 26, speed: float = 2.7, frames: int = 7, drift: bool = True) -> tuple[Any, Any]:
    """Frames and the mask of the disc in each; a radius of 0 has no disc."""
    fixed = np.random.default_rng(seed)
    ground, disc = texture(fixed, HEIGHT + 80, WIDTH + 80), texture(fixed, 2 * radius + 9, 2 * radius + 9)
    disc = np.clip(disc + np.array(COLOUR), 0, 255).astype(np.uint8)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    made, masks = [], []
    for t in range(frames):
        turn = 0.002 * t * drift
        matrix = np.array(
            [[1 + 0.001 * t * drift, -turn, 40 + 0.8 * t * drift], [turn, 1, 40 - 0.5 * t * drift], [0, 0, 1]]
        )
        frame = cv2.warpPerspective(
            ground,
            matrix,
            (WIDTH, HEIGHT),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )
        across, down = 80 + speed * t, 80 + 0.3 * speed * t
        inside = (columns - across) ** 2 + (rows - down) ** 2 <= radius**2 if radius else np.zeros_like(rows, bool)
        if radius:
            shift = np.array([[1, 0, across - radius - 4], [0, 1, down - radius - 4]], np.float32)
            moved = cv2.warpAffine(disc, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
            frame = np.where(inside[..., None], moved, frame)
        noisy = frame + fixed.normal(scale=3, size=frame.shape)
        made.append(np.clip(noisy, 0, 255).astype(np.uint8))
        masks.append(inside)
    return made, masks


def film(place: Path, frames: list[Any]) -> None:
    """The frames as a video of ten a second."""
    import av

    place.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(place), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", 8_000_000
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
