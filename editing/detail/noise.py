"""Noise that light lifts out of the dark, taken off a drawn face.

Skin in dim light, or in the shade of a lamp, is little brighter than the noise and the blocks of
JPEG in its photo. Light that makes it as bright as the skin of another photo multiplies them, too:
skin becomes blotches. So in each band of detail the part of the variance that is noise beyond what
it was before is taken off (Wiener's filter), and skin that gains no light stays as it is.

References:
    J. S. Lee, "Digital Image Enhancement and Noise Filtering by Use of Local Statistics", 1980.
"""

from __future__ import annotations

import itertools
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ...core.geometry.ramps import ramp
from ...core.geometry.scales import enlarge, pool
from ...core.traced import keep_traced
from ..regions import soften
from .sharpness import blurred_apart, weighted_mean, weighted_planes

__all__ = ["lightness_gain", "quieted"]

_BANDS = (0.0, 1.0, 2.0, 4.0, 8.0)  # pixels: between blurs by one and by the next
_BLOCKED = (8.0, 4.0)  # source pixels: detail as coarse as JPEG's blocks is none of its noise
# Times the lightness: the darkest skin of one studio becomes the palest by 1.7, and what is fine on
# it is pores rather than noise.
_FREE = 1.6
_NOISE = 0.007  # Oklab L, standard deviation in a band, at that gain
_LEAST_KEPT = 0.2  # skin without any detail would be plastic
_BLOCKS = 64  # along a window's height, over which all is averaged
_DARK = 0.02  # Oklab L


@partial(keep_traced, key="lightness gain", like=0)
def lightness_gain(
    lab: Float[Array, "h w 3"], before: Float[Array, "h w"], weight: Float[Array, "h w"]
) -> Float[Array, "h w"]:
    """Return by what light multiplied the lightness around each pixel, beyond what is free.

    Args:
        lab: Oklab of a drawn face.
        before: Oklab L of the same pixels in the source.
        weight: 1 where it is drawn, 0 elsewhere.

    Returns:
        At least 1; 1 where nothing is drawn.
    """
    light = jnp.stack([lab[..., 0], before], axis=-1)
    after, dark = jnp.moveaxis(_around(light, weight), -1, 0)
    return jnp.where(weight > 0.0, jnp.maximum(after / jnp.maximum(dark, _DARK) / _FREE, 1.0), 1.0)


def quieted(
    lab: Float[Array, "h w 3"],
    gain: Float[Array, "h w"],
    weight: Float[Array, "h w"],
    *,
    step: Float[Array, ""],
) -> Float[Array, "h w 3"]:
    """Return a drawn face without the noise that light lifted.

    Args:
        lab: Oklab of the face.
        gain: from `lightness_gain`.
        weight: 1 where it is drawn, 0 elsewhere.
        step: pixels of the source from one pixel to the next.
    """
    # Compiled apart: XLA would blur anew for each reader.
    planes = [weighted_planes(lab, weight)]
    for narrow, wide in itertools.pairwise(_BANDS):
        variance = wide**2 - narrow**2
        planes.append(blurred_apart(planes[-1], variance, most=variance))
    return _without_noise(lab, gain, weight, step, planes)


@jax.jit
def _without_noise(
    lab: Array, gain: Array, weight: Array, step: Array, planes: list[Array]
) -> Float[Array, "h w 3"]:
    smooth = [weighted_mean(x) for x in planes]
    noise = (_NOISE**2 * (gain**2 - 1.0))[..., None]
    quiet = smooth[-1]
    for k, width in enumerate(_BANDS[1:]):
        detail = smooth[k] - smooth[k + 1]
        squares = jnp.stack([detail[..., 0] ** 2, (detail[..., 1:] ** 2).sum(axis=-1)], axis=-1)
        share = ramp(width * step, _BLOCKED)
        noisy = share * noise / jnp.maximum(_around(squares, weight), 1e-9)
        kept = jnp.maximum(1.0 - noisy, _LEAST_KEPT)
        quiet += kept[..., jnp.array([0, 1, 1])] * detail
    return jnp.where(weight[..., None] > 0.0, quiet, lab)


def _around(values: Float[Array, "h w c"], weight: Float[Array, "h w"]) -> Float[Array, "h w c"]:
    """Return means over some blocks around each pixel."""
    weights = weight[..., None]
    blocks = soften(pool(jnp.concatenate([values * weights, weights], axis=-1), _BLOCKS), 1.0)
    return enlarge(blocks[..., :-1] / jnp.maximum(blocks[..., -1:], 1e-3), *weight.shape)
