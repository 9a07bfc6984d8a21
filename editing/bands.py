"""A face looked at and painted in bands of rows, so that a large one takes little memory.

What is smooth, or one for the whole face, is found on a small picture of it, at a few hundred rows
whatever the photo's size; what is painted are the photo's own pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.geometry.layout import UVLayout
from ..core.geometry.scales import enlarge_part, pool, pool_block
from ..core.geometry.window import narrow_window, put_rectangle
from ..core.traced import blank, keep_traced
from ..core.types import Face
from .colour import rgb_from_lab
from .edit import RgbImage
from .windows import Window, drawn_layers, window_at

__all__ = ["Found", "Look", "Step", "paint_in_bands", "repainted"]

_LOOKED_ROWS = 384  # least rows of the small picture, where the window has as many
_WHOLE, _BAND = 2048, 512  # rows of a window from which on it is cut, and at most of each band


class Look(NamedTuple):
    """What is seen of a face in a band of rows."""

    layers: Array  # [h, w, c] for the small picture: at the pixels, then means of blocks
    weights: Array  # [rows, columns, n], to paint by


class Found(NamedTuple):
    """What is found on a small picture of a face."""

    smooth: Array  # [h, w, c]; interpolated at a band's pixels
    color: Array  # [3] Oklab


class Step(NamedTuple):
    """What is done to a face: functions of arrays, compiled here.

    Attributes:
        name: says which functions these are.
        look: of a band's pixels ``[rows, columns, 3]``, the zones drawn there
            ``[rows, columns, n]``, and pixels per cm.
        find: of the small picture ``[h, w, c]``, its pixels per cm, and the settings.
        paint: new pixels; of a band's pixels, its weights, what was found, and the settings.
    """

    name: str
    look: Callable[[Array, Array, Array], Look]
    find: Callable[[Array, Array, Any], Found]
    paint: Callable[[Array, Array, Found, Any], Array]


def paint_in_bands(
    image: RgbImage,
    face: Face,
    layout: UVLayout,
    zones: Float[np.ndarray, "size size n"],
    settings: Any,
    *,
    step: Step,
    mask: Float[np.ndarray, "size size"],
) -> RgbImage:
    """Paint a face, with zones in UV to tell where.

    Args:
        image: the photo, RGB in [0, 1].
        face: the face of it to change.
        layout: UV layout of the face.
        zones: of the face.
        settings: a pytree of arrays, for the step.
        step: what is done.
        mask: texels that it may change; if there are none the photo comes back.
    """
    points = np.asarray(face.position_map)[..., :2][mask > 0.0]
    if not len(points):
        return image
    origin, size = narrow_window(points)
    block = pool_block(size, _LOOKED_ROWS)
    bands = _bands(image, origin, size, block)
    looks = [_look(step, block)(band, face, zones, layout) for band in bands]
    small = jnp.concatenate([one.layers for one in looks])
    found = _find(step)(small, face.camera.scale * small.shape[0] / size[0], settings)
    result = np.array(image)
    for band, one in zip(bands, looks, strict=True):
        corner, zoom = band.origin - np.asarray(origin, np.int32), jnp.asarray(block, jnp.float32)
        new = _paint(step)(band.image, one.weights, found, settings, corner, zoom)
        put_rectangle(result, np.asarray(new), (origin[0], int(band.origin[1])))
    return result


def repainted(
    image: Float[Array, "rows columns 3"],
    before: Float[Array, "rows columns 3"],
    after: Float[Array, "rows columns 3"],
) -> Float[Array, "rows columns 3"]:
    """Return pixels in new colours (Oklab), bit-identical where these are as before."""
    is_new = jnp.abs(after - before).max(axis=-1, keepdims=True) > 0.0
    return jnp.where(is_new, rgb_from_lab(after).clip(0.0, 1.0), image)


def _bands(
    image: Float[np.ndarray, "height width 3"],
    origin: tuple[int, int],
    size: tuple[int, int],
    block: int,
) -> list[Window]:
    """Cut a window, band by band of rows where it is large: by whole blocks of pixels.

    Args:
        image: the photo.
        origin: photo pixel (x, y) of the window's first pixel.
        size: its rows and columns.
        block: side of a block, pixels; it divides both.
    """
    blocks = rows = size[0] // block
    if size[0] > _WHOLE:
        rows = max(n for n in range(1, _BAND // block + 1) if blocks % n == 0)
    left, top = origin
    return [
        window_at(image, (left, top + first), (rows * block, size[1]))
        for first in range(0, size[0], rows * block)
    ]


@cache
def _look(step: Step, block: int) -> Callable[..., Look]:
    def look(band: Window, face: Face, zones: Array, layout: UVLayout) -> Look:
        drawn = drawn_layers(band, face, zones, layout)
        layers, weights = step.look(band.image, drawn, face.camera.scale)
        return Look(pool(layers, layers.shape[0] // block), weights)

    return keep_traced(look, key=f"{step.name}: look by {block}", like=blank(Look))


@cache
def _find(step: Step) -> Callable[..., Found]:
    return keep_traced(step.find, key=f"{step.name}: find", like=blank(Found))


@cache
def _paint(step: Step) -> Callable[..., Array]:
    def paint(
        image: Array, weights: Array, found: Found, settings: Any, corner: Array, zoom: Array
    ) -> Array:
        smooth = jnp.moveaxis(found.smooth, -1, 0)
        part = enlarge_part(smooth, zoom, corner, (image.shape[0], image.shape[1]))
        return step.paint(image, weights, Found(jnp.moveaxis(part, 0, -1), found.color), settings)

    return keep_traced(paint, key=f"{step.name}: paint", like=0)
