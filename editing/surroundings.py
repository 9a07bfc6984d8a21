"""A face's square window with room around it, in which a change of the face runs out.

What runs out beside a face is found on a square of so many cells. It spans the face and its room,
whatever the photo's size; the window of pixels around it is of one of a few sizes, and larger.
"""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.geometry.layout import UVLayout
from ..core.geometry.window import window_origin

__all__ = ["Surroundings", "on_cells", "surroundings"]

_LEAST = 4  # pixels of room


@dataclasses.dataclass(frozen=True, kw_only=True)
class Surroundings:
    """A face's window, and the square in it that has the face's size and its room.

    Attributes:
        origin: photo pixel (x, y) of the window's first pixel.
        side: of the window, pixels.
        corner: ``[2]`` float32, where the square begins (x, y): window pixels from the window's
            border.
        span: of the square, pixels.
    """

    origin: tuple[int, int]
    side: int
    corner: Float[np.ndarray, " 2"]
    span: float

    def pixels(self, cells: int) -> Float[Array, ""]:
        """Return the pixels of a cell, of so many along the square."""
        return jnp.asarray(self.span / cells, jnp.float32)


def surroundings(
    position_map: Float[Array, "size size 3"], layout: UVLayout, *, room: float
) -> Surroundings:
    """Return a face's window with what is around it.

    Args:
        position_map: of the face, photo pixels.
        layout: UV layout of the map.
        room: on each side, of the face's size.
    """
    points = np.asarray(position_map)[..., :2][np.asarray(layout.mask) > 0.0]
    low, high = points.min(axis=0), points.max(axis=0)
    size = float((high - low).max())
    origin, side = window_origin(points, margin=max(round(room * size), _LEAST))
    span = (1.0 + 2.0 * room) * max(size, 1.0)
    middle = (low + high) / 2 + 0.5 - np.asarray(origin)  # a pixel's middle is half from its border
    corner = (middle - span / 2).astype(np.float32)
    return Surroundings(origin=origin, side=side, corner=corner, span=span)


def on_cells(
    position_map: Float[Array, "size size 3"],
    corner: Float[Array, " 2"],
    pixels: Float[Array, ""],
) -> Float[Array, "size size 3"]:
    """Return positions in cells of the square; corners of cells fall on corners of pixels.

    Args:
        position_map: window pixels.
        corner: of the square, as `Surroundings` has it.
        pixels: of a cell.
    """
    half = jnp.array([0.5, 0.5, 0.0])
    return (position_map + half - jnp.append(corner, 0.0)) / pixels - half
