"""Crops of pictures by similarities, on the device."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, UInt8

from ..geometry.sampling import sample_bilinear
from ..network.inference import HEAD_SIZE

__all__ = ["CROP_SIZE", "MASK_SIZE", "Border", "warp"]

CROP_SIZE, MASK_SIZE = 256, HEAD_SIZE  # pixels of the crop and of its mask


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Border:
    """What is seen beyond the picture: its border goes on, unless one of these is true."""

    is_mirrored: Array  # [] bool: the picture itself, mirrored
    is_flat: Array  # [] bool: one grey
    grey: Array  # [] in [0, 1]


def warp(
    image: UInt8[Array, "n n c"],
    matrix: Float[Array, "2 2"],
    offset: Float[Array, " 2"],
    side: int,
    border: Border,
) -> Float[Array, "side side c"]:
    """Cut a crop, by bilinear interpolation; values as those of the picture.

    Args:
        image: a square picture.
        matrix: picture pixel to crop pixel, with ``offset``, where the crop has 256 pixels.
        offset: see ``matrix``.
        side: pixels of the result, which shows the whole crop.
        border: what is seen beyond the picture.
    """
    last = image.shape[0] - 1.0
    line = (jnp.arange(side, dtype=jnp.float32) + 0.5) * (CROP_SIZE / side) - 0.5
    grid = jnp.stack(jnp.meshgrid(line, line), axis=-1)
    (a, b), (c, d) = matrix
    inverse = jnp.stack([jnp.stack([d, -b]), jnp.stack([-c, a])]) / (a * d - b * c)
    points = jnp.matmul(grid - offset, inverse.T, precision="highest")
    folded = last - jnp.abs(points % (2.0 * last) - last)
    points = jnp.where(border.is_mirrored, folded, points)
    found = sample_bilinear(image.astype(jnp.float32), points)
    is_outside = jnp.any((points < -0.5) | (points > last + 0.5), axis=-1, keepdims=True)
    return jnp.where(border.is_flat & is_outside, 255.0 * border.grey, found)
