"""Contact sheets of measured swaps: target, reference, and the results side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from ...core.drawing.view import view_around
from ...core.levels import quantise
from ...core.types import Face

__all__ = ["cut_portrait", "draw_sheet", "label"]

Tile = UInt8[np.ndarray, "tile tile 3"]

_BAR = 18  # rows of a label


def cut_portrait(
    image: Float[np.ndarray, "height width 3"], face: Face, *, side: int = 256
) -> Tile:
    """Return the square around a face with its hair and neck; dark beyond the photo."""
    points = np.asarray(face.landmarks, float)[:, :2]
    up = 0.15 * np.ptp(points, axis=0).max()
    view = view_around(points - [0.0, up], size=side, factor=1.9)
    return quantise(view.cut(image))


def label(tile: Tile, text: str) -> Tile:
    """Write a line under the picture in a tile."""
    tile = tile.copy()
    tile[-_BAR:] = tile[-_BAR:] // 4
    place = (4, tile.shape[0] - 5)
    cv2.putText(tile, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
    return tile


def draw_sheet(
    rows: Sequence[Mapping[str, Tile]], *, blocks: int = 2
) -> UInt8[np.ndarray, "height width 3"]:
    """Lay rows of labelled tiles out in blocks beside each other.

    Args:
        rows: name -> tile, all of one size, in the order of the columns; at least one row.
        blocks: rows that stand beside each other.
    """
    side = next(iter(rows[0].values())).shape[0]
    columns = max(len(row) for row in rows)
    height = -(-len(rows) // blocks)
    sheet = np.full((height * side, blocks * columns * side, 3), 0, np.uint8)
    for k, row in enumerate(rows):
        top, left = k % height * side, k // height * columns * side
        for j, tile in enumerate(row.values()):
            place = left + j * side
            sheet[top : top + side, place : place + side] = tile
    return sheet
