"""Where the lips of a photo end: the layout's lips grown to where the photo's own colours end.

People's lips are fuller than the layout's by a millimetre or two, which a strong lipstick shows.
What is told apart is lip and skin close to the border, upper and lower lip by themselves: along
the axis that tells their colours apart best (Fisher's discriminant), on which gloss, stubble and
shades, that differ within lip or skin, hardly count.
"""

from __future__ import annotations

import dataclasses
from functools import partial

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp
from ...core.traced import keep_traced
from ...core.types import Face
from ..colour import DARK, lab_from_rgb
from ..regions import SEEN, soften

__all__ = ["fitted_lips"]

_PARTS = ("lips_upper", "lips_lower")
_BLUR = 4.0  # texels of 256: of what tells how far a texel is from the lips' border
# Of the blurred lips and mouth, which are one half at the border: lip and skin to compare.
_INSIDE, _OUTSIDE = (0.95, 0.85), ((0.001, 0.005), (0.12, 0.06))
_GRAIN = 1.0  # texels of 256: finer detail is no border
_MOST = 3  # texels of 256 by which lips may grow
_LIKE = (0.5, 0.7)  # of the way from skin to lip
_APART = (1.5, 2.5)  # standard deviations: from colours that tell nothing to such as tell
_LEAST_SPREAD = 0.01  # of colours, in units of Oklab


def fitted_lips(face: Face, texture: Float[Array, "size size 3"], layout: UVLayout) -> UVLayout:
    """Return the layout with lips as far out as the photo shows them.

    Args:
        face: whose visibility counts.
        texture: what the photo shows there, sRGB.
        layout: UV layout of the face; without both lips and the mouth it comes back.
    """
    if not {*_PARTS, "lips", "mouth_interior"} <= set(layout.regions):
        return layout
    found = _grown(face, texture, layout)
    return dataclasses.replace(layout, regions=dict(layout.regions) | found)


@partial(keep_traced, key="fit lips", like=dict.fromkeys((*_PARTS, "lips"), 0))
def _grown(
    face: Face, texture: Float[Array, "size size 3"], layout: UVLayout
) -> dict[str, Float[Array, "size size"]]:
    """Return the lips, each and both."""
    upper, lower, mouth, both = (
        layout.region(name) for name in (*_PARTS, "mouth_interior", "lips")
    )
    texel = layout.size / 256
    blurred = jnp.moveaxis(soften(jnp.stack([upper, lower, mouth], axis=-1), _BLUR * texel), -1, 0)
    whole, is_upper = blurred.sum(axis=0), blurred[0] > blurred[1]
    lab = lab_from_rgb(texture)
    colors = soften(lab[..., 1:] / jnp.maximum(lab[..., :1], DARK), _GRAIN * texel)
    seen = ramp(face.visibility, SEEN) * layout.mask
    beside = seen * (1.0 - jnp.maximum(both, mouth))

    def grown(lip: Array, is_nearer: Array) -> Array:
        near = beside * is_nearer.astype(lab.dtype)
        inside = seen * lip * ramp(whole, _INSIDE)
        outside = near * ramp(whole, _OUTSIDE[0]) * ramp(whole, _OUTSIDE[1])
        like = _likeness(colors, inside, outside)
        return jnp.maximum(lip, _spread(like * lip, like * near, round(_MOST * texel)))

    upper, lower = grown(upper, is_upper), grown(lower, ~is_upper)
    return {
        "lips_upper": upper,
        "lips_lower": lower,
        "lips": jnp.maximum(both, jnp.maximum(upper, lower)),
    }


def _likeness(colors: Array, inside: Array, outside: Array) -> Float[Array, "size size"]:
    """Return 1 for colours as they are inside, 0 as outside; 0 if these are hardly told apart."""
    means, spread = [], _LEAST_SPREAD**2 * jnp.eye(2)
    for weights in (inside, outside):
        share = weights[..., None] / jnp.maximum(weights.sum(), 1e-3)
        means.append((share * colors).sum(axis=(0, 1)))
        off = colors - means[-1]
        spread += 0.5 * jnp.einsum("ijc,ijd->cd", share * off, off)
    way = means[0] - means[1]
    axis = jnp.linalg.solve(spread, way)
    apart = way @ axis
    place = (colors - means[1]) @ axis / jnp.maximum(apart, 1e-6)
    return ramp(place, _LIKE) * ramp(jnp.sqrt(jnp.maximum(apart, 0.0)), _APART)


def _spread(start: Array, free: Array, steps: int) -> Float[Array, "size size"]:
    """Return a mask that went on from texel to texel into others, as far as these let it."""
    found = start
    for _ in range(steps):
        near = lax.reduce_window(found, -jnp.inf, lax.max, (3, 3), (1, 1), "SAME")
        found = jnp.maximum(found, jnp.minimum(near, free))
    return found
