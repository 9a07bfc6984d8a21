"""Large windows tile by tile, so that what lies between the steps takes the memory of a tile.

Convention:
    A window of a photo is cut as in `window`. Tiles are squares of one size, so that windows of
    all sizes share compiled code; those that lie side by side overlap by what a step reads around
    each pixel. A window that is small enough is one tile.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from jaxtyping import Shaped

from .window import cut_rectangle, put_rectangle

__all__ = ["Tile", "tiles"]

_WHOLE = 1536  # pixels along a side: so large a window is one tile
_STRIDE = 1024  # pixels from tile to tile
_OVERLAP = 8  # pixels on each side


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tile:
    """A square of a window."""

    corner: tuple[int, int]  # window pixel (x, y) of its first pixel
    side: int  # pixels along a side
    overlap: int  # pixels on each side that belong to others

    def cut(
        self,
        image: Shaped[np.ndarray, "height width *c"],
        origin: tuple[int, int],
        *,
        around: int = 0,
    ) -> Shaped[np.ndarray, "side side *c"]:
        """Return the tile of a window out of its photo, whose edge continues.

        Args:
            image: the photo.
            origin: photo pixel (x, y) of the window's first pixel.
            around: more pixels on each side.
        """
        low = np.asarray(origin) + self.corner - around
        return cut_rectangle(image, low, low + self.side + 2 * around)

    def put(
        self,
        image: Shaped[np.ndarray, "height width *c"],
        origin: tuple[int, int],
        pixels: Shaped[np.ndarray, "side side *c"],
    ) -> None:
        """Write what is the tile's own into the photo, as far as it lies there."""
        own = slice(self.overlap, self.side - self.overlap)
        left, top = np.asarray(origin) + self.corner + self.overlap
        put_rectangle(image, pixels[own, own], (int(left), int(top)))


def tiles(side: int, low: Shaped[np.ndarray, " 2"], high: Shaped[np.ndarray, " 2"]) -> list[Tile]:
    """Return tiles whose own pixels cover a part of a window.

    Args:
        side: of the window, pixels.
        low: window pixel (x, y) of the part's first pixel.
        high: one beyond its last; nothing is covered where it is not larger.
    """
    if (np.asarray(high) <= np.asarray(low)).any():
        return []
    if side <= _WHOLE:
        return [Tile(corner=(0, 0), side=side, overlap=0)]
    columns, rows = (range(int(low[k]), int(high[k]), _STRIDE) for k in (0, 1))
    return [
        Tile(corner=(x - _OVERLAP, y - _OVERLAP), side=_STRIDE + 2 * _OVERLAP, overlap=_OVERLAP)
        for y, x in itertools.product(rows, columns)
    ]
