"""Windows of a photo: fixed-size cut-outs, so that photos of any size share compiled code.

Convention:
    A window's ``origin`` is the photo pixel (x, y) of its top-left pixel; photo position =
    window position + origin. Pixels of the window outside the photo repeat the photo's edge.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, Shaped

__all__ = ["SIZE_CLASSES", "cut_rectangle", "cut_window", "size_class", "window_origin"]

# Steps of at most 1.5 waste at most 2.25 times the pixels and cost one compilation each.
SIZE_CLASSES = (128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 16384)


def size_class(length: int) -> int:
    """Return the smallest window side that holds ``length`` pixels."""
    return next((side for side in SIZE_CLASSES if side >= length), length)


def window_origin(
    points: Float[np.ndarray, "*n 2"], *, margin: int = 4
) -> tuple[tuple[int, int], int]:
    """Return origin (x, y) and side of the square window around points (photo pixels)."""
    lines = points.reshape(-1, 2).T  # one at a time: NumPy is slow along short rows
    low = np.floor([line.min() for line in lines]) - margin
    high = np.ceil([line.max() for line in lines]) + margin
    side = size_class(int(np.max(high - low)) + 1)
    centre = (low + high) / 2
    origin = np.floor(centre - side / 2).astype(int)
    return (int(origin[0]), int(origin[1])), side


def cut_window(
    image: Shaped[np.ndarray, "height width *c"],
    points: Float[np.ndarray, "*n 2"],
    *,
    margin: int = 4,
) -> tuple[Shaped[np.ndarray, "side side *c"], tuple[int, int]]:
    """Cut the window around points out of an image.

    Args:
        image: ``[H, W, ...]``.
        points: positions in photo pixels that the window must hold.
        margin: pixels to keep around them.

    Returns:
        The window and its origin (x, y).
    """
    origin, side = window_origin(points, margin=margin)
    low = np.asarray(origin)
    return cut_rectangle(image, low, low + side), origin


def cut_rectangle(
    image: Shaped[np.ndarray, "height width *c"],
    low: Shaped[np.ndarray, " 2"],
    high: Shaped[np.ndarray, " 2"],
) -> Shaped[np.ndarray, "rows columns *c"]:
    """Return the pixels from ``low`` to ``high`` (x, y; exclusive); the photo's edge continues."""
    height, width = image.shape[:2]
    left, top = np.clip(low, 0, (width - 1, height - 1))
    right, bottom = np.clip(high, (left + 1, top + 1), (width, height))
    inner = image[top:bottom, left:right]
    before = np.maximum((left, top) - low, 0)
    after = np.maximum(high - (right, bottom), 0)
    if not before.any() and not after.any():
        return inner
    sides = (int(before[1]), int(after[1]), int(before[0]), int(after[0]))
    columns, rows = high - low
    padded = cv2.copyMakeBorder(inner, *sides, cv2.BORDER_REPLICATE)[:rows, :columns]
    return padded.reshape(rows, columns, *image.shape[2:])  # OpenCV drops an axis of length 1
