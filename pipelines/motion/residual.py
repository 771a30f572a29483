"""How much each pixel moves against the camera: optical flow, less what one homography explains."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray
from numpy.typing import NDArray

from sslgraph.errors import SslgraphError

GRID = 6  # pixels between the places whose flow the camera is fitted to
INLIER = 1.0  # pixels
ENOUGH, LEAST = 0.5, 0.3  # shares of inliers: for a homography, for anything
FLOOR = 0.15  # pixels of noise that any flow has
SCALE = 4.0  # noise deviations at which a residual counts as motion

Frame = UInt8[ndarray, "height width 3"]
Field = Float[ndarray, "height width 2"]
Map = Float[ndarray, "height width"]


def vision() -> Any:
    """OpenCV, on one thread and with a fixed seed; SslgraphError where it is not installed."""
    try:
        import cv2
    except ImportError as missing:
        raise SslgraphError("motion needs OpenCV and scikit-image: pip install 'sslgraph[video]'") from missing
    cv2.setNumThreads(1)
    cv2.setRNGSeed(0)
    return cv2


def flow(one: Frame, other: Frame) -> Field:
    """DIS optical flow (Kroeger et al. 2016) at full resolution: pixels right and down from `one` to `other`."""
    cv2 = vision()
    estimate = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    estimate.setFinestScale(0)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (one, other)]
    found: Field = estimate.calc(*grey, None)
    return found


def camera(moved: Field) -> tuple[Field, Bool[ndarray, "places"]] | None:
    """The flow of the camera alone by RANSAC, and which places of the grid follow it; None if nothing explains enough.

    A homography if half of the places follow it, else an affine map if they do, else the median shift if a third does.
    """
    cv2 = vision()
    height, width = moved.shape[:2]
    rows, columns = np.mgrid[GRID // 2 : height : GRID, GRID // 2 : width : GRID].reshape(2, -1)
    start = np.stack([columns, rows], 1).astype(np.float32)
    end = start + moved[rows, columns]
    every = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).reshape(-1, 1, 2).astype(np.float32)
    matrix, _ = cv2.findHomography(start, end, cv2.RANSAC, INLIER)
    if matrix is not None:
        field = (cv2.perspectiveTransform(every, matrix) - every).reshape(height, width, 2)
        if (inliers := _follow(field, moved, rows, columns)).mean() >= ENOUGH:
            return field, inliers
    matrix, _ = cv2.estimateAffine2D(start, end, method=cv2.RANSAC, ransacReprojThreshold=INLIER)
    if matrix is not None:
        field = (cv2.transform(every, matrix) - every).reshape(height, width, 2)
        if (inliers := _follow(field, moved, rows, columns)).mean() >= ENOUGH:
            return field, inliers
    field = np.broadcast_to(np.median(end - start, 0), moved.shape).astype(np.float32)
    inliers = _follow(field, moved, rows, columns)
    return (field, inliers) if inliers.mean() >= LEAST else None


def motion(one: Frame, other: Frame) -> tuple[Map, float] | None:
    """From 0 to 1 how surely each pixel moves against the camera, and the share of places that follow the camera.

        s = 1 - exp(-(max(m - median, 0) / (4 sigma))^2),     m = |flow - camera|,
        sigma = 1.4826 MAD of m over the places that follow the camera + 0.15 pixels

    None if no camera explains the flow.
    """
    moved = flow(one, other)
    found = camera(moved)
    if found is None:
        return None
    field, inliers = found
    apart: Map = np.linalg.norm(moved - field, axis=-1)
    height, width = apart.shape
    calm = apart[GRID // 2 : height : GRID, GRID // 2 : width : GRID].reshape(-1)[inliers]
    middle = np.median(calm)
    sigma = 1.4826 * np.median(np.abs(calm - middle)) + FLOOR
    seen: Map = 1 - np.exp(-np.square(np.maximum(apart - middle, 0) / (SCALE * sigma)))
    return seen, float(inliers.mean())


def _follow(field: Field, moved: Field, rows: NDArray[Any], columns: NDArray[Any]) -> Bool[ndarray, "places"]:
    followed: Bool[ndarray, "places"] = np.linalg.norm(field[rows, columns] - moved[rows, columns], axis=1) <= INLIER
    return followed
