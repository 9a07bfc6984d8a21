"""Windows of a photo: fixed-size cut-outs, so that photos of any size share compiled code.

Convention:
    A window's ``origin`` is the photo pixel (x, y) of its top-left pixel; photo position =
    window position + origin. Pixels of the window outside the photo repeat the photo's edge.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, Int, Shaped

__all__ = [
    "SIZE_CLASSES",
    "cut_narrow_window",
    "cut_rectangle",
    "cut_shown_window",
    "cut_window",
    "narrow_window",
    "place_window",
    "put_rectangle",
    "size_class",
    "window_origin",
]

# Each costs compilations. By steps of at most a quarter, lengths from 257 to 1,280, those of most
# faces, cost at most 1.6 times their pixels; others from 128 up to 2.3 times, from 8,193 up to 4.
# Three quarters of them halve well, too (`core.blending.multigrid`).
SIZE_CLASSES = (
    *(128, 192, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 1280, 1536, 2048, 2560, 3072),
    *(4096, 6144, 8192, 16384),
)


def size_class(length: int) -> int:
    """Return the smallest window side that holds ``length`` pixels."""
    return next((side for side in SIZE_CLASSES if side >= length), length)


def window_origin(
    points: Float[np.ndarray, "*n 2"], *, margin: int = 4
) -> tuple[tuple[int, int], int]:
    """Return origin (x, y) and side of the square window around points (photo pixels)."""
    low, high = _bounds(points, margin)
    side = size_class(int(np.max(high - low)) + 1)
    left, top = _centred(low, high, np.array([side, side]))
    return (int(left), int(top)), side


def _bounds(
    points: Float[np.ndarray, "*n 2"], margin: int
) -> tuple[Float[np.ndarray, " 2"], Float[np.ndarray, " 2"]]:
    lines = points.reshape(-1, 2).T  # one at a time: NumPy is slow along short rows
    low = np.floor([line.min() for line in lines]) - margin
    return low, np.ceil([line.max() for line in lines]) + margin


def _centred(
    low: Float[np.ndarray, " 2"], high: Float[np.ndarray, " 2"], size: Int[np.ndarray, " 2"]
) -> Int[np.ndarray, " 2"]:
    """Return the first pixel of a rectangle of a size around another, from first to last pixel."""
    return np.floor((low + high + 1 - size) / 2).astype(int)


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


def cut_shown_window(
    image: Shaped[np.ndarray, "height width *c"],
    points: Float[np.ndarray, "*n 2"],
    *,
    margin: int = 4,
) -> tuple[Shaped[np.ndarray, "side side *c"], tuple[int, int]]:
    """Cut the window to read an image at points, some of them perhaps far outside.

    Where the edge of the window continues, what is read is as of `cut_window`'s, which holds little
    but repeated pixels for a face that is far larger than the photo.

    Args:
        image: as of `cut_window`.
        points: as of `cut_window`; those outside the image need not be in the window.
        margin: as of `cut_window`; 2 or more for cubic reads.
    """
    height, width = image.shape[:2]
    last = np.array([width - 1, height - 1], points.dtype)
    return cut_window(image, np.clip(points, 0, last), margin=margin)


def cut_narrow_window(
    image: Shaped[np.ndarray, "height width *c"],
    points: Float[np.ndarray, "*n 2"],
    *,
    margin: int = 4,
) -> tuple[Shaped[np.ndarray, "rows columns *c"], tuple[int, int]]:
    """Cut a window as `cut_window`, of three quarters of its width or height where they suffice.

    Faces are a quarter narrower than high.
    """
    origin, size = narrow_window(points, margin=margin)
    low = np.asarray(origin)
    return cut_rectangle(image, low, low + size[::-1]), origin


def narrow_window(
    points: Float[np.ndarray, "*n 2"], *, margin: int = 4
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return origin (x, y), rows and columns of the window that `cut_narrow_window` cuts."""
    low, high = _bounds(points, margin)
    needed = (high - low).astype(int) + 1
    side = size_class(int(needed.max()))
    narrow = 3 * side // 4
    columns, rows = np.where(needed <= narrow, narrow, side).tolist()
    left, top = _centred(low, high, np.array([columns, rows])).tolist()
    return (left, top), (rows, columns)


def place_window(
    window: Shaped[np.ndarray, "rows columns *c"], origin: tuple[int, int], size: tuple[int, int]
) -> Shaped[np.ndarray, "height width *c"]:
    """Return a picture that shows a window where it lies in the photo, and 0 elsewhere.

    Args:
        window: drawn pixels.
        origin: photo pixel (x, y) of the window's first pixel; it may lie outside the photo.
        size: rows and columns of the photo.
    """
    picture = np.zeros((*size, *window.shape[2:]), window.dtype)
    put_rectangle(picture, window, origin)
    return picture


def put_rectangle(
    picture: Shaped[np.ndarray, "height width *c"],
    pixels: Shaped[np.ndarray, "rows columns *c"],
    origin: tuple[int, int],
) -> None:
    """Write pixels into a picture, as far as they lie in it.

    Args:
        picture: it is changed.
        pixels: the new ones.
        origin: where the first of them lies in the picture (x, y).
    """
    (height, width), (left, top) = picture.shape[:2], origin
    rows = slice(max(top, 0), max(min(top + pixels.shape[0], height), 0))
    columns = slice(max(left, 0), max(min(left + pixels.shape[1], width), 0))
    if rows.start < rows.stop and columns.start < columns.stop:
        inner = slice(rows.start - top, rows.stop - top)
        picture[rows, columns] = pixels[inner, columns.start - left : columns.stop - left]


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
