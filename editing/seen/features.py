"""Where a layout has what is not plain skin: brows, corners of the mouth, eyes and lips."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ...core.geometry.landmarks import MOUTH_CORNERS
from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp, smooth_step
from ...core.geometry.texels import texel_uv
from ..regions import soften

__all__ = ["brow_area", "corner_area", "spared_share"]

_BROW_BLUR = 2.5  # texels of 256: brows may lie that far beside their texels
_BROW = 0.5  # of their average: from there on hair may be one's brow
_CORNER = (8.0, 15.0)  # texels of 256 around the landmarks
# What paler skin gains and these do not. Between London photos of dark and of pale skin it is 0.43
# for lips, but lips that stand out less from dark skin are part of what one knows a face by.
_SPARED = {"eyeballs": 1.0, "mouth_interior": 1.0, "lips": 0.25}


def brow_area(layout: UVLayout) -> Float[Array, "size size"]:
    """Return 1 where brows grow, and 0 some texels off."""
    around = soften(layout.region("brows")[..., None], _BROW_BLUR * layout.size / 256)[..., 0]
    return smooth_step(around / _BROW)


def corner_area(layout: UVLayout) -> Float[Array, "size size"]:
    """Return 1 where lips meet at the sides: neither lip nor skin looks like that."""
    corners = layout.landmark_uv[MOUTH_CORNERS][:, None, None]
    distance = 256 * jnp.linalg.norm(texel_uv(layout.size) - corners, axis=-1).min(axis=0)
    return 1.0 - ramp(distance, _CORNER)


def spared_share(layout: UVLayout) -> Float[Array, "size size"]:
    """Return the share of what paler skin gains that is not gained: 1 for eyes and teeth."""
    parts = [share * layout.regions[n] for n, share in _SPARED.items() if n in layout.regions]
    return sum(parts, start=jnp.zeros((layout.size, layout.size)))
