"""Where in a photo the parts of its face are that the measurements of swaps look at."""

from __future__ import annotations

import dataclasses
from functools import partial

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float

from ...core.geometry.landmarks import MOUTH
from ...core.geometry.layout import UVLayout
from ...core.geometry.render import render_texture
from ...core.geometry.window import place_window, window_origin
from ...core.types import Face

__all__ = ["FaceAreas", "draw_layers", "face_areas", "face_size"]

_INNER_LIPS = MOUTH[12:]
_FEATURES = ("eyes", "brows", "lips", "mouth_interior")
_SHOWN = 0.5  # least visibility and least weight of a region


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class FaceAreas:
    """Pixels of a photo, ``[H, W]`` booleans; all but ``mouth`` only where the face is seen."""

    inner: np.ndarray  # from the brows to the lower lip and the outer eye corners
    skin: np.ndarray  # the same without eyes, brows and mouth
    mouth: np.ndarray  # between the lips
    opening: float  # distance between the lips, in parts of the face's size


def face_size(face: Face) -> float:
    """Return the square root of the area of the box around the landmarks, pixels."""
    left, top, right, bottom = np.asarray(face.box, float)
    return float(np.sqrt(max(right - left, 1.0) * max(bottom - top, 1.0)))


def face_areas(
    image: Float[np.ndarray, "height width 3"],
    face: Face,
    layout: UVLayout,
    *,
    lips: Float[np.ndarray, "corners 2"] | None = None,
) -> FaceAreas:
    """Find the areas of a face.

    Args:
        image: the photo.
        face: its face; areas are drawn with its geometry.
        layout: UV layout of the face.
        lips: outline of the inner lips as somebody else found it, photo pixels; by default that
            of the face's own landmarks.
    """
    shape = image.shape[:2]
    features = jnp.stack([layout.region(name) for name in _FEATURES]).max(axis=0)
    layers = jnp.stack([face.visibility, features], axis=-1)
    seen, feature = np.moveaxis(draw_layers(shape, face, layers, layout), -1, 0)
    points = np.ascontiguousarray(np.asarray(face.landmarks, np.float32)[:, :2])
    hull = cv2.convexHull(points[17:])[:, 0]
    inner = _fill(shape, hull) & (seen > _SHOWN)
    lips = points[_INNER_LIPS] if lips is None else lips.astype(np.float32)
    return FaceAreas(
        inner=inner,
        skin=inner & (feature < 1.0 - _SHOWN),
        mouth=_shrink(_fill(shape, lips), 1),
        opening=_opening(lips) / face_size(face),
    )


def _opening(lips: Float[np.ndarray, "corners 2"]) -> float:
    """Return the mean distance between the lips, pixels: area over width."""
    (_, (width, height), _) = cv2.minAreaRect(lips)
    return float(abs(cv2.contourArea(lips))) / max(width, height, 1.0)


def draw_layers(
    shape: tuple[int, int], face: Face, layers: Float[Array, "size size c"], layout: UVLayout
) -> Float[np.ndarray, "height width c"]:
    """Draw UV images over a photo of a shape; 0 where the face does not cover a pixel."""
    origin, side = window_origin(np.asarray(face.position_map)[..., :2])
    corner = jnp.asarray(origin, jnp.int32)
    drawn = _draw(layers, face.position_map, layout, corner, side=side)
    return place_window(np.asarray(drawn), origin, shape)


@partial(jax.jit, static_argnames="side")
def _draw(
    layers: Array, position_map: Array, layout: UVLayout, origin: Array, *, side: int
) -> Array:
    return render_texture(layers, position_map, layout, height=side, width=side, origin=origin)[0]


def _fill(
    shape: tuple[int, int], polygon: Float[np.ndarray, "corners 2"]
) -> Bool[np.ndarray, "height width"]:
    filled = np.zeros(shape, np.uint8)
    cv2.fillPoly(filled, [np.rint(polygon).astype(np.int32)], 1)
    return filled > 0


def _shrink(
    mask: Bool[np.ndarray, "height width"], pixels: int
) -> Bool[np.ndarray, "height width"]:
    kernel = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return cv2.erode(mask.astype(np.uint8), kernel) > 0
