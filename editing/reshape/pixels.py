"""The pixels of a moved face, tile by tile of its window."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from functools import cache, cached_property, partial
from typing import NamedTuple

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp
from ...core.geometry.render import rasterize_layout, uv_at_pixels
from ...core.geometry.sampling import sample_bicubic, sample_bilinear
from ...core.geometry.scales import enlarge_part
from ...core.geometry.tiles import Tile, tiles
from ...core.geometry.window import size_class
from ...core.traced import blank, keep_traced
from ..surroundings import Surroundings

__all__ = ["Lookup", "Move", "Warp", "look_up", "pixel_grid", "warp_tile", "was_inside"]

_INSIDE_OF = (0.5, 0.7)  # share of an opening at a pixel that shows what lies in it, not its rim
_TORN = (0.7, 2.0)  # pixels by which neighbours come from further apart
_OPENED = (0.05, 0.35)  # cm by which a mouth opens: until its inside is in shade
_LEAST_CUT = 2048  # pixels along a side of what a tile looks at
_GRAIN = 0.015  # the most of a value that is grain
_CLEAR = 1e-4  # opacity that nobody sees


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Move:
    """A face before and after, per texel, window pixels."""

    place: Array  # [S, S, 2] where the photo shows the texel
    rest: Array  # [S, S, 2] where it would be now if it did not move with the surface
    opening: Array  # [S, S], 1 on eyeballs and inside the mouth
    inner: Array  # [S, S], the same without their rims, which may be lid or lip
    mouth: Array  # [S, S], 1 inside the mouth
    hollow: Array  # [S, S], the same, where nothing covers it
    made: Array  # [S, S, 3] colours of what the photo does not show: inside a mouth, of lids
    lids: Array  # [S, S], share of them on lids that close
    grain: Array  # [2], from there to skin whose grain they have, window pixels
    sure: Array  # [S, S], 1 where the surface says how the photo moves
    opened: Array  # [], cm by which the mouth is opened further


class Lookup(NamedTuple):
    """Which texel each pixel shows."""

    texels: Array  # [h, w, 2] column and row
    covered: Array  # [h, w] bool


class _Far(NamedTuple):
    """How far back pixels around the face look, for a tile."""

    ways: Array  # [n, n, 2], at cells
    corner: Array  # [2], where the tile begins, pixels from the cells' border
    pixels: Array  # [] of a cell


@cache
def look_up(side: int) -> Callable[..., Lookup]:
    """Return what finds the texels at so many pixels along a side.

    It takes a position map, its layout, and the pixel (x, y) that the first one is.
    """
    return keep_traced(partial(_found, side=side), key=f"look up {side}", like=blank(Lookup))


def _found(position_map: Array, layout: UVLayout, corner: Array, *, side: int) -> Lookup:
    found = rasterize_layout(position_map, layout, height=side, width=side, origin=corner)
    return Lookup(uv_at_pixels(found, layout) * layout.size - 0.5, found.is_covered)


def pixel_grid(side: int) -> Float[Array, "side side 2"]:
    """Return (x, y) of each pixel of a square."""
    line = jnp.arange(side, dtype=jnp.float32)
    return jnp.stack(jnp.meshgrid(line, line), axis=-1)


def was_inside(
    move: Move, old: Float[Array, "s s 3"], layout: UVLayout, side: int
) -> Float[np.ndarray, "side side 1"]:
    """Return where a window of the photo shows what lies inside an opening of the face.

    Args:
        move: of the face.
        old: its position map before, window pixels.
        layout: its UV layout.
        side: of the window, pixels.
    """
    result = np.zeros((side, side, 1), np.float32)
    # Between texels something is drawn up to the next one, which may be many pixels away.
    near = cv2.dilate((np.asarray(move.inner) > 0.0).astype(np.uint8), np.ones((3, 3), np.uint8))
    points = np.asarray(old)[..., :2][near > 0]
    if not points.size:
        return result
    low, high = np.clip([points.min(axis=0) - 2.0, points.max(axis=0) + 3.0], 0, side)
    for tile in tiles(side, low, high):
        lookup = look_up(tile.side)(old, layout, np.asarray(tile.corner, np.int32))
        tile.put(result, (0, 0), np.asarray(_drawn(move.inner[..., None], lookup)))
    return result


@dataclasses.dataclass(frozen=True, kw_only=True)
class Warp:
    """What the pixels of a window are moved by."""

    image: np.ndarray  # [H, W, c], the photo
    surroundings: Surroundings
    move: Move
    new: Array  # [S, S, 3] position map afterwards, window pixels
    layout: UVLayout
    was_inner: np.ndarray  # [side, side, 1] from `was_inside`
    around: Array  # [n, n, 2] how far back pixels around the face look, at cells of its square

    @cached_property
    def farthest(self) -> int:
        """Return how many pixels away a pixel looks, at most."""
        is_face = np.asarray(self.layout.mask) > 0.0
        new = np.asarray(self.new)[is_face, :2]
        places = (np.asarray(x)[is_face] - new for x in (self.move.place, self.move.rest))
        ways = [np.asarray(self.around), np.asarray(self.move.grain), *places]
        side = self.was_inner.shape[0]
        # Between texels pixels may look a little further.
        return math.ceil(max(float(np.abs(way).max()) for way in ways)) + 4 + side // 64


def warp_tile(warp: Warp, tile: Tile) -> Float[np.ndarray, "tile tile c"]:
    """Return the pixels of a tile of the window.

    In several compiled calls: within one, XLA would read every pixel anew for each of its readers.
    """
    side = warp.was_inner.shape[0]
    reach = 0 if tile.side == side else _reach(tile.side, warp.farthest)
    origin, cells = warp.surroundings.origin, warp.around.shape[0]
    image = jnp.asarray(tile.cut(warp.image, origin, around=reach), jnp.float32)
    was_inner = jnp.asarray(tile.cut(warp.was_inner, (0, 0), around=reach))
    corner = np.asarray(tile.corner, np.int32)
    after = look_up(tile.side)(warp.new, warp.layout, corner)
    drawn = _drawn(_stacked(warp.move), after)
    far = _Far(warp.around, corner - warp.surroundings.corner, warp.surroundings.pixels(cells))
    places, made = _places(warp.move, was_inner, drawn, after, far, corner)
    shown = _shown(image, places)
    return np.asarray(_finished(image, shown, places, made, warp.move.grain))


def _reach(side: int, farthest: int) -> int:
    """Return the pixels around a tile that come along: a few numbers, each compiled for."""
    return (size_class(max(side + 2 * farthest, _LEAST_CUT)) - side) // 2


@partial(keep_traced, key="draw for a warp", like=0)
def _drawn(layers: Float[Array, "s s c"], lookup: Lookup) -> Float[Array, "side side c"]:
    return sample_bilinear(layers, lookup.texels) * lookup.covered[..., None].astype(jnp.float32)


@jax.jit
def _stacked(move: Move) -> Float[Array, "s s 12"]:
    maps = jnp.stack([move.opening, move.mouth, move.hollow, move.sure, move.lids], axis=-1)
    return jnp.concatenate([move.place, move.rest, move.made, maps], axis=-1)


@partial(keep_traced, key="places of a warp", like=(0, 0))
def _places(
    move: Move,
    was_inner: Float[Array, "wide wide 1"],
    drawn: Array,
    after: Lookup,
    far: _Far,
    corner: Array,
) -> tuple[Float[Array, "side side 2"], Float[Array, "side side 5"]]:
    """Return where each pixel of a tile looks, from the first pixel that it may look at.

    And what the photo does not show, how much of it, and of lids.
    """
    side = drawn.shape[0]
    reach = (was_inner.shape[0] - side) // 2
    first = (corner - reach).astype(jnp.float32)
    place, rest, made, masks = jnp.split(drawn, [2, 4, 7], axis=-1)
    place, rest = place - first, rest - first
    opening, mouth, hollow, sure, lids = jnp.moveaxis(masks, -1, 0)
    was_inside = sample_bilinear(was_inner, rest)[..., 0] * ramp(opening, _INSIDE_OF)
    # Teeth go with lips that hardly open or close.
    stays = was_inside * (1.0 - mouth * (1.0 - ramp(jnp.abs(move.opened), _OPENED)))
    place = place + stays[..., None] * (rest - place)
    known = (after.covered & (sure > 0.5))[..., None]
    share = jnp.maximum(hollow * (1.0 - was_inside) * ramp(move.opened, _OPENED), lids)
    # XLA is slow along the short axis of channels.
    ways = enlarge_part(jnp.moveaxis(far.ways, -1, 0), far.pixels, far.corner, (side, side))
    found = jnp.where(known, place, pixel_grid(side) + reach + jnp.moveaxis(ways, 0, -1))
    return found, jnp.concatenate([made, share[..., None], lids[..., None]], axis=-1)


@partial(keep_traced, key="show for a warp", like=0)
def _shown(image: Array, places: Array) -> Float[Array, "side side c"]:
    """Return the colours of places times their opacity: what is hidden has no part in them."""
    shown = sample_bicubic(_times_opacity(image), places)
    return _times_opacity(_over_opacity(shown, hidden=shown[..., :3]).clip(0.0, 1.0))


def _opacity(image: Float[Array, "*n c"]) -> Float[Array, "*n 1"]:
    """Return the fourth channel; 1 if there is none."""
    return image[..., 3:].prod(axis=-1, keepdims=True)


def _times_opacity(image: Float[Array, "*n c"]) -> Float[Array, "*n c"]:
    return jnp.concatenate([image[..., :3] * _opacity(image), image[..., 3:]], axis=-1)


def _over_opacity(
    image: Float[Array, "*n c"], *, hidden: Float[Array, "*n 3"]
) -> Float[Array, "*n c"]:
    """Return what `_times_opacity` was given, with hidden colours where nothing shows."""
    opacity = _opacity(image)
    colors = jnp.where(opacity > 0.0, image[..., :3] / jnp.maximum(opacity, _CLEAR), hidden)
    return jnp.concatenate([colors, image[..., 3:]], axis=-1)


@partial(keep_traced, key="finish a warp", like=0)
def _finished(image: Array, shown: Array, places: Array, made: Array, grain: Array) -> Array:
    """Return the tile; where pixels look at themselves they are the photo's, bit by bit."""
    side = shown.shape[0]
    reach = (image.shape[0] - side) // 2
    displacement = places - reach - pixel_grid(side)
    lids = made[..., 4:]
    no_grain = jnp.zeros_like(made[..., :3])
    grains = lax.cond(
        lids.max() > 0.0,
        lambda: _inner_part(_grain(image[..., :3], grain), side),
        lambda: no_grain,
    )
    color = made[..., :3] + grains * lids
    # A mouth opens in nothing transparent; lids are as transparent as they were.
    opacity = jnp.where(lids > 0.0, shown[..., 3:], 1.0)
    new = _times_opacity(jnp.concatenate([color.clip(0.0, 1.0), opacity], axis=-1))
    warped = _without_steps(shown + made[..., 3:4] * (new - shown), displacement)
    is_moved = (displacement != 0.0).any(axis=-1, keepdims=True)
    still = _inner_part(image, side)
    return jnp.where(is_moved, _over_opacity(warped, hidden=still[..., :3]), still)


def _inner_part(image: Float[Array, "wide wide c"], side: int) -> Float[Array, "{side} {side} c"]:
    reach = (image.shape[0] - side) // 2
    return image[reach : reach + side, reach : reach + side]


def _grain(image: Float[Array, "side side 3"], offset: Array) -> Float[Array, "side side 3"]:
    """Return the grain of skin so far off; what is stronger is a crease or a hair."""
    fine = image - _blurred(_blurred(image, axis=0), axis=1)
    fine = jnp.clip(fine, -_GRAIN, _GRAIN)
    whole = jnp.round(offset)
    column, row = whole.astype(jnp.int32)
    place = pixel_grid(image.shape[0]) + whole
    is_there = ((place >= 0.0) & (place < image.shape[0])).all(axis=-1, keepdims=True)
    return jnp.where(is_there, jnp.roll(fine, (-row, -column), axis=(0, 1)), 0.0)


def _without_steps(
    warped: Float[Array, "side side c"], displacement: Float[Array, "side side 2"]
) -> Float[Array, "side side c"]:
    """Smooth the jagged edge of what has moved over something else, as a lid over its eye."""
    right, below = (jnp.linalg.norm(jnp.diff(displacement, axis=k), axis=-1) for k in (1, 0))
    torn = jnp.maximum(jnp.pad(right, ((0, 0), (0, 1))), jnp.pad(below, ((0, 1), (0, 0))))
    torn = lax.reduce_window(torn, 0.0, lax.max, (3, 3), (1, 1), "SAME")
    soft = _blurred(_blurred(warped, axis=0), axis=1)
    return warped + ramp(torn, _TORN)[..., None] * (soft - warped)


def _blurred(image: Float[Array, "side side c"], *, axis: int) -> Float[Array, "side side c"]:
    """Blur along an axis by a binomial of five pixels."""
    rest = [(0, 0)] * 3
    rest[axis] = (2, 2)
    padded = jnp.pad(image, rest, mode="edge")
    parts = [lax.slice_in_dim(padded, k, k + image.shape[axis], axis=axis) for k in range(5)]
    return (parts[0] + 4.0 * parts[1] + 6.0 * parts[2] + 4.0 * parts[3] + parts[4]) / 16.0
