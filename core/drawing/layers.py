"""What each photo pixel shows of a face's surface: normal, depth, place in the UV layout."""

from __future__ import annotations

import functools
from collections.abc import Callable

import cv2
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..geometry.layout import UVLayout
from ..geometry.render import render_texture
from ..geometry.texels import texel_uv
from ..geometry.visibility import normals
from ..geometry.window import window_origin
from ..traced import keep_traced
from ..types import Face

__all__ = ["canonical_code", "depth_map", "draw_surface", "normal_map", "pncc_map"]

_TILE = 2048  # pixels along each side, at most, that are drawn at once


def draw_surface(
    position_map: Float[Array | np.ndarray, "size size 3"],
    layout: UVLayout,
    origin: Int[Array | np.ndarray, " 2"],
    *,
    side: int,
) -> Float[Array, "{side} {side} 7"]:
    """Return normal (3), depth, u, v and coverage at the pixels of a window.

    Args:
        position_map: texel to photo position.
        layout: its UV layout.
        origin: photo pixel (x, y) of the window's first pixel.
        side: pixels of the window along each side.
    """
    drawn: Array = _surface_drawer(side)(position_map, layout, origin)
    return drawn


@functools.cache
def _surface_drawer(side: int) -> Callable[..., Array]:
    draw = functools.partial(_draw_surface, side=side)
    return keep_traced(draw, key=f"surface {side}", like=0)


def _draw_surface(
    position_map: Array, layout: UVLayout, origin: Array, *, side: int
) -> Float[Array, "{side} {side} 7"]:
    channels = [normals(position_map, layout), position_map[..., 2:], texel_uv(layout.size)]
    drawn, coverage = render_texture(
        jnp.concatenate(channels, axis=-1),
        position_map,
        layout,
        height=side,
        width=side,
        origin=origin,
    )
    return jnp.concatenate([drawn, coverage[..., None]], axis=-1)


def _draw(
    face: Face,
    layout: UVLayout,
    size: tuple[int, int],
    shown: Callable[[Float[np.ndarray, "side side 7"]], Float[np.ndarray, "side side c"]],
    *,
    channels: int,
) -> Float[np.ndarray, "height width c"]:
    """Return what is shown of the drawn surface in a picture of the photo's size; else 0.

    A large face is drawn tile by tile: what is in between takes many times the memory of a tile.
    Tiles that lie outside the picture are left out.
    """
    points = np.asarray(face.position_map)[..., :2][np.asarray(layout.mask) > 0.5]
    first, side = window_origin(points)
    tile = -(-side // -(-side // _TILE))
    whole = np.zeros((*size, channels), dtype=np.float32)
    for step in np.ndindex(-(-side // tile), -(-side // tile)):
        origin = np.asarray(first, np.int32) + tile * np.asarray(step, np.int32)
        if (origin <= -tile).any() or (origin >= size[::-1]).any():
            continue
        drawn = np.asarray(draw_surface(face.position_map, layout, origin, side=tile))
        _paste(whole, shown(drawn), (int(origin[0]), int(origin[1])))
    return whole


def _paste(
    whole: Float[np.ndarray, "height width c"],
    window: Float[np.ndarray, "side side c"],
    first: tuple[int, int],
) -> None:
    """Put a window into a picture of the photo's size; any part of it may lie outside."""
    (left, top), side = first, window.shape[0]
    rows = slice(*np.clip((top, top + side), 0, whole.shape[0]))
    columns = slice(*np.clip((left, left + side), 0, whole.shape[1]))
    whole[rows, columns] = window[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]


def depth_map(
    face: Face, layout: UVLayout, *, height: int, width: int
) -> tuple[Float[np.ndarray, "{height} {width}"], Float[np.ndarray, "{height} {width}"]]:
    """Return depth (photo pixels, larger is nearer, 0 off the face) and coverage (0 or 1)."""
    whole = _draw(face, layout, (height, width), lambda drawn: drawn[..., [3, 6]], channels=2)
    return whole[..., 0], whole[..., 1]


def normal_map(
    face: Face, layout: UVLayout, *, height: int, width: int
) -> Float[np.ndarray, "{height} {width} 3"]:
    """Return unit normals as colours: x right, y up, z to the camera, each 0.5 + n / 2; else 0."""
    return _draw(face, layout, (height, width), _normal_colors, channels=3)


def _normal_colors(drawn: Float[np.ndarray, "side side 7"]) -> Float[np.ndarray, "side side 3"]:
    length = np.linalg.norm(drawn[..., :3], axis=-1, keepdims=True)
    unit = drawn[..., :3] / np.maximum(length, 1e-6) * [1.0, -1.0, 1.0]
    colors = (0.5 + 0.5 * unit) * (drawn[..., 6:] > 0.5)
    return colors.astype(np.float32)


def canonical_code(layout: UVLayout) -> Float[np.ndarray, "size size 3"]:
    """Return each texel's place on the mean face, x, y and z each from 0 to 1 over the face."""
    canonical, is_face = np.asarray(layout.canonical), np.asarray(layout.mask) > 0.5
    low, high = canonical[is_face].min(axis=0), canonical[is_face].max(axis=0)
    return ((canonical - low) / (high - low)).astype(np.float32)


def pncc_map(
    face: Face, layout: UVLayout, *, height: int, width: int
) -> Float[np.ndarray, "{height} {width} 3"]:
    """Return the projected normalised coordinate code: which point of the mean face a pixel shows.

    The canonical position's x, y and z, each from its least (0) to its greatest (1) over the face.

    References:
        X. Zhu et al., "Face Alignment Across Large Poses: A 3D Solution", 2016, section 3.2.
    """
    code = canonical_code(layout)

    def codes(drawn: Float[np.ndarray, "side side 7"]) -> Float[np.ndarray, "side side 3"]:
        column, row = (drawn[..., k] * layout.size - 0.5 for k in (4, 5))
        places = (column.astype(np.float32), row.astype(np.float32))
        colors = cv2.remap(code, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(colors * (drawn[..., 6:] > 0.5))

    return _draw(face, layout, (height, width), codes, channels=3)
