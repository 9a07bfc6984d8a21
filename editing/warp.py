"""Moving a face's pixels in its photo, and what is around it along: smiles, smaller noses.

Every pixel of the moved face shows the photo where its point of the surface was before: no colours
are made but of what the photo does not show, the inside of a mouth that opens and lids that close.
Around the face the displacement runs out smoothly (Laplace's equation), as it does where the face
is turned away and its position is not sure to the pixel.

References:
    T. Beier, S. Neely, "Feature-Based Image Metamorphosis", 1992 (pixels look back to where they
    come from).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from ..core.blending.poisson import poisson_correction
from ..core.geometry.landmarks import read_landmarks
from ..core.geometry.layout import UVLayout
from ..core.geometry.ramps import ramp
from ..core.geometry.render import rasterize_layout, uv_at_pixels
from ..core.geometry.sampling import sample_bicubic, sample_bilinear
from ..core.geometry.scales import enlarge, pool
from ..core.geometry.visibility import normals, visibility
from ..core.traced import blank, keep_traced
from ..core.types import Camera, Face
from .apply import Window, paste_window
from .deform import Deformation, deformation, openings
from .lids import closing_lids
from .mouth_inside import inside_mouth, lip_gap
from .regions import soften
from .surroundings import cut_surroundings

__all__ = ["reshape_face"]

LayeredImage = Float[np.ndarray, "height width c"]

_MARGIN = 0.3  # of the face's size: room around it, in which the displacement runs out
_CELLS = 32  # along a side of the window
_REACH = 5  # cells: so far from the face pixels move
_AROUND = 256  # pixels along a side at which displacements around the face are found
_EXACT = 0.02  # of these pixels
_FACING = 0.25  # least cosine between surface and view of what moves as the surface says
_SURE = 0.3  # least visibility of it
_RIM = (0.6, 0.95)  # share of what lies inside an opening around a texel that is surely inside
_RIM_BLUR = 2.0  # texels of 256
_INSIDE_OF = (0.5, 0.7)  # share of an opening at a pixel that shows what lies in it, not its rim
_TORN = (0.7, 2.0)  # pixels by which neighbours come from further apart
_OPENED = (0.05, 0.35)  # cm by which a mouth opens: until its inside is in shade
_GRAIN = 0.015  # the most of a value that is grain


def reshape_face(
    image: LayeredImage, face: Face, layout: UVLayout, amounts: Mapping[str, float]
) -> tuple[LayeredImage, Face]:
    """Change expression and proportions of a face.

    Args:
        image: the photo, RGB in [0, 1]; a fourth channel, its alpha, moves along.
        face: the face of it to change.
        layout: UV layout of the face.
        amounts: from `deform.parse_reshaping`; if all are 0 the photo comes back.

    Returns:
        The photo, pixels far from the face bit-identical, and the face as it is there; its
        camera stays, but that depth has a mean of 0.
    """
    if not any(amounts.values()):
        return image, face
    moves = deformation(face, layout, amounts)
    window = cut_surroundings(image, face.position_map, layout, room=_MARGIN)
    moved = _moved_face(face, moves.shift, layout)
    side = len(window.image)
    corner = jnp.append(window.origin, 0).astype(jnp.float32)
    old, new = face.position_map - corner, moved.position_map - corner
    move = _prepare(face, old, new, moves, layout)
    before, after = (_look_up(side)(positions, layout) for positions in (old, new))
    small = jnp.asarray(_AROUND / side, jnp.float32)
    around = _around(move, _look_up(_AROUND)(_scaled(new, small), layout), small)
    warped = _warp(window, move, before, after, around)
    return paste_window(image, window, warped), moved


@partial(keep_traced, key="move a face", like=blank(Face, camera=blank(Camera)))
def _moved_face(face: Face, shift: Array, layout: UVLayout) -> Face:
    position_map = face.position_map + shift
    mean = (position_map[..., 2] * layout.mask).sum() / layout.mask.sum()
    position_map = position_map.at[..., 2].add(-mean)
    alone = visibility(position_map, layout)
    uncovered = jnp.where(
        face.self_visibility > _SURE,
        jnp.clip(face.visibility / jnp.maximum(face.self_visibility, _SURE), 0.0, 1.0),
        1.0,
    )
    camera = face.camera
    return dataclasses.replace(
        face,
        position_map=position_map,
        camera=dataclasses.replace(camera, translation=camera.translation.at[2].add(-mean)),
        landmarks=read_landmarks(position_map, layout.landmark_uv),
        visibility=alone * uncovered,
        self_visibility=alone,
    )


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Move:
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


class _Lookup(NamedTuple):
    """Which texel each pixel shows."""

    texels: Array  # [h, w, 2] column and row
    covered: Array  # [h, w] bool


@cache
def _look_up(side: int) -> Callable[..., _Lookup]:
    return keep_traced(partial(_found, side=side), key=f"look up {side}", like=blank(_Lookup))


def _found(position_map: Array, layout: UVLayout, *, side: int) -> _Lookup:
    found = rasterize_layout(position_map, layout, height=side, width=side)
    return _Lookup(uv_at_pixels(found, layout) * layout.size - 0.5, found.is_covered)


@jax.jit
def _scaled(position_map: Array, zoom: Array) -> Array:
    """Return the map in pixels of another size; corners of pixels fall on corners."""
    half = jnp.array([0.5, 0.5, 0.0])
    return zoom * (position_map + half) - half


@partial(keep_traced, key="prepare a warp", like=blank(_Move))
def _prepare(face: Face, old: Array, new: Array, moves: Deformation, layout: UVLayout) -> _Move:
    texel = layout.size / 256
    opening = openings(layout)
    mouth = layout.regions.get("mouth_interior", jnp.zeros_like(layout.mask))
    blurred = soften(opening[..., None], _RIM_BLUR * texel)[..., 0]
    facing = normals(old, layout)[..., 2]
    is_sure = ((facing > _FACING) & (face.self_visibility > _SURE)) | (opening > 0.5)
    inside = inside_mouth(face, old, new, layout)
    lids = closing_lids(face.texture, face.visibility, old, new, layout)
    return _Move(
        place=old[..., :2],
        rest=(new - moves.carried)[..., :2],
        opening=opening,
        inner=ramp(blurred, _RIM),
        mouth=mouth,
        hollow=mouth * moves.free,
        made=jnp.where(mouth[..., None] > 0.0, inside, lids.colors),
        lids=lids.share * (1.0 - mouth),
        grain=lids.to_cheek,
        sure=is_sure.astype(jnp.float32),
        opened=(lip_gap(new, layout) - lip_gap(old, layout)) / face.camera.scale,
    )


def _pixels(side: int) -> Float[Array, "side side 2"]:
    line = jnp.arange(side, dtype=jnp.float32)
    return jnp.stack(jnp.meshgrid(line, line), axis=-1)


@partial(keep_traced, key="warp around", like=0)
def _around(move: _Move, after: _Lookup, zoom: Array) -> Float[Array, "n n 2"]:
    """Return how far back pixels around the face, and unsure ones of it, look: smoothly, to 0.

    Args:
        move: of the face.
        after: which texels the pixels of a small window show.
        zoom: its pixels per pixel of the window.
    """
    layers = jnp.concatenate([move.place, move.sure[..., None]], axis=-1)
    drawn = sample_bilinear(layers, after.texels)
    side = _AROUND
    known = after.covered & (drawn[..., 2] > 0.5)
    displacement = jnp.where(
        known[..., None], zoom * (drawn[..., :2] + 0.5) - 0.5 - _pixels(side), 0.0
    )
    cells = pool(after.covered.astype(jnp.float32)[..., None], _CELLS)[..., 0]
    near = lax.reduce_window(cells, 0.0, lax.max, (2 * _REACH + 1,) * 2, (1, 1), "SAME")
    region = enlarge(near[..., None], side)[..., 0] > 0.0
    rim = jnp.arange(side) % (side - 1) == 0
    between = region & ~known & ~(rim | rim[:, None])
    nothing = jnp.zeros_like(displacement)
    smooth = poisson_correction(displacement, nothing, between, tolerance=_EXACT)
    return (displacement + smooth) / zoom


def _warp(
    window: Window, move: _Move, before: _Lookup, after: _Lookup, around: Array
) -> Float[Array, "side side c"]:
    """Return the window with the face moved.

    In several compiled calls: within one, XLA would read every pixel anew for each of its readers.
    """
    was_inner = _drawn(move.inner[..., None], before)
    drawn = _drawn(_stacked(move), after)
    places, made = _places(move, was_inner, drawn, after, around)
    shown = _shown(window.image, places)
    warped: Array = _finished(window.image, shown, places, made, move.grain)
    return warped


@partial(keep_traced, key="draw for a warp", like=0)
def _drawn(layers: Float[Array, "s s c"], lookup: _Lookup) -> Float[Array, "side side c"]:
    return sample_bilinear(layers, lookup.texels) * lookup.covered[..., None].astype(jnp.float32)


@jax.jit
def _stacked(move: _Move) -> Float[Array, "s s 12"]:
    maps = jnp.stack([move.opening, move.mouth, move.hollow, move.sure, move.lids], axis=-1)
    return jnp.concatenate([move.place, move.rest, move.made, maps], axis=-1)


@partial(keep_traced, key="places of a warp", like=(0, 0))
def _places(
    move: _Move, was_inner: Array, drawn: Array, after: _Lookup, around: Array
) -> tuple[Float[Array, "side side 2"], Float[Array, "side side 5"]]:
    """Return where each pixel looks; what the photo does not show, how much of it, and of lids."""
    side = drawn.shape[0]
    place, rest, made, masks = jnp.split(drawn, [2, 4, 7], axis=-1)
    opening, mouth, hollow, sure, lids = jnp.moveaxis(masks, -1, 0)
    was_inside = sample_bilinear(was_inner, rest)[..., 0] * ramp(opening, _INSIDE_OF)
    # Teeth go with lips that hardly open or close.
    stays = was_inside * (1.0 - mouth * (1.0 - ramp(jnp.abs(move.opened), _OPENED)))
    place = place + stays[..., None] * (rest - place)
    pixels = _pixels(side)
    known = (after.covered & (sure > 0.5))[..., None]
    share = jnp.maximum(hollow * (1.0 - was_inside) * ramp(move.opened, _OPENED), lids)
    # XLA is slow along the short axis of channels.
    far = jax.image.resize(jnp.moveaxis(around, -1, 0), (2, side, side), "linear")
    found = jnp.where(known, place, pixels + jnp.moveaxis(far, 0, -1))
    return found, jnp.concatenate([made, share[..., None], lids[..., None]], axis=-1)


@partial(keep_traced, key="show for a warp", like=0)
def _shown(image: Array, places: Array) -> Float[Array, "side side c"]:
    return sample_bicubic(image, places).clip(0.0, 1.0)


@partial(keep_traced, key="finish a warp", like=0)
def _finished(image: Array, shown: Array, places: Array, made: Array, grain: Array) -> Array:
    """Return the window; where pixels look at themselves they are the photo's, bit by bit."""
    displacement = places - _pixels(image.shape[0])
    lids = made[..., 4:]
    grains = lax.cond(lids.max() > 0.0, _grain, lambda rgb, _: 0.0 * rgb, image[..., :3], grain)
    color = made[..., :3] + grains * lids
    # A mouth opens in nothing transparent; lids are as transparent as they were.
    opacity = jnp.where(lids > 0.0, shown[..., 3:], 1.0)
    new = jnp.concatenate([color.clip(0.0, 1.0), opacity], axis=-1)
    warped = _without_steps(shown + made[..., 3:4] * (new - shown), displacement)
    return jnp.where((displacement != 0.0).any(axis=-1, keepdims=True), warped, image)


def _grain(image: Float[Array, "side side 3"], offset: Array) -> Float[Array, "side side 3"]:
    """Return the grain of skin so far off; what is stronger is a crease or a hair."""
    fine = image - _blurred(_blurred(image, axis=0), axis=1)
    fine = jnp.clip(fine, -_GRAIN, _GRAIN)
    whole = jnp.round(offset)
    column, row = whole.astype(jnp.int32)
    place = _pixels(image.shape[0]) + whole
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
