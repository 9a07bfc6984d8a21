"""Crops: the square around a face that a network sees, and how to cut it from a photo.

Convention:
    A crop of ``size`` pixels covers a square of the photo edge to edge: crop coordinate -0.5 lies
    on the square's left edge and ``size - 0.5`` on its right edge, so that with a side of
    ``size`` photo pixels on whole pixels the crop is a plain copy. ``photo_from_crop`` maps crop
    pixels to photo pixels; its z is scaled likewise. Boxes are left, top, right, bottom in photo
    pixels around the 68 landmarks; angles are degrees, clockwise in the picture.

References:
    Y. Feng et al., "Joint 3D Face Reconstruction and Dense Alignment with Position Map Regression
    Network", 2018: the released code's crop of 1.6 times the mean of width and height.
"""

from __future__ import annotations

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..types import Similarity
from .pose import Angle, inplane_rotation
from .sampling import sample_bilinear

__all__ = [
    "CROP_FACTOR",
    "box_from_landmarks",
    "crop_around",
    "crop_box",
    "extract_crop",
    "sample_crop",
]

CROP_FACTOR = 1.6  # side of the crop over the mean of the box's width and height


def box_from_landmarks(landmarks: Float[Array, "landmarks d"]) -> Float[Array, " 4"]:
    """Return the box (left, top, right, bottom) around landmarks, photo pixels."""
    return jnp.concatenate([landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)])


def _square(centre: Array, side: Array, rotation: Array, size: int) -> Similarity:
    """Return photo_from_crop of the square with a centre, a side and a turn."""
    scale = jnp.maximum(side, 1e-3) / size
    middle = jnp.full(2, (size - 1) / 2, dtype=jnp.float32)
    return Similarity(
        scale=scale, rotation=rotation, translation=centre - scale * rotation @ middle
    )


def crop_box(
    box: Float[Array, " 4"],
    *,
    size: int = 256,
    factor: float = CROP_FACTOR,
    roll: Angle = 0.0,
) -> Similarity:
    """Return ``photo_from_crop`` for a box around the landmarks.

    Args:
        box: left, top, right, bottom, photo pixels.
        size: pixels of the crop along each side.
        factor: side of the square over the mean of the box's width and height.
        roll: turn of the square, degrees clockwise, so that a head of that roll stands upright.
    """
    side = factor * (box[2:] - box[:2]).mean()
    return _square((box[:2] + box[2:]) / 2.0, side, inplane_rotation(roll), size)


def crop_around(
    landmarks: Float[Array, "landmarks d"],
    *,
    size: int = 256,
    factor: float = CROP_FACTOR,
    roll: Angle = 0.0,
) -> Similarity:
    """Return ``photo_from_crop`` whose box is taken around the landmarks in the turned frame."""
    rotation = inplane_rotation(roll)
    box = box_from_landmarks(landmarks[:, :2] @ rotation)
    side = factor * (box[2:] - box[:2]).mean()
    return _square(rotation @ ((box[:2] + box[2:]) / 2.0), side, rotation, size)


def sample_crop(
    image: Float[Array, "height width c"],
    photo_from_crop: Similarity,
    *,
    size: int = 256,
    samples: int = 1,
) -> Float[Array, "{size} {size} c"]:
    """Cut a crop on the device, inside ``jit``.

    Args:
        image: photo; beyond its border the edge pixels continue.
        photo_from_crop: crop pixels to photo pixels.
        size: pixels of the crop along each side.
        samples: reads per crop pixel along each side, averaged; about the number of photo pixels
            that one crop pixel spans.
    """
    return _read(image, photo_from_crop.matrix(), size=size, samples=samples)


def _read(image: Array, affine: Array, *, size: int, samples: int) -> Array:
    """Sample an image through an affine map ``[2, 3]``."""
    line = (jnp.arange(size * samples, dtype=jnp.float32) + 0.5) / samples - 0.5
    points = jnp.stack(jnp.meshgrid(line, line), axis=-1)
    plane = jnp.einsum("hwk,ck->hwc", points, affine[:, :2], precision="highest")
    colors = sample_bilinear(image, plane + affine[:, 2])
    return colors.reshape(size, samples, size, samples, -1).mean(axis=(1, 3))


_sample_affine = jax.jit(_read, static_argnames=("size", "samples"))


def _cut(image: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return rows and columns ``low`` to ``high`` (x, y; exclusive), edges repeated."""
    height, width = image.shape[:2]
    left, top = np.clip(low, 0, (width - 1, height - 1))
    right, bottom = np.clip(high, (left + 1, top + 1), (width, height))
    inner = image[top:bottom, left:right]
    before = np.maximum((left, top) - low, 0)
    after = np.maximum(high - (right, bottom), 0)
    if before.any() or after.any():
        sides = (int(before[1]), int(after[1]), int(before[0]), int(after[0]))
        inner = cv2.copyMakeBorder(inner, *sides, cv2.BORDER_REPLICATE)
    return inner.astype(np.float32, copy=False)


def extract_crop(
    image: Float[np.ndarray, "height width c"], photo_from_crop: Similarity, size: int = 256
) -> Float[np.ndarray, "{size} {size} c"]:
    """Cut a crop out of a photo of any size, on the host.

    A face larger than the crop is first averaged down to about the crop's resolution, so that
    fine detail does not alias; a smaller one is interpolated.

    Args:
        image: photo, RGB in [0, 1].
        photo_from_crop: crop pixels to photo pixels, may turn.
        size: pixels of the crop along each side.

    Returns:
        The crop; beyond the photo's border its edge pixels continue.
    """
    matrix = np.asarray(photo_from_crop.matrix(), dtype=np.float64)
    ends = (-1.0, float(size))
    corners = np.array([[x, y] for x in ends for y in ends]) @ matrix[:, :2].T + matrix[:, 2]
    scale = float(photo_from_crop.scale)
    block = max(1, round(scale))
    low = np.floor(corners.min(axis=0)).astype(int) - 2 * block
    high = np.ceil(corners.max(axis=0)).astype(int) + 2 * block
    high += -(high - low) % block
    region = _cut(image, low, high)
    if block > 1:
        width, height = (high - low) // block
        region = cv2.resize(region, (int(width), int(height)), interpolation=cv2.INTER_AREA)
    # region pixel = (photo pixel - low + 0.5) / block - 0.5
    affine = np.column_stack([matrix[:, :2], matrix[:, 2] - low + 0.5]) / block
    affine[:, 2] -= 0.5
    return _warp(region, affine, size, samples=1 if scale < 1.1 * block else 2)


def _warp(region: np.ndarray, affine: np.ndarray, size: int, *, samples: int) -> np.ndarray:
    """Sample a small image through an affine map; one compilation for all regions."""
    side = int(1.5 * np.sqrt(2) * size) + 16  # holds a turned square of up to 1.5 region pixels
    canvas = np.zeros((side, side, 1 if region.ndim == 2 else region.shape[2]), np.float32)
    height, width = min(region.shape[0], side), min(region.shape[1], side)
    canvas[:height, :width] = region[:height, :width].reshape(height, width, -1)
    crop = _sample_affine(
        jnp.asarray(canvas), jnp.asarray(affine, jnp.float32), size=size, samples=samples
    )
    return np.asarray(crop)
