"""Cut-outs of a photo around what an edit changes, and how they come back into it."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.geometry.layout import UVLayout
from ..core.geometry.render import render_texture
from ..core.geometry.window import (
    cut_narrow_window,
    cut_rectangle,
    narrow_window,
    put_rectangle,
)
from ..core.types import Face

__all__ = [
    "Window",
    "cut_edit_window",
    "drawn_layers",
    "paste_window",
    "window_at",
]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Window:
    """A cut-out of the target photo."""

    image: Array  # [h, w, 3]; pixels beyond the photo repeat its edge
    origin: Array  # [2] int32, photo pixel (x, y) of the first pixel
    photo_size: Array  # [2] int32, width and height of the photo
    allowed: Array  # [h, w], 1 where the user lets pixels change

    @property
    def is_photo(self) -> Array:
        """Return ``[h, w]``: the pixel lies in the photo."""
        height, width = self.image.shape[:2]
        x = jnp.arange(width, dtype=jnp.int32) + self.origin[0]
        y = jnp.arange(height, dtype=jnp.int32) + self.origin[1]
        columns = (x >= 0) & (x < self.photo_size[0])
        return ((y >= 0) & (y < self.photo_size[1]))[:, None] & columns


def cut_edit_window(
    image: Float[np.ndarray, "height width 3"],
    face: Face,
    mask: Float[np.ndarray, "size size"],
    *,
    allowed: Float[np.ndarray, "height width"] | None = None,
) -> Window:
    """Cut the window around the masked texels of a face out of its photo.

    Args:
        image: the photo.
        face: a face of it.
        mask: texels that the window must hold.
        allowed: photo pixels that may change, in [0, 1]; all if None.
    """
    points = np.asarray(face.position_map)[..., :2][mask > 0.0]
    window = window_at(image, *narrow_window(points))
    if allowed is None:
        return window
    free = cut_narrow_window(allowed, points)[0]
    return dataclasses.replace(window, allowed=jnp.asarray(free, jnp.float32))


def window_at(
    image: Float[np.ndarray, "height width 3"], origin: tuple[int, int], size: tuple[int, int]
) -> Window:
    """Cut a window of so many rows and columns, from a pixel (x, y) on, out of a photo."""
    low = np.asarray(origin)
    pixels = cut_rectangle(image, low, low + size[::-1])
    return Window(
        image=jnp.asarray(pixels, jnp.float32),
        origin=jnp.asarray(origin, jnp.int32),
        photo_size=jnp.asarray((image.shape[1], image.shape[0]), jnp.int32),
        allowed=jnp.ones(size),
    )


def drawn_layers(
    window: Window, face: Face, layers: Float[Array, "size size n"], layout: UVLayout
) -> Float[Array, "rows columns n"]:
    """Draw layers of a face's texels, such as zones, into a window; 0 beside face and photo."""
    rows, columns = window.image.shape[:2]
    drawn, _ = render_texture(
        layers, face.position_map, layout, height=rows, width=columns, origin=window.origin
    )
    return drawn * window.is_photo.astype(drawn.dtype)[..., None]


def paste_window(
    image: Float[np.ndarray, "height width c"],
    window: Window,
    edited: Float[Array, "rows columns c"],
) -> Float[np.ndarray, "height width c"]:
    """Return a copy of the photo with the window's pixels in place."""
    result = np.array(image)
    left, top = np.asarray(window.origin).tolist()
    put_rectangle(result, np.asarray(edited), (left, top))
    return result
