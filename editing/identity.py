"""Giving a face another one's shape: how far its surface is moved, and where it must not be.

Who somebody is shows in the shape as well as in the skin: where the eyes stand, how long and wide
the nose is, how high the brows lie. `identity_shift` says how far each texel would move if the face
had the other's identity, in its own pose and expression. `guarded` holds back what must stay: the
outline, what is covered or turned away, the mouth.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..core.geometry.face_shape import ShapeModes, fit_shape
from ..core.geometry.layout import UVLayout
from ..core.geometry.ramps import ramp, smooth_step
from ..core.geometry.sampling import sample_bilinear
from ..core.products import product
from ..core.traced import keep_traced
from .regions import soften

__all__ = ["guarded", "identity_shift"]

# Texels of 256: over this distance from the mask's edge the shape becomes the other's, ...
_EDGE = 12.0
_SEEN_BLUR = 8.0  # ... and over this one beside what is covered or turned away.
_SEEN = (0.3, 0.7)
# Cosine between surface and view: near the outline hardly anything moves, or it would be drawn over
# the backdrop, or uncover the target's own skin. Judged beside the texel, too: an average over the
# cheek is large up to its edge. The outline itself is kept by `_within_outline`.
_FACING = (0.25, 0.55)
_FACING_BLUR = 3.0  # texels of 256: a step at nostrils and the wings of a nose would fold it
# What faces the view may lie at the outline, too: the nose of a profile. Of this many cells along
# the face these many at the outline stay, ...
_CELLS, _OUTLINE = 96, 2
_WITHIN = (0.5, 0.95)  # ... and beyond them, by how far all around is covered, it begins to move
_MOUTH_BLUR, _MOUTH = 5.0, 0.45  # what the mouth does is the target's: teeth stay where they are


def identity_shift(
    face_map: Float[Array, "size size 3"], other_map: Float[Array, "size size 3"], modes: ShapeModes
) -> Float[Array, "n n 3"]:
    """Return how far a face's texels move if it takes the identity of another, photo pixels.

    Args:
        face_map: position map of the face.
        other_map: that of the other, of the same layout; in any photo or frame.
        modes: shapes of the layout.
    """
    shift: Array = _identity_shift(face_map, other_map, modes)
    return shift


@partial(keep_traced, key="identity shift", like=0)
def _identity_shift(face_map: Array, other_map: Array, modes: ShapeModes) -> Array:
    face, other = fit_shape(face_map, modes), fit_shape(other_map, modes)
    apart = other.identity - face.identity
    offset = jnp.tensordot(apart, modes.identity, axes=1, precision="highest")
    turned: Array = face.camera.scale * product(offset, face.camera.rotation.T)
    return turned


def guarded(
    shift: Float[Array, "size size 3"],
    *,
    mask: Float[Array, "size size"],
    seen: Float[Array, "size size"],
    facing: Float[Array, "size size"],
    places: Float[Array, "size size 2"],
    layout: UVLayout,
) -> Float[Array, "size size 3"]:
    """Return a shift that is 0 where the face must keep its own shape.

    Args:
        shift: how far texels would move.
        mask: what may change; outside it nothing moves.
        seen: 1 where the photo shows the skin.
        facing: cosine between the surface and the view.
        places: where the texels lie, photo pixels.
        layout: UV layout.
    """
    texel = layout.size / 256
    blurred = soften(jnp.stack([seen, facing], axis=-1), _SEEN_BLUR * texel)
    inner = smooth_step(2.2 * soften(mask[..., None], _EDGE * texel)[..., 0] - 1.1)
    free, turned = ramp(blurred[..., 0], _SEEN), ramp(blurred[..., 1], _FACING)
    turned *= soften(ramp(facing, _FACING)[..., None], _FACING_BLUR * texel)[..., 0]
    mouth = jnp.maximum(layout.region("lips"), layout.region("mouth_interior"))[..., None]
    still = smooth_step(soften(mouth, _MOUTH_BLUR * texel)[..., 0] / _MOUTH)
    weight = inner * smooth_step(2.0 * mask) * free * turned * (1.0 - still)
    weight *= _within_outline(places, layout)
    return shift * weight[..., None]


def _within_outline(
    places: Float[Array, "size size 2"], layout: UVLayout
) -> Float[Array, "size size"]:
    """Return 1 where a texel lies well within what the face covers of the photo, 0 at its outline.

    Found on a coarse grid over the face: which of its cells some texel falls into.
    """
    is_face = layout.mask[..., None] > 0.5
    low = jnp.where(is_face, places, jnp.inf).min(axis=(0, 1))
    extent = (jnp.where(is_face, places, -jnp.inf).max(axis=(0, 1)) - low).max()
    margin = _OUTLINE + 2.0
    cells = margin + (_CELLS - 1.0 - 2.0 * margin) / jnp.maximum(extent, 1e-6) * (places - low)
    column, row = jnp.moveaxis(jnp.rint(jnp.where(is_face, cells, margin)).astype(jnp.int32), -1, 0)
    covered = jnp.zeros((_CELLS, _CELLS)).at[row, column].max(layout.mask)
    closed = -_least_nearby(-covered, 1)  # between texels that lie more than a cell apart
    inner = _least_nearby(closed, 1 + _OUTLINE)
    read = sample_bilinear(soften(inner[..., None], 1.0), cells)[..., 0]
    return ramp(read, _WITHIN)


def _least_nearby(image: Float[Array, "rows columns"], reach: int) -> Float[Array, "rows columns"]:
    """Return the least value within some pixels of each."""
    least: Array = jax.lax.reduce_window(
        image, jnp.inf, jax.lax.min, (2 * reach + 1,) * 2, (1, 1), "SAME"
    )
    return least
