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

import dataclasses
from functools import partial
from typing import Any

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..compilation import computed_once
from ..products import product
from ..types import Similarity
from .pose import Angle, inplane_rotation
from .sampling import sample_bilinear
from .window import cut_rectangle

__all__ = [
    "CROP_FACTOR",
    "Region",
    "box_from_landmarks",
    "box_of_picture",
    "crop_box",
    "cut_region",
    "extract_crop",
    "sample_crop",
    "turn_crop",
]

_SMOOTHED = 0.45  # blur, in pixels, before they are read r times as far apart: times sqrt(r^2 - 1)
CROP_FACTOR = 1.6  # side of the crop over the mean of the box's width and height


def box_from_landmarks(landmarks: Float[Array, "landmarks d"]) -> Float[Array, " 4"]:
    """Return the box (left, top, right, bottom) around landmarks, photo pixels."""
    return jnp.concatenate([landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)])


def box_of_picture(height: int, width: int) -> Float[Array, " 4"]:
    """Return the box whose crop is the whole picture, or the square around it."""
    middle = jnp.array([(width - 1) / 2, (height - 1) / 2], dtype=jnp.float32)
    reach = max(height, width) / CROP_FACTOR / 2
    return jnp.concatenate([middle - reach, middle + reach])


def _square(centre: Array, side: Array, rotation: Array, size: int) -> Similarity:
    """Return photo_from_crop of the square with a centre, a side and a turn."""
    scale = jnp.maximum(side, 1e-3) / size
    middle = jnp.full(2, (size - 1) / 2, dtype=jnp.float32)
    translation = centre - product(scale * rotation, middle)
    return Similarity(scale=scale, rotation=rotation, translation=translation)


@partial(jax.jit, static_argnames=("size", "factor"))
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


def turn_crop(photo_from_crop: Similarity, roll: Angle) -> Similarity:
    """Turn a crop about its middle, so that a head of that roll in it then stands upright.

    Args:
        photo_from_crop: of the crop, of 256 pixels, as it is.
        roll: degrees clockwise, as seen in the crop.
    """
    middle = jnp.full(2, 127.5, dtype=jnp.float32)
    turn = inplane_rotation(roll)
    translation = middle - product(turn, middle)
    about = Similarity(scale=jnp.ones(()), rotation=turn, translation=translation)
    return photo_from_crop.compose(about)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Region:
    """A piece of a photo that holds a crop, however that is turned about its middle.

    Its shape depends on the crop's size alone, so that code is compiled once for all photos.
    """

    pixels: Array  # [side, side, c]; photo pixels, or averages of blocks of them
    photo_from_region: Similarity
    photo_size: Array  # [2] int32, width and height of the whole photo

    def read(self, photo_from_crop: Similarity, *, size: int = 256) -> Float[Array, "n n c"]:
        """Cut a crop, inside ``jit``; ``size`` is the one that the region was made for."""
        region_from_crop = self.photo_from_region.inverse().compose(photo_from_crop)
        return sample_crop(self.pixels, region_from_crop, size=size)


def sample_crop(
    image: Float[Array, "height width c"],
    photo_from_crop: Similarity,
    *,
    size: int = 256,
) -> Float[Array, "{size} {size} c"]:
    """Cut a crop on the device, inside ``jit``.

    Args:
        image: photo; beyond its border the edge pixels continue.
        photo_from_crop: crop pixels to photo pixels.
        size: pixels of the crop along each side.
    """
    affine = photo_from_crop.matrix()
    line = jnp.arange(size, dtype=jnp.float32)
    points = jnp.stack(jnp.meshgrid(line, line), axis=-1)
    plane = jnp.einsum("hwk,ck->hwc", points, affine[:, :2], precision="highest")
    return computed_once(sample_bilinear(image, plane + affine[:, 2]))


def cut_region(
    image: Float[np.ndarray, "height width c"], photo_from_crop: Similarity, size: int = 256
) -> Region:
    """Cut the region of a crop out of a photo of any size, on the host.

    A face larger than the crop is first averaged down, whole blocks of pixels and what is left by
    a blur, to about the crop's resolution, so that fine detail does not alias.

    Args:
        image: photo, RGB in [0, 1]; beyond its border the edge pixels continue.
        photo_from_crop: crop pixels to photo pixels, may turn.
        size: pixels of the crop along each side.
    """
    matrix = np.asarray(photo_from_crop.matrix(), dtype=np.float64)
    scale = float(photo_from_crop.scale)
    block = max(1, round(scale))
    centre = matrix @ [(size - 1) / 2, (size - 1) / 2, 1.0]
    reach = scale * (size / 2 + 1) * np.sqrt(2) + 2 * block
    low, cells = np.floor(centre - reach).astype(int), int(2 * reach / block) + 2
    pixels = _cut_blocks(image, low, block, cells)
    if scale > 1.02 * block:
        pixels = cv2.GaussianBlur(pixels, (0, 0), _SMOOTHED * np.sqrt((scale / block) ** 2 - 1.0))
    side = int(1.5 * np.sqrt(2) * size) + 16  # of 1.5 region pixels per crop pixel
    canvas = np.zeros((side, side, image.shape[2]), np.float32)
    kept = min(cells, side)
    canvas[:kept, :kept] = pixels[:kept, :kept].reshape(kept, kept, -1)
    moved = (low + (block - 1) / 2).astype(np.float32)
    photo_size = np.asarray(image.shape[1::-1], np.int32)
    parts = (canvas, np.float32(block), np.eye(2, dtype=np.float32), moved, photo_size)
    placed = jax.device_put(parts)
    return Region(
        pixels=placed[0],
        photo_from_region=Similarity(scale=placed[1], rotation=placed[2], translation=placed[3]),
        photo_size=placed[4],
    )


def _cut_blocks(image: np.ndarray, low: np.ndarray, block: int, cells: int) -> Any:
    """Return means of so many blocks along a square from a pixel (x, y) of a photo.

    Beyond the photo its outermost blocks continue: of a box that is far larger than the photo
    nearly all lies there.
    """
    size = np.asarray(image.shape[1::-1])
    first = np.clip(-low // block - 1, 0, cells - 1)  # a whole block beside the photo, if any
    last = np.clip(-((low - size) // block) + 1, first + 1, cells)
    pixels = cut_rectangle(image, low + block * first, low + block * last)
    pixels = pixels.astype(np.float32, copy=False)
    if block > 1:
        columns, rows = (last - first).tolist()
        pixels = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)
    (left, top), (right, bottom) = first.tolist(), (cells - last).tolist()
    return cv2.copyMakeBorder(pixels, top, bottom, left, right, cv2.BORDER_REPLICATE)


@partial(jax.jit, static_argnames="size")
def _read_region(region: Region, photo_from_crop: Similarity, size: int) -> Array:
    return region.read(photo_from_crop, size=size)


def extract_crop(
    image: Float[np.ndarray, "height width c"], photo_from_crop: Similarity, size: int = 256
) -> Float[np.ndarray, "{size} {size} c"]:
    """Cut a crop out of a photo of any size; see `cut_region`."""
    region = cut_region(image, photo_from_crop, size)
    return np.asarray(_read_region(region, photo_from_crop, size))
