"""A face's square window with room around it, in which a change of the face runs out."""

from __future__ import annotations

import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.geometry.layout import UVLayout
from ..core.geometry.window import window_origin

__all__ = ["surroundings"]

_LEAST = 4  # pixels of room


def surroundings(
    position_map: Float[Array, "size size 3"], layout: UVLayout, *, room: float
) -> tuple[tuple[int, int], int]:
    """Return origin (x, y; photo pixels) and side of a face's window with what is around it.

    Args:
        position_map: of the face, photo pixels.
        layout: UV layout of the map.
        room: on each side, of the face's size.
    """
    points = np.asarray(position_map)[..., :2][np.asarray(layout.mask) > 0.0]
    size = float((points.max(axis=0) - points.min(axis=0)).max())
    return window_origin(points, margin=max(round(room * size), _LEAST))
