"""Poisson blending of large pictures: the correction found on blocks of pixels.

The correction ``target - source`` (`poisson`) is smooth away from where it is given, and as smooth
there as the two pictures differ smoothly. So it is found on blocks of 2x2 pixels, or on blocks of
those and so on, until few are left, and interpolated: a quarter of the unknowns for each halving.
A block at the region's edge is given the mean difference of its pixels outside. Blocks also join
what is a hundredth of the picture apart, as a face and the skin below the fold of its chin.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float

from .multigrid import build_levels, neighbours, padded_size, refine, solve, sum_blocks
from .poisson import add_correction, full_scale

__all__ = ["coarse_poisson_blend"]

_LARGEST = 192  # pixels along the longer side that are solved for as they are


def coarse_poisson_blend(
    target: Float[Array, "height width c"],
    source: Float[Array, "height width c"],
    mask: Float[Array, "height width"],
    *,
    region: Bool[Array, "height width"] | None = None,
    valid: Bool[Array, "height width"] | None = None,
    reach: Float[Array, ""] | None = None,
    tolerance: float = 1e-3,
) -> Float[Array, "height width c"]:
    """Blend as `poisson_blend` does, with a correction found on blocks of pixels.

    Args:
        target: picture to change, any range.
        source: picture of the same size whose gradients are taken.
        mask: in [0, 1]; a value below 1 mixes the blended and the target's pixel.
        region: pixels to solve for; default: where the mask is above 0.
        valid: pixels that exist; all if None.
        reach: pixels over which the correction decays; None: it does not.
        tolerance: error that the solver aims at, in units of the pixel values.

    Returns:
        The composite; bit-identical to ``target`` where the mask is 0.
    """
    region = mask > 0.0 if region is None else region
    valid = jnp.ones_like(region) if valid is None else valid
    height, width = mask.shape
    rows, columns = padded_size(height, width)

    def grid(image: Array) -> Float[Array, "rows c columns"]:
        padded = jnp.pad(image, [(0, rows - height), (0, columns - width), (0, 0)])
        return jnp.moveaxis(padded, -1, 1)

    unknown = grid((region & valid).astype(target.dtype)[..., None])
    given = grid((valid & ~region).astype(target.dtype)[..., None])
    screening = jnp.zeros((), target.dtype) if reach is None else jnp.maximum(reach, 1.0) ** -2.0
    difference = given * grid(target - source)
    weight = grid(full_scale(mask)[..., None])
    found = unknown * _corrections(difference, unknown, given, weight, screening, tolerance)
    correction = jnp.moveaxis(found, 1, -1)[:height, :width]
    return add_correction(target, source, correction, mask)


def _corrections(
    difference: Float[Array, "h c w"],
    unknown: Float[Array, "h 1 w"],
    given: Float[Array, "h 1 w"],
    weight: Float[Array, "h 1 w"],
    screening: Float[Array, ""],
    tolerance: float,
) -> Float[Array, "h c w"]:
    """Return the correction where it is unknown or given (``difference``, 0 elsewhere)."""
    height, _, width = difference.shape
    if max(height, width) <= _LARGEST:
        inside = (unknown + given)[:, 0] > 0.0
        levels = build_levels(unknown[:, 0] > 0.0, inside, screening=screening)
        b = unknown * sum(neighbours(difference))
        return difference + solve(levels, b, tolerance=tolerance, weight=weight)
    count = sum_blocks(given)
    is_given = jnp.sign(count)
    is_unknown = jnp.sign(sum_blocks(unknown)) * (1.0 - is_given)
    found = _corrections(
        sum_blocks(difference) / jnp.maximum(count, 1.0),
        is_unknown,
        is_given,
        0.25 * sum_blocks(weight),
        4.0 * screening,
        tolerance,
    )
    known = is_unknown + is_given
    fine = refine(known * found) / jnp.maximum(refine(known), 1e-3)
    return unknown * fine + difference
