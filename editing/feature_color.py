"""The colour of lips and brows on paler skin.

Lips of dark skin are little redder than it, and black hair has next to no colour. Made as pale as
a pale face, both would be grey there; its own lips and brows say how much colour they have.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..core.geometry.layout import UVLayout
from ..core.geometry.ramps import ramp, smooth_step
from .colour import light_between
from .regions import soften

__all__ = ["feature_light"]

_PALER = (1.05, 1.25)  # times as pale: from there on features take the target's colour
_SHARE = 0.7  # of the way to it
_BARE = 0.12  # Oklab a / L of lips without lipstick, at most
_REDDER = (0.0, 0.02)  # Oklab a / L of the target's over the source's: lipstick stays
_HAIR = (0.65, 0.85)  # of the skin's lightness: from hair to the skin between hairs
_ENOUGH = 0.05  # share of a feature's region that must be seen, and of brows be hair
_BORDER = 1.5  # texels of 256
_DARKEST = 0.05  # Oklab L


def feature_light(
    colors: Float[Array, "size size 3"],
    seen: Float[Array, "size size"],
    target: Float[Array, "size size 3"],
    target_seen: Float[Array, "size size"],
    layout: UVLayout,
    *,
    paler: Float[Array, ""],
) -> Float[Array, "size size 3"]:
    """Return the factor of the light that gives lips and brows on paler skin the target's redness.

    Args:
        colors: Oklab of the source's texels, in the target's light.
        seen: 1 where the source shows them.
        target: Oklab of the target's texels.
        target_seen: the same of them.
        layout: UV layout.
        paler: how many times as pale the skin becomes, whatever light it stands in.

    Returns:
        As `light_between`; 1 away from lips and brows, and where the target's are no redder.
    """
    share = _SHARE * ramp(paler, _PALER)
    lips, brows = layout.region("lips"), layout.region("brows")
    own, other = (
        brows * _hair(lab, weight * layout.region("skin"))
        for lab, weight in ((colors, seen), (target, target_seen))
    )
    factor = jnp.ones_like(colors)
    for region, part, target_part in ((lips, lips, lips), (brows, own, other)):
        weight, target_weight = seen * part, target_seen * target_part
        known = jnp.minimum(weight.sum(), target_weight.sum())
        enough = smooth_step(known / (_ENOUGH * jnp.maximum(region.sum(), 1.0)))
        tint = _tint(_mean(colors, weight), _mean(target, target_weight), share * enough)
        soft = soften(part[..., None], _BORDER * layout.size / 256)
        factor *= 1.0 + soft * (tint - 1.0)
    return factor


def _hair(lab: Array, skin: Array) -> Array:
    """Return 1 for texels that are darker than the skin, as brows' hairs are."""
    level = _mean(lab, skin)[0]
    return 1.0 - ramp(lab[..., 0] / jnp.maximum(level, _DARKEST), _HAIR)


def _tint(own: Array, other: Array, share: Array) -> Array:
    """Return the factor that takes a colour a share of the way to another's chroma, if redder.

    Of lipstick only what lips have without is taken.
    """
    chroma, wanted = (color[1:] / jnp.maximum(color[0], _DARKEST) for color in (own, other))
    wanted *= jnp.minimum(_BARE / jnp.maximum(wanted[0], 1e-3), 1.0)
    share *= ramp(wanted[0] - chroma[0], _REDDER)
    tinted = own.at[1:].set(own[0] * (chroma + share * (wanted - chroma)))
    return light_between(own, tinted)


def _mean(lab: Array, weight: Array) -> Float[Array, " 3"]:
    return (lab * weight[..., None]).sum(axis=(0, 1)) / jnp.maximum(weight.sum(), 1e-6)
