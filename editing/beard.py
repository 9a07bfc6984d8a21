"""Where a face wears a beard, as far as its colours tell.

A beard is the face's own and no shadow: it must not be taken for the light that the face stands in,
or a swap would paint one person's beard on the other as a shade, and bleach the other's.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..core.geometry.landmarks import NOSE
from ..core.geometry.layout import UVLayout
from ..core.geometry.sampling import sample_bilinear
from .occlusion import average_lab
from .regions import ramp, soften

__all__ = ["beard_share"]

_BELOW_NOSE = (0.0, 0.6)  # cm: from there on beards grow
_AROUND = 28.0  # texels of 256: what skin looks like there follows from the cheeks and the nose
_DARKER = (0.08, 0.2)  # share of the skin's lightness: from shading to stubble to a beard
_BLUR = 3.0  # texels of 256


def beard_share(
    lab: Float[Array, "size size 3"],
    seen: Float[Array, "size size"],
    own: Float[Array, "size size"],
    layout: UVLayout,
) -> Float[Array, "size size"]:
    """Return 1 where a beard grows: below the nose, darker than skin, on both sides of the face.

    A shadow that one side of the nose or the chin casts is on one side.

    Args:
        lab: Oklab of the photo's colours at the texels.
        seen: 1 where the photo shows the skin.
        own: the same if nothing but the face itself could hide it; where it does, one side tells.
        layout: UV layout.
    """
    texel = layout.size / 256
    points = sample_bilinear(layout.canonical, layout.landmark_uv * layout.size - 0.5)
    zone = ramp(layout.canonical[..., 1] - points[NOSE, 1].max(), _BELOW_NOSE)
    skin = seen * layout.region("skin")
    expected = average_lab(lab, (skin * (1.0 - zone))[..., None], _AROUND * texel)[..., 0]
    dark = skin * ramp(1.0 - lab[..., 0] / jnp.maximum(expected, 0.05), _DARKER)
    blurred = soften(jnp.stack([dark, skin], axis=-1), _BLUR * texel)
    dark = seen * blurred[..., 0] / jnp.maximum(blurred[..., 1], 1e-3)
    beside, shown = jnp.moveaxis(layout.mirror(jnp.stack([dark, own], axis=-1)), -1, 0)
    return zone * dark * (1.0 - shown * (1.0 - beside))
