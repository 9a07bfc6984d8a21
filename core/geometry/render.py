"""Rendering UV images into the photo: every pixel looks its colour up in the texture.

Convention:
    The mesh of a layout has one vertex per texel, at the texel's photo position. A pixel's UV is
    interpolated in its triangle and read from the texture, whose size may differ from the
    layout's. Channels beyond RGB (masks, depth, weights) travel along: one pass draws all.
    Windows: the photo position of window pixel (x, y) is (x, y) + origin.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int

from ..types import Fragments
from .layout import UVLayout
from .rasterize import rasterize
from .sampling import resize_map, sample_bilinear

__all__ = ["rasterize_layout", "render_texture", "uv_at_pixels"]


def rasterize_layout(
    position_map: Float[Array, "size size 3"],
    layout: UVLayout,
    *,
    height: int,
    width: int,
    origin: Int[Array, " 2"] | None = None,
) -> Fragments:
    """Rasterise the layout's mesh at the positions of a position map of any size."""
    vertices = resize_map(position_map, layout.size).reshape(-1, 3)
    return rasterize(vertices, layout.triangles, height=height, width=width, origin=origin)


def uv_at_pixels(fragments: Fragments, layout: UVLayout) -> Float[Array, "height width 2"]:
    """Return the UV coordinates at the pixels; meaningless where nothing covers a pixel."""
    corners = layout.triangles[jnp.maximum(fragments.triangle, 0)]
    row, column = corners // layout.size, corners % layout.size
    weights = fragments.barycentric
    u = (weights * column.astype(jnp.float32)).sum(axis=-1)
    v = (weights * row.astype(jnp.float32)).sum(axis=-1)
    return (jnp.stack([u, v], axis=-1) + 0.5) / layout.size


def render_texture(
    texture: Float[Array, "texels texels c"],
    position_map: Float[Array, "size size 3"],
    layout: UVLayout,
    *,
    height: int,
    width: int,
    origin: Int[Array, " 2"] | None = None,
) -> tuple[Float[Array, "{height} {width} c"], Float[Array, "{height} {width}"]]:
    """Draw a texture with the geometry of a position map.

    Args:
        texture: UV image of any size and any number of channels.
        position_map: texel to photo position, pixels.
        layout: the UV layout of both.
        height: rows of the picture, or of the window; static.
        width: columns; static.
        origin: photo pixel (x, y) of the window's first pixel, may be traced; default (0, 0).

    Returns:
        The drawn channels, 0 outside the face, and the coverage: 1 where the face is, else 0.
    """
    fragments = rasterize_layout(position_map, layout, height=height, width=width, origin=origin)
    points = uv_at_pixels(fragments, layout) * texture.shape[0] - 0.5
    coverage = fragments.is_covered.astype(jnp.float32)
    return sample_bilinear(texture, points) * coverage[..., None], coverage
