"""Random heads: identity, expression and gaze of one sample.

Expressions are mixtures of a few archetypes (smile, talk, scream, blink, ...) plus a handful of
single shapes, each side of the face with its own strength, so that they look like expressions of
people and still cover the space.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from .head import HeadModel

__all__ = ["expression_archetypes", "sample_expression", "sample_gaze", "sample_identity"]

# Strengths of the shapes; a name without a side means both sides. Probability, then shapes.
_ARCHETYPES: tuple[tuple[float, dict[str, float]], ...] = (
    (2.0, {}),
    (1.5, {"mouthClose": 0.08, "jawOpen": 0.06, "mouthPress": 0.3}),
    (1.0, {"mouthClose": 0.1, "jawOpen": 0.05, "mouthShrugLower": 0.4}),
    (2.0, {"mouthSmile": 0.6, "cheekSquint": 0.4, "mouthDimple": 0.3}),
    (1.6, {"mouthSmile": 0.9, "jawOpen": 0.15, "cheekSquint": 0.7, "mouthUpperUp": 0.4}),
    (1.0, {"mouthSmile": 0.8, "jawOpen": 0.5, "cheekRaiser": 0.6, "mouthLowerDown": 0.4}),
    (0.8, {"jawOpen": 0.5, "mouthFunnel": 0.3}),
    (0.5, {"jawOpen": 1.0, "mouthStretch": 0.4, "eyeSquint": 0.5, "browDown": 0.5}),
    (0.7, {"jawOpen": 0.6, "eyeWide": 0.8, "browInnerUp": 0.8, "browOuterUp": 0.8}),
    (0.7, {"mouthFrown": 0.8, "browInnerUp": 0.6, "mouthShrugLower": 0.5}),
    (0.7, {"browDown": 0.9, "noseSneer": 0.6, "eyeSquint": 0.5, "mouthPress": 0.5}),
    (0.6, {"mouthPucker": 0.9, "mouthFunnel": 0.2}),
    (0.6, {"jawOpen": 0.25, "mouthLowerDown": 0.4, "mouthUpperUp": 0.3}),
    (0.5, {"mouthRollLower": 0.7, "mouthRollUpper": 0.7, "jawOpen": 0.05}),
    (0.5, {"mouthUpperUp": 0.7, "noseSneer": 0.8, "cheekRaiser": 0.6}),
    (0.4, {"cheekPuff": 0.8, "mouthPress": 0.4}),
)
_SPARSE_PROBABILITY = 0.06  # of each further shape


def expression_archetypes(names: tuple[str, ...]) -> tuple[Array, Array]:
    """Return coefficients ``[A, E]`` of the archetypes and their probabilities ``[A]``."""
    table = np.zeros((len(_ARCHETYPES), len(names)), np.float32)
    for row, (_, shapes) in zip(table, _ARCHETYPES, strict=True):
        for shape, strength in shapes.items():
            for column, name in enumerate(names):
                if name in (shape, f"{shape}_L", f"{shape}_R"):
                    row[column] = strength
    weights = np.array([weight for weight, _ in _ARCHETYPES], np.float32)
    return jnp.asarray(table), jnp.asarray(weights / weights.sum())


def sample_identity(key: Array, count: int) -> Float[Array, " identities"]:
    """Return ``count`` identity coefficients; how far from the mean varies from head to head."""
    spread_key, key = jax.random.split(key)
    spread = jax.random.uniform(spread_key, minval=0.5, maxval=1.0)
    return jnp.clip(spread * jax.random.normal(key, (count,)), -2.5, 2.5)


def _sides(key: Array, names: tuple[str, ...]) -> Array:
    """Return a factor per shape: near 1, and now and then one side alone."""
    spread_key, left_key, one_key = jax.random.split(key, 3)
    spread = 0.6 * jax.random.uniform(spread_key) ** 2
    tilt = spread * jax.random.normal(left_key)
    one = jax.random.uniform(one_key)
    left = jnp.clip(1.0 + tilt, 0.0, 1.6) * jnp.where(one < 0.03, 0.0, 1.0)
    right = jnp.clip(1.0 - tilt, 0.0, 1.6) * jnp.where(one > 0.97, 0.0, 1.0)
    is_left = np.array([name.endswith("_L") for name in names])
    is_right = np.array([name.endswith("_R") for name in names])
    return jnp.where(is_left, left, jnp.where(is_right, right, 1.0))


def _eyelids(key: Array) -> Array:
    """Return the strengths of the blink of the left and of the right eye."""
    kind_key, value_key, wink_key = jax.random.split(key, 3)
    kind = jax.random.uniform(kind_key)
    value = jax.random.uniform(value_key)
    blink = jnp.where(kind < 0.07, 0.7 + 0.3 * value, jnp.where(kind < 0.3, 0.5 * value, 0.1))
    wink = jax.random.uniform(wink_key)
    return blink * jnp.array([1.0, 1.0]) + jnp.where(
        wink < 0.01, jnp.array([0.9, 0.0]), jnp.where(wink > 0.99, jnp.array([0.0, 0.9]), 0.0)
    )


def sample_expression(key: Array, head: HeadModel) -> Float[Array, " expressions"]:
    """Return expression coefficients in [0, 1]."""
    names = head.expression_names
    table, probability = expression_archetypes(names)
    keys = jax.random.split(key, 9)
    chosen = jax.random.choice(keys[0], len(table), (2,), p=probability)
    strength = jax.random.uniform(keys[1], (2,), minval=0.4, maxval=1.1) * jnp.array([1.0, 0.4])
    is_on = jax.random.uniform(keys[2], (len(names),)) < _SPARSE_PROBABILITY
    sparse = jnp.where(is_on, jax.random.uniform(keys[3], (len(names),)) ** 1.5, 0.0)
    # Jaw sideways, one mouth corner and the like are rare and weak in photos.
    lateral = np.array([name in ("jawLeft", "jawRight", "jawForward") for name in names])
    sparse = jnp.where(lateral, 0.5 * sparse, sparse)
    value = (strength @ table[chosen] + sparse) * _sides(keys[4], names)
    value += 0.03 * jax.random.uniform(keys[5], (len(names),))
    lids = _eyelids(keys[6])
    index = {name: column for column, name in enumerate(names)}
    for side, lid in zip("LR", lids, strict=True):
        if f"eyeBlink_{side}" in index:
            value = value.at[index[f"eyeBlink_{side}"]].set(lid)
    for name in names:
        if name.startswith(("eyeLook", "Pupil")):
            value = value.at[index[name]].set(0.0)
    value = jnp.clip(value, 0.0, 1.0)
    if "mouthClose" in index and "jawOpen" in index:
        close = jnp.minimum(value[index["mouthClose"]], value[index["jawOpen"]] + 0.06)
        value = value.at[index["mouthClose"]].set(close)
    return value


def sample_gaze(key: Array) -> Float[Array, " 2"]:
    """Return the direction of both eyes: to the subject's left, up; radians."""
    spread_key, key = jax.random.split(key)
    spread = jax.random.uniform(spread_key, minval=0.05, maxval=0.3)
    return jnp.clip(spread * jax.random.normal(key, (2,)), -0.6, 0.6) * jnp.array([1.0, 0.6])
