"""Where a layout has what is not plain skin: brows, corners of the mouth, eyes and lips."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ...core.geometry.landmarks import MOUTH_CORNERS, NOSE_BASE, NOSE_TIP
from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp, smooth_step
from ...core.geometry.texels import texel_uv
from ..regions import soften

__all__ = ["brow_area", "corner_area", "spared_share", "underside_area"]

_BROW_BLUR = 2.5  # texels of 256: brows may lie that far beside their texels
_BROW = 0.5  # of their average: from there on hair may be one's brow
_CORNER = (8.0, 15.0)  # texels of 256 around the landmarks
_UNDERSIDE = (9.0, 13.0)  # the same around a nose's underside, halfway from its base to the tip
# What paler skin gains and these do not. Between London photos of dark and of pale skin it is 0.43
# for lips, but lips that stand out less from dark skin are part of what one knows a face by.
_SPARED = {"eyeballs": 1.0, "mouth_interior": 1.0, "lips": 0.25}


def brow_area(layout: UVLayout) -> Float[Array, "size size"]:
    """Return 1 where brows grow, and 0 some texels off."""
    around = soften(layout.region("brows")[..., None], _BROW_BLUR * layout.size / 256)[..., 0]
    return smooth_step(around / _BROW)


def corner_area(layout: UVLayout) -> Float[Array, "size size"]:
    """Return 1 where lips meet at the sides: neither lip nor skin looks like that."""
    return _near(layout.landmark_uv[MOUTH_CORNERS], _CORNER, layout.size)


def underside_area(layout: UVLayout) -> Float[Array, "size size"]:
    """Return 1 from the tip of the nose to its base, around the nostrils: noses that hang hide it.

    In PRNet's layout, whose nose is smaller, the wings are in it, too.
    """
    points = 0.5 * (layout.landmark_uv[NOSE_BASE] + layout.landmark_uv[NOSE_TIP])
    return _near(points, _UNDERSIDE, layout.size)


def _near(
    points: Float[Array, "n 2"], texels: tuple[float, float], size: int
) -> Float[Array, "size size"]:
    """Return 1 within some texels of 256 of points, 0 beyond some more."""
    away = jnp.linalg.norm(texel_uv(size) - points[:, None, None], axis=-1).min(axis=0)
    return 1.0 - ramp(256 * away, texels)


def spared_share(layout: UVLayout) -> Float[Array, "size size"]:
    """Return the share of what paler skin gains that is not gained: 1 for eyes and teeth."""
    parts = [share * layout.regions[n] for n, share in _SPARED.items() if n in layout.regions]
    return sum(parts, start=jnp.zeros((layout.size, layout.size)))
