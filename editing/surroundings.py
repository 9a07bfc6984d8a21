"""A face's square window with room around it, in which a change of the face runs out."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.geometry.layout import UVLayout
from ..core.geometry.window import cut_window
from .apply import Window

__all__ = ["cut_surroundings"]

_LEAST = 4  # pixels of room


def cut_surroundings(
    image: Float[np.ndarray, "height width c"],
    position_map: Float[Array, "size size 3"],
    layout: UVLayout,
    *,
    room: float,
) -> Window:
    """Cut a face with what is around it out of its photo.

    Args:
        image: the photo; its channels beyond RGB come along.
        position_map: of the face, photo pixels.
        layout: UV layout of the map.
        room: on each side, of the face's size.
    """
    points = np.asarray(position_map)[..., :2][np.asarray(layout.mask) > 0.0]
    size = float((points.max(axis=0) - points.min(axis=0)).max())
    pixels, origin = cut_window(image, points, margin=max(round(room * size), _LEAST))
    return Window(
        image=jnp.asarray(pixels, jnp.float32),
        origin=jnp.asarray(origin, jnp.int32),
        photo_size=jnp.asarray((image.shape[1], image.shape[0]), jnp.int32),
        allowed=jnp.ones(pixels.shape[:2]),
    )
