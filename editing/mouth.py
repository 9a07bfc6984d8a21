"""Which texels of the lips show lips, and not teeth or the inside of an open mouth.

A position map that is a little wrong about how far a mouth is open reads teeth at the texels of
the inner lips. Drawn on closed lips they would become a second, toothy mouth; and lips that are
drawn over the target's teeth close its mouth. Colour tells them apart: lips are at least nearly
as red as the skin around them, teeth are not, and the inside of a mouth is dark.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from .regions import smooth_step, soften

__all__ = ["lip_trust"]

_AROUND = 28.0  # texels of 256: as far the skin around the mouth is looked at
_RED = (0.45, 0.75)  # of the skin's redness: from teeth to lips
_DARK = (0.38, 0.55)  # of the skin's lightness: from the mouth's inside to lips
_BRIGHT = (1.02, 1.12)  # of the skin's lightness, in black and white: from lips to teeth
_COLOURFUL = (0.012, 0.03)  # redness of skin (Oklab a) from black-and-white to colour photos
_EDGE = 2.0  # texels of 256: what borders on teeth is mixed with them


def lip_trust(
    lab: Float[Array, "size size 3"],
    visibility: Float[Array, "size size"],
    skin: Float[Array, "size size"],
    lips: Float[Array, "size size"],
) -> Float[Array, "size size"]:
    """Return 1 where a texel may be what it is called, 0 where a texel of the lips shows teeth.

    Args:
        lab: Oklab of the photo's colours at the texels.
        visibility: 1 where the texel is seen.
        skin: mask of the region.
        lips: mask of the region; elsewhere the trust is 1.
    """
    scale = lab.shape[0] / 256
    seen = (visibility * skin)[..., None]
    blurred = soften(jnp.concatenate([lab * seen, seen], axis=-1), _AROUND * scale)
    around = blurred[..., :3] / jnp.maximum(blurred[..., 3:], 1e-4)
    light = lab[..., 0] / jnp.maximum(around[..., 0], 0.05)
    red = lab[..., 1] / jnp.maximum(around[..., 1], _COLOURFUL[0])
    colourful = _ramp(around[..., 1], _COLOURFUL)
    is_red = 1.0 - colourful * (1.0 - _ramp(red, _RED))
    is_dull = 1.0 - (1.0 - colourful) * _ramp(light, _BRIGHT)
    like = is_red * is_dull * _ramp(light, _DARK)
    near = soften(like[..., None], _EDGE * scale)[..., 0]
    return 1.0 - lips * (1.0 - smooth_step((jnp.minimum(like, near) - 0.3) / 0.6))


def _ramp(x: Array, ends: tuple[float, float]) -> Array:
    low, high = ends
    return smooth_step((x - low) / (high - low))
