"""Random heads: identity, expression and gaze of one sample.

Expressions are mixtures of a few archetypes (smile, talk, scream, blink, ...) plus a handful of
single shapes, each side of the face with its own strength, so that they look like expressions of
people and still cover the space.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from .head import HeadModel
from .numbers import Numbers

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
    draw = Numbers(key, count + 1)
    spread = draw.uniform(low=0.5, high=1.0)
    return jnp.clip(spread * draw.normal((count,)), -2.5, 2.5)


def _sides(draw: Numbers, names: tuple[str, ...]) -> Array:
    """Return a factor per shape: near 1, and now and then one side alone."""
    tilt = 0.6 * draw.uniform() ** 2 * draw.normal()
    one = draw.uniform()
    left = jnp.clip(1.0 + tilt, 0.0, 1.6) * jnp.where(one < 0.03, 0.0, 1.0)
    right = jnp.clip(1.0 - tilt, 0.0, 1.6) * jnp.where(one > 0.97, 0.0, 1.0)
    return jnp.where(_ends(names, "_L"), left, jnp.where(_ends(names, "_R"), right, 1.0))


def _ends(names: tuple[str, ...], suffix: str) -> np.ndarray:
    return np.array([name.endswith(suffix) for name in names])


def _eyelids(draw: Numbers) -> tuple[Array, Array]:
    """Return the strengths of the blink of the left and of the right eye."""
    kind, value = draw.uniform(), draw.uniform()
    blink = jnp.where(kind < 0.07, 0.7 + 0.3 * value, jnp.where(kind < 0.3, 0.5 * value, 0.1))
    wink = draw.uniform()
    left = jnp.where(wink < 0.01, 0.9, 0.0)
    right = jnp.where(wink > 0.99, 0.9, 0.0)
    return jnp.maximum(blink, left), jnp.maximum(blink, right)


def sample_expression(key: Array, head: HeadModel) -> Float[Array, " expressions"]:
    """Return expression coefficients in [0, 1]."""
    names = head.expression_names
    count = len(names)
    table, probability = expression_archetypes(names)
    draw = Numbers(key, 3 * count + 12)
    chosen = jnp.stack([draw.choice(probability), draw.choice(probability)])
    strength = draw.uniform((2,), low=0.4, high=1.3) * jnp.array([1.0, 0.4])
    is_on = draw.uniform((count,)) < _SPARSE_PROBABILITY
    sparse = jnp.where(is_on, draw.uniform((count,)) ** 1.5, 0.0)
    # Jaw sideways, one mouth corner and the like are rare and weak in photos.
    is_lateral = np.array([name in ("jawLeft", "jawRight", "jawForward") for name in names])
    sparse = jnp.where(is_lateral, 0.5 * sparse, sparse)
    value = (strength @ table[chosen] + sparse) * _sides(draw, names)
    value += 0.03 * draw.uniform((count,))
    left, right = _eyelids(draw)
    is_blink = np.array([name.startswith("eyeBlink") for name in names])
    lids = jnp.where(_ends(names, "_L"), left, right)
    is_eye = np.array([name.startswith(("eyeLook", "Pupil")) for name in names])
    value = jnp.where(is_blink, lids, jnp.where(is_eye, 0.0, jnp.clip(value, 0.0, 1.0)))
    if "mouthClose" not in names or "jawOpen" not in names:
        return value
    limit = value[names.index("jawOpen")] + 0.06
    is_close = np.array([name == "mouthClose" for name in names])
    return jnp.where(is_close, jnp.minimum(value, limit), value)


def sample_gaze(key: Array) -> Float[Array, " 2"]:
    """Return the direction of both eyes: to the subject's left, up; radians."""
    draw = Numbers(key, 3)
    spread = draw.uniform(low=0.05, high=0.3)
    return jnp.clip(spread * draw.normal((2,)), -0.6, 0.6) * jnp.array([1.0, 0.6])
