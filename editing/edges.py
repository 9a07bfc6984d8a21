"""Edges inside and around a drawn surface: where it is folded, hides itself, or ends.

Each pixel shows one point of the surface. Along a nostril, between closed lips and at the outline
the next pixel shows quite another one: drawn as they are, such edges are stairs. There what is
drawn becomes the average over its neighbours, as if pixels were wide.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float

from ..core.geometry.ramps import ramp, smooth_step
from ..core.geometry.scales import enlarge, pool
from .regions import soften

__all__ = ["closed_gaps", "edge_share", "tent_average"]

# Step in UV from a pixel to the next, relative to that of the face: from the first on texels are
# skipped that one would see in a photo, from the second on another part of the face begins.
_STEP = (3.0, 6.0)
_LEAST_STEP = 1e-5  # in UV: no pixel is a hundredth of a texel
_OUTLINE = 1e6  # in place of the square of a step in UV, which is 2 at most
_GAP = 0.5  # cm: width of the surroundings that make pixels part of a gap
_GAP_PIXELS = 128  # along a window's height, at which they are looked at
_SURROUNDED = (0.55, 0.7)  # share of them that is seen; at a straight edge it is one half


def edge_share(uv: Float[Array, "h w 2"], is_covered: Bool[Array, "h w"]) -> Float[Array, "h w"]:
    """Return 1 where the surface ends, or jumps to another part of it, beside a pixel; 0 inside.

    Args:
        uv: the point of the surface that a pixel shows.
        is_covered: the surface covers the pixel.
    """
    rows, columns = (_steps(uv, is_covered, axis) for axis in (0, 1))
    before, after = (1, 0), (0, 1)
    near = [jnp.pad(rows, (side, (0, 0))) for side in (before, after)]
    near += [jnp.pad(columns, ((0, 0), side)) for side in (before, after)]
    largest = jnp.maximum(jnp.maximum(near[0], near[1]), jnp.maximum(near[2], near[3]))
    # The harmonic mean: it is that of most pixels, whatever the jumps. That of the outline is 0.
    is_inner = is_covered & (largest < _OUTLINE)
    inverse = jnp.where(is_inner, jax.lax.rsqrt(jnp.maximum(largest, _LEAST_STEP**2)), 0.0)
    usual = is_inner.astype(uv.dtype).sum() / jnp.maximum(inverse.sum(), 1.0)
    ratio = jnp.minimum(jnp.sqrt(largest) / jnp.maximum(usual, _LEAST_STEP), _STEP[1])
    return jnp.where(is_covered, ramp(ratio, _STEP), 0.0)


# Below, planes of pixels: XLA's code for CPUs is several times as fast for them as for pixels of a
# few channels, and for sums and products as for choices.


def _steps(uv: Array, is_covered: Array, axis: int) -> Array:
    """Return the squares of the steps between neighbours; `_OUTLINE` at the outline."""
    covered = is_covered.astype(uv.dtype)

    def pairs(plane: Array) -> tuple[Array, Array]:
        count = plane.shape[axis]
        before = jax.lax.slice_in_dim(plane, 0, count - 1, axis=axis)
        return before, jax.lax.slice_in_dim(plane, 1, count, axis=axis)

    square = sum((b - a) ** 2 for a, b in map(pairs, (uv[..., 0], uv[..., 1])))
    before, after = pairs(covered)
    return square * before * after + _OUTLINE * jnp.abs(after - before)


def tent_average(
    values: Float[Array, "h w c"], weight: Float[Array, "h w"]
) -> tuple[Float[Array, "h w c"], Float[Array, "h w"]]:
    """Return the averages of values and of their weight over a pixel and its neighbours.

    A tent of 3x3 pixels; a weight of 0 lies beyond the border.

    Args:
        values: any.
        weight: how much they count.
    """
    around = _tent(weight)
    share = 1.0 / jnp.maximum(around, 1e-3)
    planes = (values[..., k] for k in range(values.shape[-1]))
    return jnp.stack([_tent(plane * weight) * share for plane in planes], axis=-1), around


def _tent(plane: Float[Array, "h w"]) -> Float[Array, "h w"]:
    wide = jnp.pad(plane, 1)
    rows = 0.25 * wide[:-2] + 0.5 * wide[1:-1] + 0.25 * wide[2:]
    return 0.25 * rows[:, :-2] + 0.5 * rows[:, 1:-1] + 0.25 * rows[:, 2:]


def closed_gaps(
    seen: Float[Array, "rows columns"], scale: Float[Array, ""]
) -> Float[Array, "rows columns"]:
    """Return 1 in gaps of what is seen, 0 at its outer edge.

    Where a turned face's nose hides its own cheek, the surface is seen from the side for some
    pixels; left as they are, they would draw the target's nose into the result as a line.

    Args:
        seen: of a window, in [0, 1].
        scale: pixels per cm of the face.
    """
    small = pool(seen[..., None], _GAP_PIXELS)
    around = soften(small, _GAP * scale * small.shape[0] / seen.shape[0])
    low, high = _SURROUNDED
    return enlarge(smooth_step((around - low) / (high - low)), *seen.shape)[..., 0]
