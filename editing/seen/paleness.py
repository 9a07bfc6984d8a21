"""How pale skin is, whatever light it stands in: told by the eyes and brows within it.

Skin may be dark in a photo because it is dark, or because the light is dim. Whites of eyes and
black hair are much the same in all people and stand in the same light.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from ...core.geometry.layout import UVLayout
from ...core.geometry.scales import enlarge, pool
from ..light import skin_level

__all__ = ["PALE", "skin_paleness"]

# In photos of one studio the darkest skin has 0.54, most light skin 0.85 to 1. What is beyond is an
# eye that is closed or in the shade of its lids.
PALE = 0.95
_BLACK = 0.38  # of the whites' Oklab L: no hair is darker, so that skin beside it cannot be either
# The 10 % quantile: the brightest (darkest) texels of an eye (a brow), without glints.
_WHITE, _DARKEST = 0.1, 0.1
_MOST = 256  # one of so many texels may be; 47 of 128 x 128 are
_INSIDE = 0.5
_SEEN = 0.5
_FEW = 20  # texels of eyes that must be seen
_LEVEL_TEXELS = 64  # along a side, of the skin around


def skin_paleness(
    lab: Float[Array, "size size 3"],
    skin: Float[Array, "size size"],
    seen: Float[Array, "size size"],
    self_visibility: Float[Array, "size size"],
    layout: UVLayout,
) -> Array:
    """Return the lightness of the skin around eyes relative to that of their whites.

    Args:
        lab: Oklab of the texels.
        skin: 1 where the photo shows the texel's skin.
        seen: 1 where it shows the face.
        self_visibility: 1 where the texel faces the camera and the face does not hide it.
        layout: UV layout.

    Returns:
        Scalar, Oklab L by Oklab L, at most `PALE`, and `PALE` where no eye is seen or the layout
        has none.
    """
    if "eyeballs" not in layout.regions:
        return jnp.float32(PALE)
    light, weight = lab[..., :1], skin[..., None]
    small = pool(jnp.concatenate([light * weight, weight], axis=-1), _LEVEL_TEXELS)
    level = skin_level(small[..., :1] / jnp.maximum(small[..., 1:], 1e-6), small[..., 1:])
    relative = (light / jnp.maximum(enlarge(level, layout.size), 1e-3))[..., 0]
    is_eye = (layout.region("eyeballs") > _INSIDE) & (self_visibility > _SEEN)
    white = _quantile(relative, is_eye, _WHITE)
    is_brow = (layout.region("brows") > _INSIDE) & (seen > _SEEN)
    hair = -_quantile(-relative, is_brow, _DARKEST)
    pale = jnp.maximum(1.0 / white, _BLACK / jnp.maximum(hair, 1e-3))
    return jnp.where(is_eye.sum() >= _FEW, jnp.minimum(pale, PALE), PALE)


def _quantile(values: Array, where: Array, share: float) -> Array:
    """Return what a share of some values ``[S, S]`` are above; -inf where there are none."""
    most = values.size // _MOST
    greatest, _ = lax.top_k(jnp.where(where, values, -jnp.inf).reshape(-1), most)
    rank = jnp.minimum(share * where.sum(dtype=jnp.float32), most - 1.0)
    return greatest[rank.astype(jnp.int32)]
