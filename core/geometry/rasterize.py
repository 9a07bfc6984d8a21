"""Rasteriser: which triangle covers each pixel, where in the triangle, and how far away.

Every triangle tests a window of pixels that holds its bounding box. Triangles are sorted into
classes by the side of that window, and each class runs as a loop over batches of triangles, as
many as the photo needs: nothing is dropped, whatever the sizes. A batch writes one ``uint32`` per
covered pixel, quantised depth in the high bits and triangle number in the low ones, by a
scatter-maximum; shading then gathers per pixel.

Convention:
    x right, y down, pixel centres at integers, larger z is nearer. A triangle faces the camera
    when it is listed counter-clockwise on the screen, ``(x1-x0)(y2-y0) - (x2-x0)(y1-y0) < 0``;
    others are skipped. Vertices are snapped to 1/1024 pixel and edges are tested in exact integer
    arithmetic with the top-left rule, so that a pixel centre on a shared edge belongs to exactly
    one of the two triangles. Depth has 32 bits less those of the triangle number (16 for 65,000
    triangles), spread over the range of z.

References:
    J. Pineda, "A Parallel Algorithm for Polygon Rasterization", 1988 (edge functions).
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int

from ..types import Fragments

__all__ = ["interpolate", "rasterize"]

SUBPIXELS = 1024  # vertices are snapped to this fraction of a pixel
_LIMIT = 16000.0  # pixels; larger coordinates are clamped, for the exact edge test
_WINDOWS = (1, 2, 3, 4, 6, 9, 16, 32, 64)  # sides of the windows; larger triangles scan the image
_BATCH_PIXELS = 1 << 14  # pixels tested by one batch of a loop
_SORT_ROWS = 128  # rows of the counting sort


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Setup:
    """Triangles ready to be drawn."""

    x: Array  # [3, T] int32, snapped
    y: Array  # [3, T] int32
    z: Array  # [3, T] float32, quantised depth, 0 farthest
    left: Array  # [T] int32, first column of the window
    top: Array  # [T] int32, first row of the window
    side: Array  # [T] int32, pixels; 0 where nothing is to be drawn


def _edge(ax: Array, ay: Array, bx: Array, by: Array, px: Array, py: Array) -> Array:
    """Return twice the area of (a, b, p), positive inside, exact in sign for any size.

    Where the integer product wraps, its floating-point value is far from zero and is used.
    """
    dx, dy, qx, qy = bx - ax, by - ay, px - ax, py - ay
    exact = dy * qx - dx * qy
    rough = _cross(dx, dy, qx, qy)
    large = jnp.where(rough > 0, 1 << 30, -(1 << 30)).astype(jnp.int32)
    return jnp.where(jnp.abs(rough) > 2.0**30, large, exact)


def _cross(dx: Array, dy: Array, qx: Array, qy: Array) -> Array:
    f = jnp.float32
    return dy.astype(f) * qx.astype(f) - dx.astype(f) * qy.astype(f)


def _bias(dx: Array, dy: Array) -> Array:
    """Return 0 for left and top edges, which own the pixel centres on them, else -1."""
    is_owned = (dy > 0) | ((dy == 0) & (dx < 0))
    return jnp.where(is_owned, 0, -1).astype(jnp.int32)


def _setup(
    vertices: Array, triangles: Array, origin: Array, size: tuple[int, int], levels: int
) -> _Setup:
    """Snap the vertices, quantise z and find each triangle's window."""
    height, width = size
    is_finite = jnp.isfinite(vertices).all(axis=-1)
    points = jnp.where(is_finite[:, None], vertices, 0.0)
    plane = jnp.clip(points[:, :2], -_LIMIT, _LIMIT)
    snapped = jnp.round(plane * SUBPIXELS).astype(jnp.int32) - origin * SUBPIXELS
    far, near = points[:, 2].min(), points[:, 2].max()
    depth = (points[:, 2] - far) * (levels / jnp.maximum(near - far, 1e-20))
    depth = jnp.where(is_finite, depth, jnp.nan)
    corners = triangles.T
    x, y, z = snapped[:, 0][corners], snapped[:, 1][corners], depth[corners]
    left = jnp.maximum(-((-x.min(axis=0)) // SUBPIXELS), 0)
    top = jnp.maximum(-((-y.min(axis=0)) // SUBPIXELS), 0)
    columns = jnp.minimum(x.max(axis=0) // SUBPIXELS, width - 1) - left + 1
    rows = jnp.minimum(y.max(axis=0) // SUBPIXELS, height - 1) - top + 1
    is_drawn = _edge(x[0], y[0], x[1], y[1], x[2], y[2]) > 0
    is_drawn &= (columns > 0) & (rows > 0) & ~jnp.isnan(z.sum(axis=0))
    side = jnp.where(is_drawn, jnp.maximum(columns, rows), 0)
    return _Setup(x=x, y=y, z=z, left=left, top=top, side=side)


def _sort_by_class(side: Array) -> tuple[Array, Array]:
    """Return triangle numbers grouped by class, and where each class starts ``[classes + 1]``.

    A counting sort: rows of a ``[rows, columns]`` table are counted one after the other.
    """
    count = len(_WINDOWS) + 2
    bounds = jnp.array((0, *_WINDOWS), dtype=jnp.int32)
    kind = (side[:, None] > bounds).sum(axis=1, dtype=jnp.int32)
    columns = -(-side.shape[0] // _SORT_ROWS)
    padding = _SORT_ROWS * columns - side.shape[0]
    table = jnp.pad(kind, (0, padding)).reshape(_SORT_ROWS, columns)

    def step(counts: Array, row: Array) -> tuple[Array, Array]:
        is_kind = row == jnp.arange(count, dtype=jnp.int32)[:, None]
        return counts + is_kind.astype(jnp.int32), jnp.where(is_kind, counts, 0).sum(
            axis=0, dtype=jnp.int32
        )

    counts, rank = lax.scan(step, jnp.zeros((count, columns), jnp.int32), table)
    ends = jnp.cumsum(counts.reshape(-1))
    starts = ends - counts.reshape(-1)
    place = rank + starts[table * columns + jnp.arange(columns, dtype=jnp.int32)]
    numbers = jnp.arange(_SORT_ROWS * columns, dtype=jnp.int32)
    order = jnp.zeros_like(numbers).at[place.reshape(-1)].set(numbers, unique_indices=True)
    return order, jnp.append(starts.reshape(count, columns)[:, 0], ends[-1])


def _depth_plane(x: Array, y: Array, z: Array) -> tuple[Array, Array]:
    """Return the slopes of depth per pixel, ``[B]`` each, from corners ``[3, B]``."""
    f = jnp.float32
    x1, y1 = (x[1] - x[0]).astype(f), (y[1] - y[0]).astype(f)
    x2, y2 = (x[2] - x[0]).astype(f), (y[2] - y[0]).astype(f)
    area = jnp.minimum(x1 * y2 - x2 * y1, -1e-3) / SUBPIXELS
    z1, z2 = z[1] - z[0], z[2] - z[0]
    return (z1 * y2 - z2 * y1) / area, (z2 * x1 - z1 * x2) / area


def _inside(x: Array, y: Array, column: Array, row: Array, *, is_small: bool) -> Array:
    """Test pixel centres against triangles with corners ``[3, B]``; small: no product wraps."""
    px, py = column * SUBPIXELS, row * SUBPIXELS
    signs = []
    for a, b in ((0, 1), (1, 2), (2, 0)):
        dx, dy = x[b] - x[a], y[b] - y[a]
        if is_small:
            edge = dy * (px - x[a]) - dx * (py - y[a])
        else:
            edge = _edge(x[a], y[a], x[b], y[b], px, py)
        signs.append(edge + _bias(dx, dy))
    return (signs[0] | signs[1] | signs[2]) >= 0


def _keys(setup: _Setup, chosen: Array, window: int, bits: int, size: tuple[int, int]) -> tuple:
    """Return buffer indices and keys ``[window, window, B]`` of a batch of triangles."""
    height, width = size
    x, y, z = setup.x[:, chosen], setup.y[:, chosen], setup.z[:, chosen]
    left, top = setup.left[chosen], setup.top[chosen]
    step = jnp.arange(window, dtype=jnp.int32)
    column, row = left + step[None, :, None], top + step[:, None, None]
    is_inside = _inside(x, y, column, row, is_small=window <= 16)
    is_inside &= (column < width) & (row < height)
    across, down = _depth_plane(x, y, z)
    f = jnp.float32
    depth = z[0] + across * (column.astype(f) - x[0].astype(f) / SUBPIXELS)
    depth += down * (row.astype(f) - y[0].astype(f) / SUBPIXELS)
    depth = jnp.clip(depth, z.min(axis=0), z.max(axis=0)).astype(jnp.uint32)
    key = (depth << bits) | (chosen + 1).astype(jnp.uint32)
    return row * width + column, jnp.where(is_inside, key, jnp.uint32(0))


def _draw_class(
    buffer: Array,
    setup: _Setup,
    order: Array,
    start: Array,
    stop: Array,
    window: int,
    bits: int,
    size: tuple[int, int],
) -> Array:
    """Scatter the triangles of one class, batch by batch."""
    batch = max(1, _BATCH_PIXELS // window**2)

    def draw(state: tuple[Array, Array]) -> tuple[Array, Array]:
        position, pixels = state
        slots = position + jnp.arange(batch, dtype=jnp.int32)
        chosen = order[jnp.minimum(slots, order.shape[0] - 1)]
        index, key = _keys(setup, chosen, window, bits, size)
        key = jnp.where(slots < stop, key, jnp.uint32(0))
        pixels = pixels.at[index.reshape(-1)].max(key.reshape(-1), mode="drop")
        return position + batch, pixels

    return lax.while_loop(lambda state: state[0] < stop, draw, (start, buffer))[1]


def _draw_large(
    buffer: Array,
    setup: _Setup,
    order: Array,
    start: Array,
    stop: Array,
    bits: int,
    size: tuple[int, int],
) -> Array:
    """Draw triangles larger than all windows, one by one, over the whole image."""
    height, width = size
    row = jnp.arange(height, dtype=jnp.int32)[:, None]
    column = jnp.arange(width, dtype=jnp.int32)[None]

    def draw(state: tuple[Array, Array]) -> tuple[Array, Array]:
        position, pixels = state
        chosen = order[position]
        x, y, z = setup.x[:, chosen], setup.y[:, chosen], setup.z[:, chosen]
        across, down = _depth_plane(x, y, z)
        f = jnp.float32
        depth = z[0] + across * (column.astype(f) - x[0].astype(f) / SUBPIXELS)
        depth += down * (row.astype(f) - y[0].astype(f) / SUBPIXELS)
        depth = jnp.clip(depth, z.min(), z.max()).astype(jnp.uint32)
        key = (depth << bits) | (chosen + 1).astype(jnp.uint32)
        is_inside = _inside(x, y, column, row, is_small=False)
        key = jnp.where(is_inside, key, jnp.uint32(0)).reshape(-1)
        return position + 1, pixels.at[: height * width].max(key)

    return lax.while_loop(lambda state: state[0] < stop, draw, (start, buffer))[1]


def _shade(setup: _Setup, vertices: Array, triangles: Array, number: Array) -> Fragments:
    """Compute barycentric weights and depth at the pixels from the triangle numbers."""
    height, width = number.shape
    row = jnp.arange(height, dtype=jnp.int32)[:, None] * SUBPIXELS
    column = jnp.arange(width, dtype=jnp.int32)[None] * SUBPIXELS
    is_covered = number >= 0
    safe = jnp.maximum(number, 0)
    x, y = setup.x[:, safe], setup.y[:, safe]
    weights = []
    for a, b in ((1, 2), (2, 0), (0, 1)):
        weights.append(_cross(x[b] - x[a], y[b] - y[a], column - x[a], row - y[a]))
    weight = jnp.maximum(jnp.stack(weights, axis=-1), 0.0)
    weight /= jnp.maximum(weight.sum(axis=-1, keepdims=True), 1e-20)
    weight = jnp.where(is_covered[..., None], weight, 0.0)
    z = vertices[:, 2][triangles.T][:, safe]
    depth = (z * jnp.moveaxis(weight, -1, 0)).sum(axis=0)
    depth = jnp.where(is_covered, depth, -jnp.inf)
    return Fragments(triangle=number, barycentric=weight, depth=depth)


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
    size = (height, width)
    bits = int(triangles.shape[0]).bit_length()
    levels = (1 << (32 - bits)) - 256
    triangles = triangles.astype(jnp.int32)
    corner = jnp.zeros(2, jnp.int32) if origin is None else origin.astype(jnp.int32)
    setup = _setup(vertices, triangles, corner, size, levels)
    order, starts = _sort_by_class(setup.side)
    buffer = jnp.zeros(height * width, jnp.uint32)
    for kind, window in enumerate(_WINDOWS, start=1):
        buffer = _draw_class(
            buffer, setup, order, starts[kind], starts[kind + 1], window, bits, size
        )
    buffer = _draw_large(buffer, setup, order, starts[-2], starts[-1], bits, size)
    low = jnp.uint32((1 << bits) - 1)
    number = (buffer & low).astype(jnp.int32).reshape(height, width) - 1
    return _shade(setup, vertices, triangles, number)


def interpolate(
    fragments: Fragments,
    triangles: Int[Array, "triangles 3"],
    values: Float[Array, "vertices c"],
) -> Float[Array, "height width c"]:
    """Interpolate values of the vertices at the pixels; 0 where nothing covers a pixel."""
    corners = triangles.astype(jnp.int32)[jnp.maximum(fragments.triangle, 0)]
    return jnp.einsum("hwk,hwkc->hwc", fragments.barycentric, values[corners])
