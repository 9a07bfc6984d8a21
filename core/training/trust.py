"""Losses of what says how far a map can be used: head mask and confidence.

What counts is not the mask but what it says of the face's texels: most of the crop is far from
the face, and most of the face is bare. So the mask is also read where the texels truly lie, and
there the overlap of what is covered and what is said to be is made large, too.

References:
    M. Rahman, Y. Wang, "Optimizing Intersection-Over-Union in Deep Neural Networks for Image
    Segmentation", 2016 (overlap of probabilities as a loss).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Float, UInt8

from ..geometry.sampling import sample_bilinear
from ..geometry.spline import evaluate_control
from .loss import Reading, face_size

__all__ = [
    "confidence_loss",
    "cover_loss",
    "landmark_error",
    "mask_loss",
    "misjudged_share",
    "trust_target",
]

_FACING = 0.19  # cosine to the view from which a texel counts as seen (`geometry.visibility`)
_DOUBTFUL = 0.08  # landmark error, over the face size, at which the confidence is 1/2
_TEXELS = 64


def mask_loss(
    logits: Float[Array, "b m m"], masks: UInt8[Array, "b m m"], *, share: Float[Array, " b"]
) -> Float[Array, ""]:
    """Return the mean cross entropy of predicted masks; 255 stands for 1."""
    target = masks.astype(jnp.float32) / 255.0
    entropy = optax.sigmoid_binary_cross_entropy(logits, target)
    return jnp.sum(share * jnp.mean(entropy, axis=(1, 2)))


def _facing(positions: Float[Array, "s s 3"]) -> Float[Array, "s s"]:
    """Return 1 where the surface faces the camera, by central differences."""
    along_v, along_u = jnp.gradient(positions, axis=(0, 1))
    normal = jnp.cross(along_u, along_v)
    length = jnp.linalg.norm(normal, axis=-1)
    return (normal[..., 2] > _FACING * length).astype(jnp.float32)


def _at_texels(
    field: Float[Array, "b m m"], control: Float[Array, "b n n 3"], reading: Reading
) -> tuple[Float[Array, "b s s"], Float[Array, "b s s"]]:
    """Read a map over the crop where the texels truly lie; the second says which texels count."""

    def one(field: Array, control: Array) -> tuple[Array, Array]:
        positions = evaluate_control(control, _TEXELS)
        places = (positions[..., :2] + 0.5) * (field.shape[0] / 256.0) - 0.5
        inside = jnp.all((places >= 0.0) & (places <= field.shape[0] - 1.0), axis=-1)
        weight = _facing(positions) * inside.astype(jnp.float32) * reading.face
        return sample_bilinear(field[..., None], places)[..., 0], weight

    return jax.vmap(one)(field, control)


def cover_loss(
    logits: Float[Array, "b m m"],
    masks: UInt8[Array, "b m m"],
    control: Float[Array, "b n n 3"],
    reading: Reading,
    *,
    share: Float[Array, " b"],
) -> Float[Array, ""]:
    """Return the mask's cross entropy at the seen texels, plus 1 - overlap of covered ones."""
    found, weight = _at_texels(logits, control, reading)
    bare = _at_texels(masks.astype(jnp.float32) / 255.0, control, reading)[0]
    weight = weight * share[:, None, None]
    entropy = optax.sigmoid_binary_cross_entropy(found, bare)
    said, covered = jax.nn.sigmoid(-found), 1.0 - bare
    both = jnp.sum(weight * said * covered)
    either = jnp.sum(weight * (said + covered - said * covered))
    mean = jnp.sum(weight * entropy) / jnp.maximum(jnp.sum(weight), 1e-6)
    return mean + 0.5 * (1.0 - (both + 1e-3) / (either + 1e-3))


def misjudged_share(
    heads: Float[Array, "b m m"],
    masks: UInt8[Array, "b m m"],
    control: Float[Array, "b n n 3"],
    reading: Reading,
) -> Float[Array, " b"]:
    """Return the share of seen texels that are wrongly judged, covered or not, per sample."""
    found, weight = _at_texels(heads, control, reading)
    bare = _at_texels(masks.astype(jnp.float32) / 255.0, control, reading)[0]
    wrong = ((found < 0.5) != (bare < 0.5)).astype(jnp.float32)
    return jnp.sum(weight * wrong, axis=(1, 2)) / jnp.maximum(jnp.sum(weight, axis=(1, 2)), 1.0)


def landmark_error(
    found: Float[Array, "b 68 3"], landmarks: Float[Array, "b 68 3"]
) -> Float[Array, " b"]:
    """Return the mean 2D error of landmarks over the face size."""
    far = jnp.linalg.norm((found - landmarks)[..., :2], axis=-1)
    return far.mean(axis=1) / face_size(landmarks)


def trust_target(error: Float[Array, " b"], is_face: Float[Array, " b"]) -> Float[Array, " b"]:
    """Return what the confidence should be: 1 without error, 1/2 at 8 %; 0 without a face."""
    return is_face / (1.0 + (error / _DOUBTFUL) ** 2)


def confidence_loss(
    logits: Float[Array, " b"], error: Float[Array, " b"], is_face: Float[Array, " b"]
) -> Float[Array, ""]:
    """Return the cross entropy of the confidence; the map does not learn from it."""
    target = trust_target(jax.lax.stop_gradient(error), is_face)
    return jnp.mean(optax.sigmoid_binary_cross_entropy(logits, target))
