"""Which texels the camera sees: surface normals and a z-buffer.

Convention:
    Normals point out of the face, in the photo frame: a normal with z > 0 faces the camera.
    Visibility is 1 where a texel is seen, 0 where the face hides it or it faces away, and falls
    smoothly in between: where the surface is seen at grazing angles, and within about two texels
    (of 256) of the edge of what hides it. What a photo's border cuts off is for `in_photo` to say.

References:
    L. Williams, "Casting Curved Shadows on Curved Surfaces", 1978 (depth test with a bias).
    W. Reeves et al., "Rendering Antialiased Shadows with Depth Maps", 1987 (averaging the tests
    of neighbouring pixels, not their depths).
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int

from ..compilation import computed_once
from .coarse import coarse_layout
from .layout import UVLayout
from .ramps import ramp
from .rasterize import rasterize
from .scales import pool

__all__ = ["in_photo", "normals", "visibility"]

_GRAZING = (0.08, 0.30)  # cosine between normal and view: visibility rises from 0 to 1
_BIAS = 0.010  # of the face's extent: depth by which a texel may lie behind the z-buffer
_STEEPEST = 4.0  # slope of depth that the test still follows
_HIDING_TEXELS = 128  # along a side: points of the surface that may hide others
_BORDER = 2  # texels of 256 beyond a photo's border that count as in it


def _difference(map_: Array, mask: Array, axis: int) -> Array:
    """Return differences between neighbours, from those neighbours that lie on the mask."""
    step = jnp.diff(map_, axis=axis)
    first, last = [slice(None)] * 2, [slice(None)] * 2
    first[axis], last[axis] = slice(None, -1), slice(1, None)
    weight = (mask[tuple(first)] * mask[tuple(last)])[..., None]
    before, after = [(0, 0)] * 3, [(0, 0)] * 3
    before[axis], after[axis] = (1, 0), (0, 1)
    total = jnp.pad(step * weight, before) + jnp.pad(step * weight, after)
    count = jnp.pad(weight, before[:3]) + jnp.pad(weight, after[:3])
    return total / jnp.maximum(count, 1e-6)


def normals(
    position_map: Float[Array, "size size 3"], layout: UVLayout
) -> Float[Array, "size size 3"]:
    """Return unit normals of the surface at the texels; (0, 0, 0) where there is no surface."""
    along_u = _difference(position_map, layout.mask, 1)
    along_v = _difference(position_map, layout.mask, 0)
    normal = jnp.cross(along_u, along_v)
    length = jnp.linalg.norm(normal, axis=-1, keepdims=True)
    return jnp.where(length > 1e-12, normal / jnp.maximum(length, 1e-12), 0.0)


def _raster_frame(position_map: Array, mask: Array, side: int) -> tuple[Array, Array, Array]:
    """Return origin, scale and extent that let the face fill a raster."""
    is_face = mask[..., None] > 0.5
    low = jnp.where(is_face, position_map, jnp.inf).min(axis=(0, 1))
    high = jnp.where(is_face, position_map, -jnp.inf).max(axis=(0, 1))
    extent = jnp.maximum((high - low)[:2].max(), 1e-6)
    scale = (side - 4.0) / extent
    return low, scale, extent * scale


def _depth_test(points: Array, normal: Array, depth: Array, bias: Array) -> Array:
    """Return the share of the four pixels around each point whose depth does not hide it."""
    side = depth.shape[0]
    whole = jnp.floor(points[..., :2])
    part = points[..., :2] - whole
    base = jnp.clip(whole.astype(jnp.int32), 0, side - 2)
    steep = jnp.clip(-normal[..., :2] / jnp.maximum(normal[..., 2:], 1e-3), -_STEEPEST, _STEEPEST)
    flat = depth.reshape(-1)
    share = jnp.zeros(points.shape[:-1], jnp.float32)
    for i in range(2):
        for j in range(2):
            offset = jnp.array([j, i], dtype=jnp.float32) - part
            plane = points[..., 2] + (steep * offset).sum(axis=-1)
            found = flat[(base[..., 1] + i) * side + base[..., 0] + j]
            weight = (1.0 - jnp.abs(offset)).prod(axis=-1)
            allowed = bias + 0.5 * jnp.abs(steep).sum(axis=-1)
            share += weight * jnp.clip((plane + 2.0 * allowed - found) / allowed, 0.0, 1.0)
    return share


def visibility(
    position_map: Float[Array, "size size 3"], layout: UVLayout
) -> Float[Array, "size size"]:
    """Return how well each texel is seen by the camera, in [0, 1].

    Args:
        position_map: texel to photo position, pixels, of the layout's size.
        layout: UV layout.

    Returns:
        1 where the texel is seen, 0 where it is hidden, faces away or lies off the face.
    """
    side = layout.size  # of the z-buffer, pixels
    # A quarter of the triangles takes less than half of the time, and moves the edge of what is
    # hidden by less than the surface is known.
    coarse, hiding = coarse_layout(layout, _HIDING_TEXELS), pool(position_map, _HIDING_TEXELS)
    origin, scale, extent = _raster_frame(hiding, coarse.mask, side)
    points, hiding = (scale * (map_ - origin) + 1.5 for map_ in (position_map, hiding))
    fragments = rasterize(hiding.reshape(-1, 3), coarse.triangles, height=side, width=side)
    normal = normals(position_map, layout)
    facing = ramp(normal[..., 2], _GRAZING)
    depth = computed_once(jnp.maximum(fragments.depth, jnp.finfo(jnp.float32).min))
    share = _depth_test(points, normal, depth, _BIAS * extent)
    return facing * share * layout.mask


def in_photo(
    position_map: Float[Array, "size size 3"], photo_size: Int[Array, " 2"]
) -> Float[Array, "size size"]:
    """Return 1 at the texels that lie in a photo, or next to such, and 0 at the others.

    What is drawn between texels then reaches the border itself.

    Args:
        position_map: texel to photo position, pixels.
        photo_size: width and height, pixels.
    """
    places = position_map[..., :2]
    last = photo_size.astype(jnp.float32) - 0.5
    is_in = ((places >= -0.5) & (places <= last)).all(axis=-1)
    reach = 2 * round(_BORDER * position_map.shape[0] / 256) + 1
    return lax.reduce_window(
        is_in.astype(jnp.float32), 0.0, lax.max, (reach, reach), (1, 1), "SAME"
    )
