"""Giving a face another one's shape: how far its surface is moved, and where it must not be.

Who somebody is shows in the shape as well as in the skin: where the eyes stand, how long and wide
the nose is, how high the brows lie. `identity_shift` says how far each texel would move if the face
had the other's identity, in its own pose and expression. `guarded` holds back what must stay: the
outline, what is covered or turned away, the mouth.
"""

from __future__ import annotations

from functools import partial

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..core.geometry.face_shape import ShapeModes, fit_shape
from ..core.geometry.layout import UVLayout
from ..core.geometry.ramps import ramp, smooth_step
from ..core.products import product
from ..core.traced import keep_traced
from .regions import soften

__all__ = ["guarded", "identity_shift"]

# Texels of 256: over this distance from the mask's edge the shape becomes the other's, ...
_EDGE = 12.0
_SEEN_BLUR = 8.0  # ... and over this one beside what is covered or turned away.
_SEEN = (0.3, 0.7)
# Cosine between surface and view: near the outline nothing moves, or it would be drawn over the
# backdrop, or uncover the target's own skin. Judged at the texel, too: an average over the cheek
# is large up to its edge.
_FACING = (0.25, 0.55)
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
    layout: UVLayout,
) -> Float[Array, "size size 3"]:
    """Return a shift that is 0 where the face must keep its own shape.

    Args:
        shift: how far texels would move.
        mask: what may change; outside it nothing moves.
        seen: 1 where the photo shows the skin.
        facing: cosine between the surface and the view.
        layout: UV layout.
    """
    texel = layout.size / 256
    blurred = soften(jnp.stack([seen, facing], axis=-1), _SEEN_BLUR * texel)
    inner = smooth_step(2.2 * soften(mask[..., None], _EDGE * texel)[..., 0] - 1.1)
    free, turned = ramp(blurred[..., 0], _SEEN), ramp(jnp.minimum(blurred[..., 1], facing), _FACING)
    mouth = jnp.maximum(layout.region("lips"), layout.region("mouth_interior"))[..., None]
    still = smooth_step(soften(mouth, _MOUTH_BLUR * texel)[..., 0] / _MOUTH)
    weight = inner * smooth_step(2.0 * mask) * free * turned * (1.0 - still)
    return shift * weight[..., None]
