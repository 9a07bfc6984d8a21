"""Whites of eyes: where a photo shows them, and how light they are.

A position map is right about an eye to a texel or two, and eyes are opened wider than its layout
says. What is white beside the texels of an eyeball is that eyeball; drawn around another eye that
is less open it would be a white ring. And whites are much the same in all people: in one light
those of two faces are equally light, however dark or grey the photo of one of them is.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp, smooth_step
from ..colour import light_between
from ..regions import soften
from .occlusion import average_lab

__all__ = ["around_eyes", "bare_lids", "eye_whites", "white_light"]

_BESIDE = 3.0  # texels of 256, blur of the eyeballs
_NEAR = (0.005, 0.03)  # of the blurred eyeballs: up to some six texels off
_AROUND = 12.0  # texels of 256: as far skin is looked at
_PALE = (0.75, 0.5)  # of the skin's saturation: from skin to white
_LIGHT = (0.8, 0.95)  # of its lightness
_BRIGHT = (1.1, 1.25)  # the same in black and white
_COLOURFUL = (0.02, 0.05)  # chroma / L of skin in Oklab, from black-and-white to colour photos
_KNOWN = (0.05, 0.2)  # share of skin around that tells what is paler: none in the dark
_BARE = (0.5, 0.75)  # of its lightness: from lashes to lids
_ENOUGH = 0.02  # share of whites around an eye that tells how light they are
_LIGHTEST = 4  # power of the lightness: beside dark skin shaded whites are found, too
_TINTED = 0.5  # of the way to the colour of the target's, which glints and veins colour, too
_DIMMED = (0.6, 1.1)  # factors of roots of the light


def around_eyes(eyeballs: Float[Array, "size size"], layout: UVLayout) -> Float[Array, "size size"]:
    """Return 1 at and some texels beside eyes, 0 elsewhere.

    Args:
        eyeballs: mask of them.
        layout: UV layout of the mask.
    """
    return ramp(soften(eyeballs[..., None], _BESIDE * layout.size / 256)[..., 0], _NEAR)


def eye_whites(
    lab: Float[Array, "size size 3"], seen: Float[Array, "size size"], layout: UVLayout
) -> Float[Array, "size size"]:
    """Return 1 where the white of an eye is seen at or beside its texels, 0 elsewhere.

    Args:
        lab: Oklab of the texels.
        seen: 1 where the photo shows the texel's skin.
        layout: UV layout.
    """
    if "eyeballs" not in layout.regions:
        return jnp.zeros_like(seen)
    near = around_eyes(layout.region("eyeballs"), layout)
    around, known = _skin_around(lab, seen, layout)
    saturation, skin_saturation = (
        jnp.linalg.norm(x[..., 1:], axis=-1) / jnp.maximum(x[..., 0], 0.05) for x in (lab, around)
    )
    light = lab[..., 0] / jnp.maximum(around[..., 0], 0.05)
    is_pale = ramp(saturation / jnp.maximum(skin_saturation, 1e-3), _PALE) * ramp(light, _LIGHT)
    colourful = ramp(skin_saturation, _COLOURFUL)
    white = colourful * is_pale + (1.0 - colourful) * ramp(light, _BRIGHT)
    return near * ramp(known, _KNOWN) * white


def bare_lids(
    lab: Float[Array, "size size 3"], seen: Float[Array, "size size"], layout: UVLayout
) -> Float[Array, "size size"]:
    """Return 1 where lids are as light as skin, 0 where they are lashes or made up.

    Args:
        lab: Oklab of the texels; of those of no lid, nothing is said.
        seen: 1 where the photo shows the texel's skin.
        layout: UV layout.
    """
    around, _ = _skin_around(lab, seen, layout)
    return ramp(lab[..., 0] / jnp.maximum(around[..., 0], 0.05), _BARE)


def _skin_around(lab: Array, seen: Array, layout: UVLayout) -> tuple[Array, Array]:
    """Return the mean Oklab of the skin around each texel, and how much of it is seen."""
    near = around_eyes(layout.region("eyeballs"), layout)
    skin = (seen * (1.0 - near) * layout.region("skin"))[..., None]
    wide = _AROUND * layout.size / 256
    return average_lab(lab, skin, wide), soften(skin, wide)[..., 0]


def white_light(
    colors: Float[Array, "size size 3"],
    white: Float[Array, "size size"],
    target: Float[Array, "size size 3"],
    target_white: Float[Array, "size size"],
    layout: UVLayout,
) -> Float[Array, "size size 3"]:
    """Return the factor of the light that makes eyes as white as the target's.

    Args:
        colors: Oklab of the source's texels, in the target's light.
        white: 1 where they are the white of an eye.
        target: Oklab of the target's texels.
        target_white: the same of them.
        layout: UV layout.

    Returns:
        As `light_between`; 1 away from eyes, and where either photo shows no white.
    """
    if "eyeballs" not in layout.regions:
        return jnp.ones_like(colors)
    wide = _AROUND * layout.size / 256
    source_mean, target_mean = (
        average_lab(lab, weight[..., None] * lab[..., :1] ** _LIGHTEST, wide)
        for lab, weight in ((colors, white), (target, target_white))
    )
    tint = source_mean[..., 1:] + _TINTED * (target_mean - source_mean)[..., 1:]
    wanted = jnp.concatenate([target_mean[..., :1], tint], axis=-1)
    known = soften(jnp.stack([white, target_white], axis=-1), wide).min(axis=-1)
    share = smooth_step(known / _ENOUGH) * around_eyes(layout.region("eyeballs"), layout)
    factor = jnp.clip(light_between(source_mean, wanted), *_DIMMED)
    return 1.0 + share[..., None] * (factor - 1.0)
