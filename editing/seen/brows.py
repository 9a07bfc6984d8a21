"""Where brows grow beside the place that the layout gives them.

Brows sit lower over some eyes than over others, and an error of the position map moves them, too.
Their hair is no skin in shade: compared with the lit lid of another face it would be brightened
like one, to white.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp, smooth_step
from ..regions import soften
from .occlusion import average_lab

__all__ = ["brow_share"]

_REACH = 6.0  # texels of 256 around brows
_AROUND = 28.0  # texels of 256: what skin looks like there
_DARKER = (0.2, 0.35)  # share of the skin's lightness: from the shade of a brow's bone to hair
_BLUR = 1.5  # texels of 256: hair and skin are mixed beside it


def brow_share(
    lab: Float[Array, "size size 3"], seen: Float[Array, "size size"], layout: UVLayout
) -> Float[Array, "size size"]:
    """Return 1 at the hair of brows, in and around their region, 0 at skin.

    Args:
        lab: Oklab of the photo's colours at the texels.
        seen: 1 where the photo shows the skin.
        layout: UV layout.
    """
    texel = layout.size / 256
    zone = smooth_step(3.0 * soften(layout.region("brows")[..., None], _REACH * texel)[..., 0])
    skin = seen * layout.region("skin")
    expected = average_lab(lab, (skin * (1.0 - zone))[..., None], _AROUND * texel)[..., 0]
    dark = zone * seen * ramp(1.0 - lab[..., 0] / jnp.maximum(expected, 0.05), _DARKER)
    return smooth_step(2.0 * soften(dark[..., None], _BLUR * texel)[..., 0])
