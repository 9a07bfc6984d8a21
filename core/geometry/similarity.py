"""Similarity of the image plane that maps one point set to another.

Convention:
    x right, y down, pixels. The result maps ``source`` to ``target``:
    ``target = scale * rotation @ source + translation`` with det(rotation) = +1.

References:
    S. Umeyama, "Least-Squares Estimation of Transformation Parameters Between Two Point
    Patterns", 1991, equations 40-42. In the plane the solution needs no SVD: with points as
    complex numbers, scale and rotation are one complex quotient, never a reflection.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..products import product
from ..types import Similarity

__all__ = ["estimate_similarity"]


def estimate_similarity(
    source: Float[Array, "points 2"], target: Float[Array, "points 2"]
) -> Similarity:
    """Fit scale, rotation and translation by least squares.

    Args:
        source: points to be mapped, pixels.
        target: where they should land, pixels.

    Returns:
        Similarity from source to target; identity rotation if the points coincide.
    """
    w = jnp.ones(source.shape[0], source.dtype) / source.shape[0]
    centre, goal = product(w, source), product(w, target)
    p, q = source - centre, target - goal
    spread = (w[:, None] * p**2).sum()
    cosine = (w * (p[:, 0] * q[:, 0] + p[:, 1] * q[:, 1])).sum()
    sine = (w * (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0])).sum()
    length = jnp.hypot(cosine, sine)
    is_usable = length > 1e-12
    cosine = jnp.where(is_usable, cosine / jnp.where(is_usable, length, 1.0), 1.0)
    sine = jnp.where(is_usable, sine / jnp.where(is_usable, length, 1.0), 0.0)
    scale = jnp.where(is_usable, length / jnp.maximum(spread, 1e-12), 1.0)
    rotation = jnp.stack([jnp.stack([cosine, -sine]), jnp.stack([sine, cosine])])
    translation = goal - product(scale * rotation, centre)
    return Similarity(scale=scale, rotation=rotation, translation=translation)
