"""Drawn faces as soft as the photo that they are put into.

How far a picture is blurred is told by its sharpest edges and thinnest lines. Of an edge that is
blurred by s, the Laplacian of a Gaussian of width w peaks at 1 / (s² + w²), over some sqrt(s² + w²)
pixels: two widths tell s, whatever the contrast. The mean of fourth powers is that of the peaks.
No face is blurred until it has less fine detail than the photo, though.

References:
    D. Marr, E. Hildreth, "Theory of Edge Detection", 1980 (the Laplacian of Gaussian).
    S. Zhuo, T. Sim, "Defocus Map Estimation from a Single Image", 2011 (blur by blurring again).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from ...core.geometry.ramps import ramp
from ...core.traced import keep_traced
from ..colour import luma

__all__ = ["blurred", "blurred_apart", "missing_blur", "weighted_mean", "weighted_planes"]

_WIDTHS = (1.0, 2.0)  # pixels: of the Gaussians that edges are looked at with
_POWER = 4
# The p-th power mean of an edge's Laplacian falls as (s² + w²) to -_DECAY; s: blur of the edge,
# w: of the filter.
_DECAY = 1.0 - 1.0 / (2 * _POWER)
_INNER = 0.98  # of the blurred weight: what lies beyond the face is not looked at
_LARGEST = 16.0  # square pixels
# Square pixels by which a photo may be softer: below the first the same camera's photos of
# different faces differ, too; from the second on the difference is taken out whole.
_SOFTER = (0.3, 0.6)
_LEAST_EDGE = 1e-4  # of [0, 1]: a picture without edges is not soft
_MOST_STEPS = 4.0  # from one width to the other, by which more detail is blurred off
_REACH = 3.0  # standard deviations that a blur reaches


def missing_blur(
    drawn: Float[Array, "h w 3"], photo: Float[Array, "h w 3"], weight: Float[Array, "h w"]
) -> Float[Array, ""]:
    """Return how far a drawn face has to be blurred to be as soft as a photo.

    Args:
        drawn: the face, the photo where the weight is 0, RGB in [0, 1].
        photo: the same pixels of the photo.
        weight: 1 where both are compared, 0 elsewhere.

    Returns:
        Variance of a Gaussian, square pixels; 0 where the photo is as sharp, or hardly softer.
    """
    low, high = (width**2 for width in _WIDTHS)
    # Compiled apart: XLA would blur anew for each neighbour of the Laplacian.
    first = blurred_apart(_planes(drawn, photo, weight), low, most=low)
    second = blurred_apart(first, high - low, most=high - low)
    softer: Array = _softer(first, second)
    return softer


@jax.jit
def _planes(drawn: Array, photo: Array, weight: Array) -> Float[Array, "3 h w"]:
    return jnp.stack([luma(drawn), luma(photo), weight])


@partial(keep_traced, key="softer", like=0)
def _softer(first: Float[Array, "3 h w"], second: Float[Array, "3 h w"]) -> Float[Array, ""]:
    inner = second[2] > _INNER
    low, high = (width**2 for width in _WIDTHS)
    (peaks, detail), (soft_peaks, soft_detail) = (_strengths(x, inner) for x in (first, second))
    ratio = (peaks / jnp.maximum(soft_peaks, 1e-12)) ** (1.0 / _DECAY)
    drawn, photo = (high - ratio * low) / jnp.maximum(ratio - 1.0, 1e-2)
    # Strong features of a photo are soft, too: the face shall not have less detail than it.
    loss = jnp.log(detail[0] / soft_detail[0])
    steps = jnp.log(detail[0] / detail[1]) / jnp.maximum(loss, 1e-2)
    before, after = (jnp.maximum(drawn, 0.0) + x for x in (low, high))
    most = before * (after / before) ** jnp.minimum(steps, _MOST_STEPS) - before
    softer = jnp.minimum(photo - drawn, most)
    softer = jnp.where(peaks.min() > _LEAST_EDGE, softer, 0.0)
    return jnp.clip(softer, 0.0, _LARGEST) * ramp(photo - drawn, _SOFTER)


def _strengths(smooth: Float[Array, "3 h w"], inner: Array) -> tuple[Array, Array]:
    """Return the peaks and the root mean square of the Laplacian of the face and of the photo."""
    x = smooth[:2]
    beside = x[:, :-2, 1:-1] + x[:, 2:, 1:-1] + x[:, 1:-1, :-2] + x[:, 1:-1, 2:]
    squares = (beside - 4.0 * x[:, 1:-1, 1:-1]) ** 2
    used = inner[1:-1, 1:-1].astype(smooth.dtype)
    count = jnp.maximum(used.sum(), 1.0)
    peaks, detail = (
        ((squares ** (power / 2) * used).sum(axis=(1, 2)) / count) ** (1.0 / power)
        for power in (_POWER, 2)
    )
    return jnp.maximum(peaks, 1e-12), jnp.maximum(detail, 1e-12)


def blurred(
    planes: Float[Array, "c h w"], variance: float | Float[Array, ""], *, most: float = _LARGEST
) -> Float[Array, "c h w"]:
    """Blur planes by a Gaussian of a few pixels, inside ``jit``; beyond them is as their edge.

    Args:
        planes: any values.
        variance: of the Gaussian, square pixels; may be traced.
        most: the largest that the variance can be.
    """
    reach = math.ceil(_REACH * math.sqrt(most))
    steps = np.arange(-reach, reach + 1, dtype=np.float32)
    weights = jnp.exp(-0.5 * steps**2 / jnp.maximum(variance, 1e-6))
    weights /= weights.sum()
    for axis in (1, 2):
        size = planes.shape[axis]
        pads = [(reach, reach) if k == axis else (0, 0) for k in range(3)]
        wide = jnp.pad(planes, pads, mode="edge")
        near = [lax.slice_in_dim(wide, k, k + size, axis=axis) for k in range(len(steps))]
        planes = sum((weights[k] * plane for k, plane in enumerate(near)), jnp.zeros(()))
    return planes


def blurred_apart(
    planes: Float[Array, "c h w"], variance: float | Float[Array, ""], *, most: float = _LARGEST
) -> Float[Array, "c h w"]:
    """Blur planes in a compiled call of its own; see `blurred`."""
    soft: Array = _blur(most)(planes, jnp.asarray(variance, planes.dtype))
    return soft


@cache
def _blur(most: float) -> Callable[..., Array]:
    return keep_traced(partial(blurred, most=most), key=f"blur {most}", like=0)


@jax.jit
def weighted_planes(
    values: Float[Array, "h w 3"], weight: Float[Array, "h w"]
) -> Float[Array, "4 h w"]:
    """Return values times their weight, and the weight: blurred, `weighted_mean` has the average.

    Args:
        values: any.
        weight: 0 where they do not count.
    """
    return jnp.stack([*jnp.moveaxis(values * weight[..., None], -1, 0), weight])


def weighted_mean(planes: Float[Array, "4 h w"]) -> Float[Array, "h w 3"]:
    """Return the average of values, from `weighted_planes` that were blurred."""
    return jnp.moveaxis(planes[:3] / jnp.maximum(planes[3], 1e-3), 0, -1)
