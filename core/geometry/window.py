"""Windows of a photo: fixed-size cut-outs, so that photos of any size share compiled code.

Convention:
    A window's ``origin`` is the photo pixel (x, y) of its top-left pixel; photo position =
    window position + origin. Pixels of the window outside the photo repeat the photo's edge.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Shaped

__all__ = ["SIZE_CLASSES", "cut_window", "size_class", "window_origin"]

# Steps of at most 1.5 waste at most 2.25 times the pixels and cost one compilation each.
SIZE_CLASSES = (128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 16384)


def size_class(length: int) -> int:
    """Return the smallest window side that holds ``length`` pixels."""
    return next((side for side in SIZE_CLASSES if side >= length), length)


def window_origin(
    points: Float[np.ndarray, "*n 2"], *, margin: int = 4
) -> tuple[tuple[int, int], int]:
    """Return origin (x, y) and side of the square window around points (photo pixels)."""
    flat = points.reshape(-1, 2)
    low = np.floor(flat.min(axis=0)) - margin
    high = np.ceil(flat.max(axis=0)) + margin
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
    (left, top), side = window_origin(points, margin=margin)
    height, width = image.shape[:2]
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    return image[rows[:, None], columns[None, :]], (left, top)
