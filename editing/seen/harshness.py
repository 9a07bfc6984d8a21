"""How harsh the light is that a face stands in, as far as both of its sides show it.

A lamp from the side makes one cheek dark, the other bright, and draws the shadows of nose and brows
as sharply as features. In the light of a studio both sides are alike.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp
from .occlusion import BOTH_SEEN, average_lab

__all__ = ["light_harshness", "profile_share"]

_BLUR = 14.0  # texels of 256
# Mean difference of both sides, of the skin's lightness: up to 0.07 in photos of one studio (184),
# 0.02 to 0.09 in passport photos, 0.19 to 1.3 where one sees a lamp at the side.
_ONE_SIDED = (0.1, 0.25)
# Share of the seen skin whose other side is seen, too: up to 0.11 in profiles, 0.4 at 50 degrees.
_PROFILE = (0.12, 0.35)


def light_harshness(
    lab: Float[Array, "size size 3"], skin: Float[Array, "size size"], layout: UVLayout
) -> Float[Array, ""]:
    """Return 0 for light from all sides or from the front, 1 for a lamp at the side.

    Args:
        lab: Oklab of the photo's colours at the texels.
        skin: 1 where the photo shows the texel's skin.
        layout: UV layout.

    Returns:
        Scalar; 0 for a profile, which does not tell.
    """
    level = average_lab(lab, skin[..., None], _BLUR * layout.size / 256)[..., 0]
    beside, shown = jnp.moveaxis(layout.mirror(jnp.stack([level, skin], axis=-1)), -1, 0)
    both = skin * shown
    one_sided = (both * jnp.abs(level - beside)).sum() / jnp.maximum((both * level).sum(), 1e-6)
    share = both.sum() / jnp.maximum(skin.sum(), 1e-6)
    return ramp(one_sided, _ONE_SIDED) * ramp(share, BOTH_SEEN)


def profile_share(skin: Float[Array, "size size"], layout: UVLayout) -> Float[Array, ""]:
    """Return 1 for a face of which one side is shown, 0 if a part of the other one is, too.

    Args:
        skin: 1 where the photo shows the texel's skin.
        layout: UV layout.
    """
    shown = layout.mirror(skin[..., None])[..., 0]
    return 1.0 - ramp((skin * shown).sum() / jnp.maximum(skin.sum(), 1e-6), _PROFILE)
