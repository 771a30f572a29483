"""Masks of what moves in a clip: past and future vote, superpixels snap, gates reject before anything is normalised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from .residual import Frame, Map, motion, vision

REACH = 3  # frames before and behind that are compared
LONGER_SIDE = 320  # pixels; larger frames are made smaller first
BORDER = 0.05  # of each side, where flow is not known
SUPERPIXELS, COMPACTNESS = 300, 10.0
MOVES, STILL = 0.6, 0.25  # snapped score from which a pixel is foreground, and up to which it is background
LEAST_AREA, MOST_AREA = 0.005, 0.5
MOST_BLOBS, LARGE_BLOB = 3, 0.2  # more blobs than that, each a fifth of the foreground, are no object
TOUCHING = 0.6  # of the border's length
FOREGROUND, BACKGROUND, UNKNOWN = 1, 0, 255

Trimap = UInt8[ndarray, "height width"]


@dataclass(frozen=True)
class Masked:
    """A frame, its trimap (1 moves, 0 does not, 255 unknown), and why it was rejected ("" if it was not).

    `score` is the snapped motion from 0 to 1, `inliers` the share of places that follow the camera, `confidence` is
    halved where only the past or the future could vote.
    """

    frame: Frame
    trimap: Trimap
    score: Map
    rejected: str
    inliers: float = 0.0
    confidence: float = 0.0
    facts: dict[str, float] = field(default_factory=dict)


def masked(clip: Sequence[Frame], t: int) -> Masked:
    """The mask of the frame `t` of a clip, by the frames around it; one that can't be trusted says why."""
    frames = [smaller(frame) for frame in clip[max(0, t - REACH) : t + REACH + 1]]
    return _masked(frames, min(t, REACH))


def smaller(frame: Frame) -> Frame:
    """The frame with a longer side of at most 320 pixels."""
    factor = LONGER_SIDE / max(frame.shape[:2])
    if factor >= 1:
        return frame
    cv2 = vision()
    size = (round(frame.shape[1] * factor), round(frame.shape[0] * factor))
    made: Frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return made


def _masked(frames: Sequence[Frame], t: int) -> Masked:
    frame, sides, inliers = frames[t], [], list[float]()
    for sign in (-1, 1):
        others = [t + sign * k for k in range(1, REACH + 1) if 0 <= t + sign * k < len(frames)]
        found = [seen for other in others if (seen := motion(frame, frames[other])) is not None]
        if found:
            sides.append(np.mean([score for score, _ in found], 0))
            inliers += [share for _, share in found]
    if not sides:
        nothing = np.zeros(frame.shape[:2], np.float32)
        return Masked(frame, _unknown(frame), nothing, "no camera motion explains the flow")
    score = snapped(frame, _without_border(np.min(sides, 0)))
    area, reason = _rejected(score)
    return Masked(
        frame, trimap(score) if not reason else _unknown(frame), score, reason,
        float(np.mean(inliers)), 0.5 * len(sides), {"area": area, "highest": float(score.max())},
    )  # fmt: skip


def snapped(frame: Frame, score: Map) -> Map:
    """The mean score of each superpixel (SLIC), so that a mask ends where the picture does."""
    from skimage.segmentation import slic

    labels = slic(
        frame, n_segments=SUPERPIXELS, compactness=COMPACTNESS, sigma=1, start_label=0, channel_axis=-1
    )  # fmt: skip
    counts = np.bincount(labels.ravel())
    means = np.bincount(labels.ravel(), score.ravel()) / np.maximum(counts, 1)
    made: Map = means[labels].astype(np.float32)
    return made


def trimap(score: Map) -> Trimap:
    """Foreground less a pixel at its edge, background from three pixels away, the rest unknown."""
    cv2 = vision()
    moves = (score >= MOVES).astype(np.uint8)
    inner = cv2.erode(moves, np.ones((3, 3), np.uint8))
    far = cv2.dilate((score > STILL).astype(np.uint8), np.ones((7, 7), np.uint8))
    made: Trimap = np.where(inner > 0, FOREGROUND, np.where(far == 0, BACKGROUND, UNKNOWN)).astype(np.uint8)
    return made


def _rejected(score: Map) -> tuple[float, str]:
    """The share of the foreground, and why this frame has no mask that can be trusted; looked at in this order."""
    moves = score >= MOVES
    area = float(moves.mean())
    if score.max() < MOVES:
        return area, "nothing moves"
    if not LEAST_AREA <= area <= MOST_AREA:
        return area, "what moves is too small" if area < LEAST_AREA else "more than half moves"
    count, labels = vision().connectedComponents(moves.astype(np.uint8))
    blobs = np.bincount(labels.ravel(), minlength=count)[1:] / moves.sum()
    if (blobs > LARGE_BLOB).sum() > MOST_BLOBS:
        return area, "many things move"
    edge = round(BORDER * min(score.shape))
    inside = moves[edge : moves.shape[0] - edge, edge : moves.shape[1] - edge]
    rim = np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
    return area, "what moves surrounds the frame" if rim.mean() > TOUCHING else ""


def _without_border(score: Map) -> Map:
    edge, made = round(BORDER * min(score.shape)), np.zeros_like(score)
    middle = (slice(edge, score.shape[0] - edge), slice(edge, score.shape[1] - edge))
    made[middle] = score[middle]
    return made


def _unknown(frame: Frame) -> Trimap:
    return np.full(frame.shape[:2], UNKNOWN, np.uint8)
