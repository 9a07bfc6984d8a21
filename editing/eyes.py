"""Whites of eyes at texels that are called lids.

A position map is right about an eye to a texel or two, and eyes are opened wider than its layout
says. What is white beside the texels of an eyeball is that eyeball; drawn around another eye that
is less open it would be a white ring.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..core.geometry.layout import UVLayout
from .occlusion import average_lab
from .regions import ramp, soften

__all__ = ["white_beside"]

_BESIDE = 3.0  # texels of 256, blur of the eyeballs
_NEAR = (0.005, 0.03)  # of the blurred eyeballs: up to some six texels off
_AROUND = 12.0  # texels of 256: as far skin is looked at
_PALE = (0.75, 0.5)  # of the skin's saturation: from skin to white
_LIGHT = (0.8, 0.95)  # of its lightness
_BRIGHT = (1.1, 1.25)  # the same in black and white
_COLOURFUL = (0.02, 0.05)  # chroma / L of skin in Oklab, from black-and-white to colour photos


def white_beside(
    lab: Float[Array, "size size 3"],
    seen: Float[Array, "size size"],
    eyeballs: Float[Array, "size size"],
    layout: UVLayout,
) -> Float[Array, "size size"]:
    """Return 1 where the white of an eye is seen at or beside its texels, 0 elsewhere.

    Args:
        lab: Oklab of the texels.
        seen: 1 where the photo shows the texel's skin.
        eyeballs: mask of the eyes that are looked at.
        layout: UV layout.
    """
    texel = layout.size / 256
    near = ramp(soften(eyeballs[..., None], _BESIDE * texel)[..., 0], _NEAR)
    skin = seen * (1.0 - near) * layout.region("skin")
    around = average_lab(lab, skin[..., None], _AROUND * texel)
    own, theirs = (
        jnp.linalg.norm(x[..., 1:], axis=-1) / jnp.maximum(x[..., 0], 0.05) for x in (lab, around)
    )
    light = lab[..., 0] / jnp.maximum(around[..., 0], 0.05)
    is_pale = ramp(own / jnp.maximum(theirs, 1e-3), _PALE) * ramp(light, _LIGHT)
    colourful = ramp(theirs, _COLOURFUL)
    return near * (colourful * is_pale + (1.0 - colourful) * ramp(light, _BRIGHT))
