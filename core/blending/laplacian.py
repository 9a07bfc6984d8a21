"""Multi-band compositing: coarse bands mix over wide borders, fine bands over narrow ones.

Convention:
    Pixels where the mask is 0 keep the target's value bit by bit; towards the mask's border the
    composite runs into the target as the mask does.

References:
    P. Burt, E. Adelson, "A multiresolution spline with application to image mosaics", 1983.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

__all__ = ["laplacian_blend"]

_TAPS = (1.0 / 16, 4.0 / 16, 6.0 / 16, 4.0 / 16, 1.0 / 16)  # Burt and Adelson's a = 0.375
_FALL = 4.0  # the outer quarter of the mask is where the bands are held back
_COARSEST = 8  # pixels along a side of the coarsest band


def _blur(image: Array, axis: int) -> Array:
    padding = [(0, 0)] * image.ndim
    padding[axis] = (2, 2)
    ring, length = jnp.pad(image, padding, mode="edge"), image.shape[axis]
    parts = [jnp.take(ring, jnp.arange(i, i + length), axis=axis) for i in range(len(_TAPS))]
    return sum((tap * part for tap, part in zip(_TAPS, parts, strict=True)), jnp.zeros_like(image))


def _reduce(image: Array) -> Array:
    """Return every second pixel of the blurred image (Burt and Adelson, equation 1)."""
    return _blur(_blur(image, 0), 1)[::2, ::2]


def _expand(image: Array, height: int, width: int) -> Array:
    """Interpolate to twice the size (equation 2)."""
    spread = jnp.zeros((height, width, image.shape[-1]), image.dtype).at[::2, ::2].set(image)
    share = jnp.zeros((height, width, 1), image.dtype).at[::2, ::2].set(1.0)
    return _blur(_blur(spread, 0), 1) / _blur(_blur(share, 0), 1)


def laplacian_blend(
    target: Float[Array, "height width c"],
    source: Float[Array, "height width c"],
    mask: Float[Array, "height width"],
) -> Float[Array, "height width c"]:
    """Blend ``source`` into ``target`` band by band.

    Args:
        target: picture to change, any range (nothing is clipped or rounded).
        source: picture of the same size.
        mask: in [0, 1].

    Returns:
        The composite; bit-identical to ``target`` where the mask is 0.
    """
    weight = mask[..., None]
    # Coarse bands reach beyond the mask: there, and towards its border, they are held back.
    blended = target + jnp.minimum(weight * _FALL, 1.0) * _mix(source - target, weight)
    return jnp.where(weight > 0.0, blended, target)


def _mix(difference: Array, weight: Array) -> Array:
    """Return the difference of both pictures, each band weighted by the mask of its own size."""
    height, width = weight.shape[:2]
    if min(height, width) < 2 * _COARSEST:
        return weight * difference
    below = _reduce(difference)
    band = difference - _expand(below, height, width)
    return weight * band + _expand(_mix(below, _reduce(weight)), height, width)
