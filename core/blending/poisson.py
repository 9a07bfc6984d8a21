"""Gradient-domain compositing: the source keeps its detail and takes the target's colours.

Instead of Poisson's equation for the picture we solve Laplace's equation for the *correction*
``target - source``, given on the pixels just outside the mask, and add it to the source. Both
have the same solution; the correction is smooth, so that few iterations are exact.

Convention:
    A pixel belongs to the region where the mask is above 0. Pixels outside the region keep the
    target's value bit by bit. Where the region meets the border of the picture there is no
    condition (Neumann): the correction ends there with slope zero. A region that touches no
    pixel outside at all takes the source as it is.

References:
    P. Perez, M. Gangnet, A. Blake, "Poisson image editing", 2003: equations 4 and 7 (the
    correction), 12 and 13 (mixed gradients). P. Bhat et al., "Fourier analysis of the 2D screened
    Poisson equation for gradient domain problems", 2008 (a correction that decays).
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float, Shaped

from .multigrid import build_levels, neighbours, padded_size, solve

__all__ = [
    "add_correction",
    "full_scale",
    "poisson_blend",
    "poisson_correction",
    "with_stronger_gradients",
]


def _padded(image: Shaped[Array, "h *c w"], height: int, width: int) -> Array:
    rows, columns = height - image.shape[0], width - image.shape[-1]
    return jnp.pad(image, [(0, rows)] + [(0, 0)] * (image.ndim - 2) + [(0, columns)])


def _mixed_divergence(difference: Array, source: Array, inside: Array) -> Array:
    """Return what mixed gradients add to the right-hand side, all ``[h, c, w]``.

    ``difference`` is target - source. Where the target's gradient (over the three channels) is
    the larger one, the edge's gradient changes by the gradient of the difference.
    """
    total = jnp.zeros_like(difference)
    sides = zip(neighbours(source), neighbours(difference), neighbours(inside), strict=True)
    for beside, difference_beside, inside_beside in sides:
        own = source - beside
        change = difference - difference_beside
        stronger = _strength(own + change) > _strength(own)
        total = total + jnp.where(stronger & (inside_beside > 0.0), change, 0.0)
    return total


def _strength(gradient: Float[Array, "h c w"]) -> Float[Array, "h 1 w"]:
    return jnp.sum(gradient**2, axis=1, keepdims=True)


def poisson_correction(
    target: Float[Array, "height width c"],
    source: Float[Array, "height width c"],
    region: Bool[Array, "height width"],
    *,
    valid: Bool[Array, "height width"] | None = None,
    reach: Float[Array, ""] | None = None,
    tolerance: float = 1e-3,
    weight: Float[Array, "height width"] | None = None,
) -> Float[Array, "height width c"]:
    """Return what must be added to ``source`` inside ``region`` to continue ``target``.

    Args:
        target: picture around the region.
        source: picture of the same size; its gradients are kept. It must be defined on the
            pixels next to the region, too.
        region: pixels to solve for.
        valid: pixels that exist; all if None. For windows that reach beyond the photo.
        reach: pixels over which the correction decays away from the region's edge; for sources
            whose colours are right already but for the edge. None: it does not decay.
        tolerance: largest error that is aimed at, in units of the pixel values.
        weight: how much an error counts; 1 everywhere if None.

    Returns:
        The correction; zero outside the region.
    """
    height, width, _ = target.shape
    inside = jnp.ones((height, width), bool) if valid is None else valid
    size = padded_size(height, width)
    inside = lax.optimization_barrier(_padded(inside, *size))  # no folding of constants
    unknown = _padded(region, *size) & inside
    difference = _padded(jnp.moveaxis(target - source, -1, 1), *size)
    outside = (inside & ~unknown).astype(difference.dtype)[:, None]
    within = unknown.astype(difference.dtype)[:, None]
    b = sum(neighbours(difference * outside)) * within
    levels = build_levels(unknown, inside, screening=_screening(reach))
    counted = None if weight is None else _padded(weight, *size)[:, None]
    correction = solve(levels, b, tolerance=tolerance, weight=counted)
    return jnp.moveaxis(correction[:height, :, :width], 1, -1)


def _screening(reach: Float[Array, ""] | None) -> float | Float[Array, ""]:
    return 0.0 if reach is None else 1.0 / jnp.maximum(reach, 1.0) ** 2


def with_stronger_gradients(
    target: Float[Array, "height width c"],
    source: Float[Array, "height width c"],
    region: Bool[Array, "height width"],
    *,
    valid: Bool[Array, "height width"] | None = None,
    reach: Float[Array, ""] | None = None,
    tolerance: float = 1e-3,
) -> Float[Array, "height width c"]:
    """Return a source that has the target's gradients where these are the stronger ones.

    Blended as any source it gives what equations 12 and 13 do with the source as it is: Poisson's
    equation is linear, and this is the part of its solution that has no step at the region's edge.

    Args:
        target: photo.
        source: picture of the same size.
        region: pixels to solve for.
        valid: pixels that exist; all if None.
        reach: pixels; see `poisson_correction`.
        tolerance: error that the solver aims at, in units of the pixel values.

    Returns:
        The source, unchanged outside the region.
    """
    height, width, _ = target.shape
    inside = jnp.ones((height, width), bool) if valid is None else valid
    size = padded_size(height, width)
    inside = lax.optimization_barrier(_padded(inside, *size))  # no folding of constants
    unknown = _padded(region, *size) & inside
    difference, own = (
        _padded(jnp.moveaxis(image, -1, 1), *size) for image in (target - source, source)
    )
    extra = _mixed_divergence(difference, own, inside.astype(own.dtype)[:, None])
    levels = build_levels(unknown, inside, screening=_screening(reach))
    b = extra * unknown.astype(own.dtype)[:, None]
    change = solve(levels, b, tolerance=tolerance)
    return source + jnp.moveaxis(change[:height, :, :width], 1, -1)


def poisson_blend(
    target: Float[Array, "height width c"],
    source: Float[Array, "height width c"],
    mask: Float[Array, "height width"],
    *,
    region: Bool[Array, "height width"] | None = None,
    valid: Bool[Array, "height width"] | None = None,
    reach: Float[Array, ""] | None = None,
    tolerance: float = 1e-3,
) -> Float[Array, "height width c"]:
    """Blend ``source`` into ``target`` in the gradient domain.

    Args:
        target: picture to change, any range (nothing is clipped or rounded).
        source: picture of the same size whose gradients are taken.
        mask: in [0, 1]; a value below 1 mixes the blended and the target's pixel.
        region: pixels to solve for; default: where the mask is above 0. A larger region bridges
            holes of the mask, so that what lies in them does not colour the blend.
        valid: pixels that exist; all if None.
        reach: see `poisson_correction`.
        tolerance: error that the solver aims at, in units of the pixel values.

    Returns:
        The composite; bit-identical to ``target`` where the mask is 0.
    """
    region = mask > 0.0 if region is None else region
    correction = poisson_correction(
        target,
        source,
        region,
        valid=valid,
        reach=reach,
        tolerance=tolerance,
        weight=full_scale(mask),
    )
    return add_correction(target, source, correction, mask)


def full_scale(mask: Float[Array, "height width"]) -> Float[Array, "height width"]:
    """Return how much an error counts under a mask: half a mask mixes the same correction."""
    return mask / jnp.maximum(mask.max(), 1e-6)


def add_correction(
    target: Float[Array, "height width c"],
    source: Float[Array, "height width c"],
    correction: Float[Array, "height width c"],
    mask: Float[Array, "height width"],
) -> Float[Array, "height width c"]:
    """Mix the corrected source in; bit-identical to ``target`` where the mask is 0."""
    weight = mask[..., None]
    blended = target + weight * (source + correction - target)
    return jnp.where(weight > 0.0, blended, target)
