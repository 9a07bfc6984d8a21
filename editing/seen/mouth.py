"""Which texels of the lips show lips, and which around them show skin.

A position map that is a little wrong about how far a mouth is open reads teeth at the texels of
the inner lips. Drawn on closed lips they would become a second, toothy mouth; and lips that are
drawn over the target's teeth close its mouth. Colour tells them apart: lips are at least nearly
as red as the skin around them, teeth are not, and the inside of a mouth is dark. The lips
themselves are then read at texels of the skin; drawn there they would be a second pair around
the first.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from ...core.geometry.ramps import ramp, smooth_step
from ..regions import soften
from .occlusion import average_lab

__all__ = ["mouth_trust"]

_AROUND = 28.0  # texels of 256: as far the skin around the mouth is looked at
_RED = (0.45, 0.75)  # of the skin's redness: from teeth to lips
_LIPS = 1.35  # of the skin's redness: lips that are redder ask for more of what is called one
_REDDEST = (1.0, 1.7)  # times as much
_DARK = (0.38, 0.55)  # of the skin's lightness: from the mouth's inside to lips
_BRIGHT = (1.02, 1.12)  # of the skin's lightness, in black and white: from lips to teeth
_PALE = (0.77, 0.84)  # paleness of skin: from that on, teeth in the shade are darker than it
_LIGHT = (0.5, 0.6)  # Oklab, lightness of skin: from that on it is as pale, whatever eyes say
_TEETH_ON_DARK = (0.95, 1.1)  # of dark skin's lightness: from grey-brown lips to teeth
_COLOURFUL = (0.017, 0.043)  # a / L of skin in Oklab, from black-and-white to colour photos
_EDGE = 2.0  # texels of 256: what borders on teeth is mixed with them
_BROAD = 3.0  # texels of 256: a glint on a lip is narrower than a tooth
_TOOTH = (0.35, 0.5)  # of their average: from glints to teeth
_NEAR_TEETH = (0.1, 0.25)  # of what is behind, averaged as well: no tooth's edge is left
_SURROUND = 9.0  # texels of 256 around the lips in which lips may be read as skin
_REDDER = 0.012  # least redness (Oklab a) of lips over the skin around them that tells them apart
_LIKE_LIPS = (0.35, 0.65)  # of the way from the skin's redness to the lips'
_TEETH = (0.2, 0.5)  # share of the lips that shows none: from there on they are read elsewhere


def mouth_trust(
    lab: Float[Array, "size size 3"],
    visibility: Float[Array, "size size"],
    skin: Float[Array, "size size"],
    lips: Float[Array, "size size"],
    interior: Float[Array, "size size"],
    *,
    paleness: Float[Array, ""],
) -> Float[Array, "size size"]:
    """Return 1 where a texel may be what it is called, 0 where lips show teeth, or skin lips.

    Args:
        lab: Oklab of the photo's colours at the texels.
        visibility: 1 where the texel is seen.
        skin: mask of the region.
        lips: mask of the region; far from it the trust is 1.
        interior: mask of what lies between the lips.
        paleness: as `skin_paleness` tells it; skin that is dark may be so for want of light.
    """
    shown = _shows_lips(lab, visibility * skin, lips, ramp(paleness, _PALE))
    seen = visibility * lips
    elsewhere = 1.0 - (seen * shown).sum() / jnp.maximum(seen.sum(), 1e-6)
    beside = _lips_beside(lab, visibility, skin, lips, shown)
    shown = _nothing_behind(shown, lips, interior)
    return (1.0 - lips * (1.0 - shown)) * (1.0 - beside * ramp(elsewhere, _TEETH))


def _shows_lips(lab: Array, seen: Array, lips: Array, is_pale: Array) -> Array:
    """Return 1 where a texel is as red as lips and no darker, whatever is seen around it.

    Teeth in the shade of a lip are as red as skin, but not as red as what is further out. Lips of
    dark people may be greyer than their skin; their teeth are lighter than it.
    """
    scale = lab.shape[0] / 256
    around = _around(lab, seen)
    light = lab[..., 0] / jnp.maximum(around[..., 0], 0.05)
    red = lab[..., 1] / jnp.maximum(around[..., 1], _COLOURFUL[0] * around[..., 0] + 1e-3)
    colourful = ramp(around[..., 1] / jnp.maximum(around[..., 0], 0.05), _COLOURFUL)
    outer = jnp.clip(_most_outside(red * lips, lips) / _LIPS, *_REDDEST)
    is_pale = jnp.maximum(is_pale, ramp(around[..., 0], _LIGHT))
    as_teeth = jnp.maximum(is_pale, ramp(light, _TEETH_ON_DARK))
    is_red = 1.0 - colourful * as_teeth * (1.0 - ramp(red / outer, _RED))
    is_dull = 1.0 - (1.0 - colourful) * ramp(light, _BRIGHT)
    like = is_red * is_dull * ramp(light, _DARK)
    near = soften(like[..., None], _EDGE * scale)[..., 0]
    return smooth_step((jnp.minimum(like, near) - 0.3) / 0.6)


def _nothing_behind(shown: Array, lips: Array, interior: Array) -> Array:
    """Return what shows lips without what lies behind teeth or darkness, towards the mouth.

    Gums and the shadows between teeth are as red as lips.
    """
    width = _BROAD * lips.shape[0] / 256
    inside = ramp(_blurred((lips + interior) * (1.0 - shown), width), _TOOTH)
    tooth = inside * lips * (1.0 - shown)
    behind = ramp(_blurred(_most_outside(tooth, lips), width), _NEAR_TEETH)
    return jnp.minimum(shown, 1.0 - behind)


def _most_outside(values: Array, lips: Array) -> Array:
    """Return the greatest value between each texel and the outer edge of its lip."""
    is_upper = jnp.cumsum(lips, axis=0) < 0.5 * lips.sum(axis=0)
    down, up = (lax.cummax(values, axis=0, reverse=turned) for turned in (False, True))
    return jnp.where(is_upper, down, up)


def _blurred(mask: Array, texels: float) -> Array:
    return soften(mask[..., None], texels)[..., 0]


def _lips_beside(lab: Array, visibility: Array, skin: Array, lips: Array, shown: Array) -> Array:
    """Return 1 where skin beside the lips is as red as those of their texels that show lips."""
    near = soften(lips[..., None], _SURROUND * lab.shape[0] / 256)[..., 0]
    ring = skin * smooth_step(near / 0.15)
    around = _around(lab, visibility * (skin - ring))[..., 1]
    weights = visibility * lips * shown
    redder = (lab[..., 1] * weights).sum() / jnp.maximum(weights.sum(), 1e-6) - around
    share = (lab[..., 1] - around) / jnp.maximum(redder, _REDDER)
    return ring * ramp(share, _LIKE_LIPS) * smooth_step(redder / _REDDER)


def _around(lab: Array, weights: Array) -> Array:
    """Return the mean colour around each texel."""
    return average_lab(lab, weights[..., None], _AROUND * lab.shape[0] / 256)
