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
from collections.abc import Mapping
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float, Int

from ...core.blending.poisson import poisson_correction
from ...core.geometry.landmarks import read_landmarks
from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp
from ...core.geometry.sampling import sample_bilinear
from ...core.geometry.scales import enlarge, pool
from ...core.geometry.tiles import tiles
from ...core.geometry.visibility import in_photo, normals, visibility
from ...core.traced import blank, keep_traced
from ...core.types import Camera, Face
from ..regions import soften
from ..surroundings import on_cells, surroundings
from .deform import Deformation, deformation, openings
from .lids import closing_lids
from .mouth_inside import inside_mouth, lip_gap
from .pixels import Lookup, Move, Warp, look_up, pixel_grid, warp_tile, was_inside
from .teeth import Whites

__all__ = ["reshape_face"]

LayeredImage = Float[np.ndarray, "height width c"]

_MARGIN = 0.3  # of the face's size: room around it, in which the displacement runs out
_CELLS = 32  # along a side of the face and its room
_REACH = 5  # cells: so far from the face pixels move
_AROUND = 256  # cells along this side at which displacements around the face are found
_EXACT = 0.02  # of these cells
_FACING = 0.25  # least cosine between surface and view of what moves as the surface says
_SURE = 0.3  # least visibility of it
_RIM = (0.6, 0.95)  # share of what lies inside an opening around a texel that is surely inside
_RIM_BLUR = 2.0  # texels of 256


def reshape_face(
    image: LayeredImage,
    face: Face,
    layout: UVLayout,
    amounts: Mapping[str, float],
    *,
    whites: Whites | None = None,
) -> tuple[LayeredImage, Face]:
    """Change expression and proportions of a face.

    Args:
        image: the photo, RGB in [0, 1]; a fourth channel, its alpha, moves along, and colours
            that it hides do not show.
        face: the face of it to change.
        layout: UV layout of the face.
        amounts: from `deform.parse_reshaping`; if all are 0 the photo comes back.
        whites: what is known of the eyes' whites, which tell the colour of teeth; None: what the
            photo shows of them.

    Returns:
        The photo, pixels far from the face bit-identical, and the face as it is there; its
        camera stays, but that depth has a mean of 0.
    """
    if not any(amounts.values()):
        return image, face
    moves = deformation(face, layout, amounts)
    around = surroundings(face.position_map, layout, room=_MARGIN)
    size = jnp.asarray(image.shape[1::-1], jnp.int32)
    moved = _moved_face(face, moves.shift, size, layout)
    first = jnp.asarray((*around.origin, 0), jnp.float32)
    old, new = face.position_map - first, moved.position_map - first
    move = _prepare(face, old, new, moves, layout, whites)
    pixels = around.pixels(_AROUND)
    seen = look_up(_AROUND)(_on_cells(new, around.corner, pixels), layout, np.zeros(2, np.int32))
    warp = Warp(
        image=image,
        surroundings=around,
        move=move,
        new=new,
        layout=layout,
        was_inner=was_inside(move, old, layout, around.side),
        around=_around(move, seen, around.corner, pixels),
    )
    result = np.array(image)
    for tile in tiles(around.side, *_changed(seen, warp)):
        tile.put(result, around.origin, warp_tile(warp, tile))
    return result, moved


def _changed(seen: Lookup, warp: Warp) -> tuple[Int[np.ndarray, " 2"], Int[np.ndarray, " 2"]]:
    """Return the first window pixel (x, y) that may change, and the one beyond the last."""
    moves = np.asarray(seen.covered) | (np.asarray(warp.around) != 0.0).any(axis=-1)
    found = np.argwhere(moves)[:, ::-1]
    if not len(found):
        return np.zeros(2, int), np.zeros(2, int)
    around = warp.surroundings
    pixels = around.span / _AROUND
    low = np.floor((found.min(axis=0) - 1) * pixels + around.corner).astype(int)
    high = np.ceil((found.max(axis=0) + 2) * pixels + around.corner).astype(int)
    first, size = np.asarray(around.origin), np.asarray(warp.image.shape[1::-1])
    return np.maximum(low, -first), np.minimum(high, size - first)


@partial(keep_traced, key="move a face", like=blank(Face, camera=blank(Camera)))
def _moved_face(face: Face, shift: Array, photo_size: Array, layout: UVLayout) -> Face:
    position_map = face.position_map + shift
    mean = (position_map[..., 2] * layout.mask).sum() / layout.mask.sum()
    position_map = position_map.at[..., 2].add(-mean)
    alone = visibility(position_map, layout) * in_photo(position_map, photo_size)
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


_on_cells = jax.jit(on_cells)


@partial(keep_traced, key="prepare a warp", like=blank(Move))
def _prepare(
    face: Face,
    old: Array,
    new: Array,
    moves: Deformation,
    layout: UVLayout,
    whites: Whites | None,
) -> Move:
    texel = layout.size / 256
    opening = openings(layout)
    mouth = layout.regions.get("mouth_interior", jnp.zeros_like(layout.mask))
    blurred = soften(opening[..., None], _RIM_BLUR * texel)[..., 0]
    facing = normals(old, layout)[..., 2]
    is_sure = ((facing > _FACING) & (face.self_visibility > _SURE)) | (opening > 0.5)
    inside = inside_mouth(face, old, new, layout, whites)
    lids = closing_lids(face.texture, face.visibility, old, new, layout)
    return Move(
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


@partial(keep_traced, key="warp around", like=0)
def _around(move: Move, after: Lookup, corner: Array, pixels: Array) -> Float[Array, "n n 2"]:
    """Return how far back pixels around the face, and unsure ones of it, look: smoothly, to 0.

    Args:
        move: of the face.
        after: which texels the cells show.
        corner: of the cells, as `Surroundings` has it.
        pixels: of a cell.
    """
    layers = jnp.concatenate([move.place, move.sure[..., None]], axis=-1)
    drawn = sample_bilinear(layers, after.texels)
    side = _AROUND
    known = after.covered & (drawn[..., 2] > 0.5)
    displacement = jnp.where(
        known[..., None],
        (drawn[..., :2] + 0.5 - corner) / pixels - 0.5 - pixel_grid(side),
        0.0,
    )
    cells = pool(after.covered.astype(jnp.float32)[..., None], _CELLS)[..., 0]
    near = lax.reduce_window(cells, 0.0, lax.max, (2 * _REACH + 1,) * 2, (1, 1), "SAME")
    region = enlarge(near[..., None], side)[..., 0] > 0.0
    rim = jnp.arange(side) % (side - 1) == 0
    between = region & ~known & ~(rim | rim[:, None])
    nothing = jnp.zeros_like(displacement)
    smooth = poisson_correction(displacement, nothing, between, tolerance=_EXACT)
    return (displacement + smooth) * pixels
