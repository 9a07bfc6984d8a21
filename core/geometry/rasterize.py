"""Rasteriser: which triangle covers each pixel, where in the triangle, and how far away.

Every triangle tests the 4x4-pixel tiles of a square window that holds its bounding box. Triangles
are sorted into classes by the side of that window, then one loop draws a fixed number of tiles at
a time, for as long as there are triangles: nothing is dropped, whatever their number and size. A
step writes one ``uint32`` per covered pixel, quantised depth in the high bits and triangle number
in the low ones, by a scatter-maximum; shading then gathers per pixel.

Convention:
    x right, y down, pixel centres at integers, larger z is nearer. A triangle faces the camera
    when it is listed counter-clockwise on the screen, ``(x1-x0)(y2-y0) - (x2-x0)(y1-y0) < 0``;
    others are skipped. Vertices are snapped to 1/1024 pixel (beyond 16,384 pixels float32 itself
    is coarser: 1/256 pixel at 60,000) and edges are tested in exact integer arithmetic with the
    top-left rule, so that a pixel centre on a shared edge belongs to exactly one of the two
    triangles. Depth has 32 bits less those of the triangle number (16 for 65,000 triangles),
    spread over the range of z.

References:
    J. Pineda, "A Parallel Algorithm for Polygon Rasterization", 1988 (edge functions).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int

from ..types import Fragments

__all__ = ["interpolate", "rasterize"]

_BITS = 10
SUBPIXELS = 1 << _BITS  # vertices are snapped to this fraction of a pixel
_LIMIT = 20000.0  # pixels from the window's first, where coordinates end, so that 32 bits suffice
_TILE = 4  # pixels along the side of a tile
_SIDES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # classes: tiles along the side of a window
_STEP = 2048  # tiles drawn in one step; at least the square of the last class
_SORT_ROWS = 128  # rows of the counting sort
_FAR = 1 << 30  # an edge function as large as this has its sign over the whole tile


_Arrays = TypeVar("_Arrays", bound=tuple[Array, ...])


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Setup:
    """Triangles ready to be drawn."""

    x: Array  # [3, T] int32, snapped
    y: Array  # [3, T] int32
    z: Array  # [3, T] float32, photo pixels
    left: Array  # [T] int32, first column of the window
    top: Array  # [T] int32, first row of the window
    side: Array  # [T] int32, tiles along the window's side; 0 where nothing is to be drawn


def _cross(ax: Array, ay: Array, bx: Array, by: Array) -> Array:
    """Return ``ay bx - ax by`` of integer vectors as float32."""
    f = jnp.float32
    return ay.astype(f) * bx.astype(f) - ax.astype(f) * by.astype(f)


def _exact(rough: Array, wrapped: Array) -> Array:
    """Return an integer known roughly and modulo 2^32; beyond 2^30 only its sign is kept."""
    far = jnp.where(rough > 0, _FAR, -_FAR).astype(jnp.int32)
    return jnp.where(jnp.abs(rough) > _FAR, far, wrapped)


def _always(count: Array, compute: Callable[[], _Arrays]) -> _Arrays:
    """Return ``compute()``, as arrays in memory.

    A branch that is always taken (``count`` is never negative): XLA would otherwise repeat the
    work inside every loop that uses its result, such as once for each pixel of a tile.
    """
    zeros = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), jax.eval_shape(compute))
    return lax.cond(count >= 0, compute, lambda: zeros)


def _setup(vertices: Array, triangles: Array, origin: Array, size: tuple[int, int]) -> _Setup:
    """Snap the vertices and find each triangle's window."""
    height, width = size
    is_finite = jnp.isfinite(vertices).all(axis=-1)
    plane = jnp.where(is_finite[:, None], vertices[:, :2], 0.0)
    # Snapped in the photo, so that windows agree; clamped in the window, wherever that lies.
    snapped = jnp.round(plane * SUBPIXELS) - origin.astype(jnp.float32) * SUBPIXELS
    end = _LIMIT * SUBPIXELS
    snapped = jnp.clip(snapped, -end, end).astype(jnp.int32)
    depth = jnp.where(is_finite, vertices[:, 2], jnp.nan)
    corners = triangles.T
    x, y, z = _always(
        corners[0, 0], lambda: (snapped[:, 0][corners], snapped[:, 1][corners], depth[corners])
    )
    left = jnp.maximum(-((-x.min(axis=0)) >> _BITS), 0)
    top = jnp.maximum(-((-y.min(axis=0)) >> _BITS), 0)
    columns = jnp.minimum(x.max(axis=0) >> _BITS, width - 1) - left + 1
    rows = jnp.minimum(y.max(axis=0) >> _BITS, height - 1) - top + 1
    dx, dy, qx, qy = x[1] - x[0], y[1] - y[0], x[2] - x[0], y[2] - y[0]
    is_drawn = _exact(_cross(dx, dy, qx, qy), dy * qx - dx * qy) > 0
    is_drawn &= (columns > 0) & (rows > 0) & ~jnp.isnan(z.sum(axis=0))
    side = (jnp.maximum(columns, rows) + (_TILE - 1)) // _TILE
    return _Setup(x=x, y=y, z=z, left=left, top=top, side=jnp.where(is_drawn, side, 0))


def _sort_by_class(side: Array) -> tuple[Array, Array]:
    """Return triangle numbers grouped by class, and where each class starts ``[classes + 1]``.

    Class 0 is not drawn. A counting sort: the rows of a table are counted one after the other.
    """
    count = len(_SIDES) + 2
    kind = sum(((side > bound).astype(jnp.int32) for bound in (0, *_SIDES)), start=0 * side)
    columns = -(-side.shape[0] // _SORT_ROWS)
    padding = _SORT_ROWS * columns - side.shape[0]
    table = jnp.pad(kind, (0, padding)).reshape(_SORT_ROWS, columns)
    kinds = jnp.arange(count, dtype=jnp.int32)[:, None]

    def step(counts: Array, row: Array) -> tuple[Array, Array]:
        is_kind = (row == kinds).astype(jnp.int32)
        return counts + is_kind, (counts * is_kind).sum(axis=0, dtype=jnp.int32)

    counts, rank = lax.scan(step, jnp.zeros((count, columns), jnp.int32), table)
    ends = jnp.cumsum(counts.reshape(-1))
    starts = ends - counts.reshape(-1)
    place = rank + starts[table * columns + jnp.arange(columns, dtype=jnp.int32)]
    numbers = jnp.arange(_SORT_ROWS * columns, dtype=jnp.int32)
    order = jnp.zeros_like(numbers).at[place.reshape(-1)].set(numbers, unique_indices=True)
    return order, jnp.append(starts.reshape(count, columns)[:, 0], ends[-1])


def _edge_at(ax: Array, ay: Array, bx: Array, by: Array, column: Array, row: Array) -> Array:
    """Return the edge function of (a, b) at a pixel centre, divided by SUBPIXELS, rounded down.

    It is >= 0 where the pixel centre lies inside, or on a left or top edge. One column further it
    grows by ``by - ay``, one row further by ``ax - bx``. Coordinates are split into whole pixels
    and fractions, so that no product that matters exceeds 32 bits.
    """
    dx, dy = bx - ax, by - ay
    is_owned = (dy > 0) | ((dy == 0) & (dx < 0))
    low = SUBPIXELS - 1
    fraction_x, fraction_y = ax & low, ay & low
    rest = (dx & low) * fraction_y - (dy & low) * fraction_x - jnp.where(is_owned, 0, 1)
    shift = (dx >> _BITS) * fraction_y - (dy >> _BITS) * fraction_x + (rest >> _BITS)
    qx, qy = column - (ax >> _BITS), row - (ay >> _BITS)
    rough = _cross(dx, dy, qx, qy) + shift.astype(jnp.float32)
    return _exact(rough, dy * qx - dx * qy + shift)


def _depth_slopes(x: Array, y: Array, z: Array) -> tuple[Array, Array]:
    """Return the slopes of depth per pixel, ``[B]`` each, from corners ``[3, B]``."""
    area = jnp.minimum(-_cross(x[1] - x[0], y[1] - y[0], x[2] - x[0], y[2] - y[0]), -1.0)
    z1, z2 = (z[1] - z[0]) * (SUBPIXELS / area), (z[2] - z[0]) * (SUBPIXELS / area)
    x1, y1, x2, y2 = ((a[k] - a[0]).astype(jnp.float32) for k in (1, 2) for a in (x, y))
    return z1 * y2 - z2 * y1, z2 * x1 - z1 * x2


def _tile_planes(setup: _Setup, chosen: Array, tile: Array, side: Array) -> tuple[Array, Array]:
    """Return what a tile of each chosen triangle needs, to be evaluated at its pixels.

    Returns:
        Column, row, then value, slope right and slope down of three edges ``[11, B]`` int32;
        value, slopes, least and greatest depth ``[5, B]`` float32.
    """
    x, y, z = setup.x[:, chosen], setup.y[:, chosen], setup.z[:, chosen]
    column = setup.left[chosen] + _TILE * (tile % side)
    row = setup.top[chosen] + _TILE * (tile // side)
    edges = [column, row]
    for a, b in ((0, 1), (1, 2), (2, 0)):
        value = _edge_at(x[a], y[a], x[b], y[b], column, row)
        edges += [value, y[b] - y[a], x[a] - x[b]]
    f = jnp.float32
    right, down = _depth_slopes(x, y, z)
    depth = z[0] + right * (column.astype(f) - x[0].astype(f) / SUBPIXELS)
    depth += down * (row.astype(f) - y[0].astype(f) / SUBPIXELS)
    return jnp.stack(edges), jnp.stack([depth, right, down, z.min(axis=0), z.max(axis=0)])


def _tile_pixels(edges: Array, plane: Array, size: tuple[int, int]) -> tuple[Array, Array, Array]:
    """Return pixel index, cover and depth ``[4, 4, B]`` of tiles."""
    height, width = size
    right = jnp.arange(_TILE, dtype=jnp.int32)[None, :, None]
    down = jnp.arange(_TILE, dtype=jnp.int32)[:, None, None]
    column, row = edges[0] + right, edges[1] + down
    sign = jnp.minimum(width - 1 - column, height - 1 - row)
    for k in (2, 5, 8):
        sign |= edges[k] + right * edges[k + 1] + down * edges[k + 2]
    depth = plane[0] + right.astype(plane.dtype) * plane[1] + down.astype(plane.dtype) * plane[2]
    return row * width + column, sign >= 0, jnp.clip(depth, plane[3], plane[4])


def _draw(setup: _Setup, size: tuple[int, int]) -> Array:
    """Return the number of the nearest triangle at each pixel, ``[H * W]``, -1 where none is."""
    order, starts = _sort_by_class(setup.side)
    bits = order.shape[0].bit_length()
    far = jnp.nanmin(setup.z, initial=jnp.inf)
    near = jnp.nanmax(setup.z, initial=-jnp.inf)
    levels = ((1 << (32 - bits)) - 256) / jnp.maximum(near - far, 1e-20)
    sides = jnp.array((1, *_SIDES, 0), dtype=jnp.int32)
    slots = jnp.arange(_STEP, dtype=jnp.int32)

    def keys(
        place: Array, tile: Array, side: Array, is_used: Array, position: Array
    ) -> tuple[Array, Array]:
        chosen = order[jnp.minimum(place, order.shape[0] - 1)]
        edges, plane = _always(position, lambda: _tile_planes(setup, chosen, tile, side))
        index, is_inside, depth = _tile_pixels(edges, plane, size)
        key = ((depth - far) * levels).astype(jnp.uint32) << bits
        index = jnp.where(is_inside & is_used, index, size[0] * size[1])
        return index, key | (chosen + 1).astype(jnp.uint32)

    def step(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        position, first, pixels = state
        kind = (position >= starts[1:]).sum(dtype=jnp.int32)
        side = jnp.where(kind > len(_SIDES), setup.side[order[position]], sides[kind])
        total = side * side
        together = jnp.minimum(total, _STEP)  # tiles of one triangle in this step
        after = jnp.minimum(position + _STEP // together, starts[kind + 1])
        place, tile = position + slots // together, first + slots % together
        index, key = _always(
            first,
            lambda: keys(place, tile, side, (place < after) & (tile < total), position),
        )
        pixels = pixels.at[index.reshape(-1)].max(key.reshape(-1), mode="drop")
        is_done = first + together >= total
        return jnp.where(is_done, after, position), jnp.where(is_done, 0, first + together), pixels

    start = (starts[1], jnp.int32(0), jnp.zeros(size[0] * size[1], jnp.uint32))
    pixels = lax.while_loop(lambda state: state[0] < starts[-1], step, start)[2]
    return (pixels & jnp.uint32((1 << bits) - 1)).astype(jnp.int32) - 1


def _shade(setup: _Setup, number: Array) -> Fragments:
    """Compute barycentric weights and depth at the pixels from the triangle numbers."""
    height, width = number.shape
    row = jnp.arange(height, dtype=jnp.int32)[:, None] * SUBPIXELS
    column = jnp.arange(width, dtype=jnp.int32)[None] * SUBPIXELS
    is_covered = number >= 0
    safe = jnp.maximum(number, 0)
    x, y, z = setup.x[:, safe], setup.y[:, safe], setup.z[:, safe]
    weights = []
    for a, b in ((1, 2), (2, 0), (0, 1)):
        weights.append(_cross(x[b] - x[a], y[b] - y[a], column - x[a], row - y[a]))
    weights = [jnp.where(is_covered, jnp.maximum(w, 0.0), 0.0) for w in weights]
    total = jnp.maximum(weights[0] + weights[1] + weights[2], 1e-20)
    weights = [w / total for w in weights]
    depth = weights[0] * z[0] + weights[1] * z[1] + weights[2] * z[2]
    return Fragments(
        triangle=number,
        barycentric=jnp.stack(weights, axis=-1),
        depth=jnp.where(is_covered, depth, -jnp.inf),
    )


def rasterize(
    vertices: Float[Array, "vertices 3"],
    triangles: Int[Array, "triangles 3"],
    *,
    height: int,
    width: int,
    origin: Int[Array, " 2"] | None = None,
) -> Fragments:
    """Find the nearest front-facing triangle at every pixel centre.

    Args:
        vertices: positions in photo pixels; triangles with a NaN or infinite corner are skipped.
        triangles: vertex numbers, counter-clockwise as seen from outside.
        height: rows of the result; static.
        width: columns of the result; static.
        origin: photo pixel (x, y) of the result's first pixel; default (0, 0). It may be traced,
            so that windows of one size at many places share a compilation.

    Returns:
        Triangle number, barycentric weights and depth per pixel.
    """
    corner = jnp.zeros(2, jnp.int32) if origin is None else origin.astype(jnp.int32)
    setup = _setup(vertices, triangles.astype(jnp.int32), corner, (height, width))
    number = _draw(setup, (height, width)).reshape(height, width)
    return _shade(setup, number)


def interpolate(
    fragments: Fragments,
    triangles: Int[Array, "triangles 3"],
    values: Float[Array, "vertices c"],
) -> Float[Array, "height width c"]:
    """Interpolate values of the vertices at the pixels; 0 where nothing covers a pixel."""
    corners = triangles.astype(jnp.int32)[jnp.maximum(fragments.triangle, 0)]
    # A sum: XLA on CPUs takes six times as long for a small product of matrices per pixel.
    first, second, third = (
        fragments.barycentric[..., k, None] * values[corners[..., k]] for k in range(3)
    )
    return first + second + third
