"""A swap as PRNet's ``demo_texture.py`` does it, with our geometry: the baseline of measurements.

Data flow::

    reference --nearest pixel at every texel, seen or not--> texture of the layout's size
    texture --flat triangles on the target's geometry--> drawn face, hard mask
    drawn face + mask + photo --cv2.seamlessClone--> photo, 8 bit there and where it changes

What it lacks is the point: visibility, completion, occluders, kept eyes and mouth, colour
matching, and a blend that keeps the pixels where they are.

References:
    Feng et al., "Joint 3D Face Reconstruction and Dense Alignment with Position Map Regression
    Network", ECCV 2018; the released code's ``demo_texture.py``, mode 1, and ``render.py``.
    Perez et al., "Poisson Image Editing", SIGGRAPH 2003 (``seamlessClone``).
"""

from __future__ import annotations

from functools import partial

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float, UInt8

from ..core.errors import UvfaceError
from ..core.geometry.layout import UVLayout
from ..core.geometry.rasterize import rasterize
from ..core.geometry.window import place_window, window_origin
from ..core.levels import quantise
from ..core.types import Face

__all__ = ["CloneError", "prnet_mask", "swap_like_prnet"]

RgbImage = Float[np.ndarray, "height width 3"]
ReferenceImage = Float[np.ndarray, "rows columns 3"]


class CloneError(UvfaceError):
    """OpenCV failed: at a face that touches the photo's border, or a photo wider than it reads."""


def swap_like_prnet(
    target_image: RgbImage,
    target: Face,
    reference_image: ReferenceImage,
    reference: Face,
    layout: UVLayout,
) -> RgbImage:
    """Put the face of one photo into another with all of PRNet's shortcuts.

    Args:
        target_image: photo that is changed, RGB in [0, 1].
        target: the face of it to replace.
        reference_image: photo that the face comes from.
        reference: the face of it.
        layout: UV layout of both faces.

    Returns:
        The changed photo, of 8-bit values where the face is and where it changes: beside the face,
        too, where OpenCV lays it a pixel beside its place. The rest is the target's own.

    Raises:
        CloneError: OpenCV does not take the reference or the mask, or no pixel shows the face.
    """
    texture = _nearest_texture(reference_image, reference)
    colors, mask = _draw(target_image, target, jnp.asarray(texture), layout)
    drawn = np.where(mask[..., None], colors, target_image)
    photo = quantise(target_image)
    cloned = _clone(quantise(drawn), photo, mask)
    is_changed = mask | (cloned != photo).any(axis=-1)
    return np.where(is_changed[..., None], cloned.astype(np.float32) / 255, target_image)


def prnet_mask(image: RgbImage, face: Face, layout: UVLayout) -> Bool[np.ndarray, "height width"]:
    """Return the pixels that the swap means to change: all that the face covers."""
    return _draw(image, face, jnp.zeros((layout.size, layout.size, 3)), layout)[1]


def _nearest_texture(image: ReferenceImage, face: Face) -> Float[np.ndarray, "size size 3"]:
    """Read the nearest pixel at every texel; black beyond the photo."""
    x, y = (np.array(face.position_map[..., axis], np.float32) for axis in (0, 1))
    pixels = np.ascontiguousarray(image, np.float32)
    nearest, black = cv2.INTER_NEAREST, cv2.BORDER_CONSTANT
    try:
        return cv2.remap(
            pixels, x, y, interpolation=nearest, borderMode=black, borderValue=(0,) * 3
        )
    except cv2.error as error:
        height, width = image.shape[:2]
        size = f"a reference of {width} x {height} pixels; give a smaller one"
        raise CloneError(f"OpenCV's remap failed ({_reason(error)}) at {size}") from error


def _face_triangles(layout: UVLayout) -> Array:
    """Return the triangles of the region ``face``; the others have no area and are not drawn."""
    is_face = (layout.region("face") * layout.mask).reshape(-1) > 0.5
    is_drawn = is_face[layout.triangles].all(axis=-1)
    return jnp.where(is_drawn[:, None], layout.triangles, layout.triangles[:, :1])


@partial(jax.jit, static_argnames="side")
def _draw_window(
    texture: Array, position_map: Array, layout: UVLayout, origin: Array, *, side: int
) -> tuple[Array, Array]:
    """Draw the face, each triangle in the mean colour of its corners."""
    triangles = _face_triangles(layout)
    vertices = position_map.reshape(-1, 3)
    found = rasterize(vertices, triangles, height=side, width=side, origin=origin)
    flat = texture.reshape(-1, 3)[triangles].mean(axis=1)
    return flat[jnp.maximum(found.triangle, 0)], found.is_covered


def _draw(
    image: RgbImage, face: Face, texture: Array, layout: UVLayout
) -> tuple[RgbImage, Bool[np.ndarray, "height width"]]:
    """Return the face's colours on a black photo, and the pixels that it covers."""
    points = np.asarray(face.position_map)[np.asarray(layout.region("face")) > 0.5]
    origin, side = window_origin(points[:, :2])
    corner = jnp.asarray(origin, jnp.int32)
    drawn = _draw_window(texture, face.position_map, layout, corner, side=side)
    size = (image.shape[0], image.shape[1])
    colors, mask = (place_window(np.asarray(layer), origin, size) for layer in drawn)
    return colors, mask


def _clone(
    drawn: UInt8[np.ndarray, "height width 3"],
    photo: UInt8[np.ndarray, "height width 3"],
    mask: Bool[np.ndarray, "height width"],
) -> UInt8[np.ndarray, "height width 3"]:
    """Blend by OpenCV, the mask's bounding box centred as PRNet centres it."""
    rows, columns = np.nonzero(mask)
    if not rows.size:
        raise CloneError("no pixel of the photo shows the face")
    x, y = (int((axis.min() + axis.max()) / 2 + 0.5) for axis in (columns, rows))
    weights = mask.astype(np.uint8) * 255
    try:
        blended = cv2.seamlessClone(drawn, photo, weights, (x, y), cv2.NORMAL_CLONE)
    except cv2.error as error:
        raise CloneError(
            f"OpenCV's seamlessClone failed ({_reason(error)}); use our blend"
        ) from error
    return np.asarray(blended)


def _reason(error: cv2.error) -> str:
    return str(error).strip().splitlines()[-1]
