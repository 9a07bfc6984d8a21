"""The grain of a photo on a face that is drawn into it.

Noise, JPEG's blocks and the skin's pores make the finest detail of a photo; a face from a smoother
one looks like plastic in it. What it lacks is taken from the photo's own pixels: their difference
from the blurred photo, without what is stronger than noise.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ...core.geometry.scales import enlarge, pool
from ...core.traced import keep_traced
from ..colour import luma
from .sharpness import blurred_apart

__all__ = ["missing_grain"]

_FINEST = 2.0  # square pixels: variance of the Gaussian that takes the grain off
_BLOCKS = 64  # along a window's height: grain is measured in blocks, of which the median counts
_WHOLE = 0.9  # share of a block that is compared
_ALIKE = 0.8  # a face with this share of the photo's grain gets none
_STRONGEST = 3.0  # times the photo's mean: more is an edge
_LEAST = 2e-4  # of [0, 1]: less is no grain


def missing_grain(
    drawn: Float[Array, "h w 3"], photo: Float[Array, "h w 3"], weight: Float[Array, "h w"]
) -> Float[Array, "h w 3"]:
    """Return what has to be added to a drawn face to give it the grain of a photo.

    Args:
        drawn: the face, the photo where the weight is 0, RGB in [0, 1].
        photo: the same pixels of the photo.
        weight: 1 where both are compared, 0 elsewhere.
    """
    planes = _planes(drawn, photo)
    # Compiled apart: XLA would blur anew for each reader.
    grain: Array = _grain_of(planes, blurred_apart(planes, _FINEST, most=_FINEST), weight)
    return grain


@jax.jit
def _planes(drawn: Array, photo: Array) -> Float[Array, "4 h w"]:
    return jnp.stack([*jnp.moveaxis(photo, -1, 0), luma(drawn)])


@partial(keep_traced, key="grain", like=0)
def _grain_of(
    planes: Float[Array, "4 h w"], smooth: Float[Array, "4 h w"], weight: Float[Array, "h w"]
) -> Float[Array, "h w 3"]:
    *colors, drawn = planes - smooth
    detail = jnp.stack(colors, axis=-1)
    level, face_level, place = _levels(luma(detail), drawn, weight)
    share = jnp.maximum(1.0 - (face_level / (_ALIKE * level)) ** 2, 0.0)
    # A face's own detail, as at brows or in a beard, needs none.
    rest = jnp.maximum(1.0 - (place / level) ** 2, 0.0)
    local = enlarge(jnp.sqrt(share * rest)[..., None], *weight.shape)[..., 0]
    most = _STRONGEST * level
    strength = jnp.abs(detail).max(axis=-1)
    kept = jnp.tanh(strength / most) * most / jnp.maximum(strength, 1e-6)
    return detail * (kept * local)[..., None]


def _levels(photo: Array, drawn: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Return how grainy photo and face are: mean absolute luma, and the face's by blocks."""
    strengths = jnp.stack([jnp.abs(photo) * weight, jnp.abs(drawn) * weight, weight], axis=-1)
    blocks = pool(strengths, _BLOCKS)
    means = blocks[..., :2] / jnp.maximum(blocks[..., 2:], 1e-6)
    is_whole = blocks[..., 2:] > _WHOLE
    medians = jnp.nanmedian(jnp.where(is_whole, means, jnp.nan), axis=(0, 1))
    level, face_level = jnp.maximum(jnp.nan_to_num(medians), _LEAST)
    return level, face_level, means[..., 1]
