"""Camera of a face: scale, proper rotation and translation from canonical frame to photo.

Convention:
    Both frames have x right, y down, z towards the camera; canonical points in cm, photo points in
    pixels with z in the scale of x and y. ``photo = scale * rotation @ canonical + translation``
    with det(rotation) = +1, for frontal and profile faces alike.

References:
    S. Umeyama, "Least-Squares Estimation of Transformation Parameters Between Two Point
    Patterns", 1991 (closest proper rotation by SVD).
    S. Geman and D. McClure, "Statistical Methods for Tomographic Image Reconstruction", 1987
    (the weight function 1 / (1 + r^2)^2).
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from ..products import product
from ..types import Camera

__all__ = ["closest_rotation", "estimate_camera", "estimate_similarity_3d"]

_TINY = 1e-12


def closest_rotation(matrix: Float[Array, "3 3"]) -> Float[Array, "3 3"]:
    """Return the rotation (det = +1) nearest to a matrix in the Frobenius norm."""
    left, _, right = jnp.linalg.svd(matrix)
    sign = jnp.sign(jnp.linalg.det(product(left, right)))
    flip = jnp.diag(jnp.stack([jnp.ones(()), jnp.ones(()), sign]))
    return product(product(left, flip), right)


def _centre(points: Array, weights: Array) -> tuple[Array, Array]:
    mean = product(weights, points) / jnp.maximum(weights.sum(), _TINY)
    return mean, points - mean


def _affine(canonical: Array, photo: Array, weights: Array) -> Array:
    """Return the weighted least-squares matrix ``[3, 3]`` between centred points."""
    _, p = _centre(canonical, weights)
    _, q = _centre(photo, weights)
    moment = product((weights[:, None] * p).T, p)
    ridge = 1e-7 * jnp.trace(moment) + _TINY
    cross = product((weights[:, None] * q).T, p)
    return jnp.linalg.solve(moment + ridge * jnp.eye(3), cross.T).T


def _residual(matrix: Array, canonical: Array, photo: Array, weights: Array) -> Array:
    _, p = _centre(canonical, weights)
    _, q = _centre(photo, weights)
    return jnp.linalg.norm(q - product(p, matrix.T), axis=-1)


def _placed(
    rotation: Array, origin: Array, goal: Array, p: Array, q: Array, weights: Array
) -> Camera:
    """Return the camera of a rotation; its scale and translation fit centred points."""
    spread = jnp.maximum(product(weights, (p**2).sum(axis=-1)), _TINY)
    scale = product(weights, (q * product(p, rotation.T)).sum(axis=-1)) / spread
    translation = goal - product(scale * rotation, origin)
    return Camera(scale=scale, rotation=rotation, translation=translation)


def estimate_camera(
    canonical: Float[Array, "points 3"],
    photo: Float[Array, "points 3"],
    weights: Float[Array, " points"],
    *,
    iterations: int = 10,
) -> Camera:
    """Fit a weak-perspective camera, little moved by outliers.

    An affine map is fitted by iteratively reweighted least squares; its closest rotation is taken,
    then scale and translation are fitted to that rotation.

    Args:
        canonical: canonical positions, cm.
        photo: positions of the same points, photo pixels.
        weights: non-negative weight per point, such as the layout's mask.
        iterations: reweightings; 0 gives plain least squares.

    Returns:
        Camera from canonical frame to photo.
    """
    _, spread = _centre(photo, weights)
    total = jnp.maximum(weights.sum(), _TINY)
    floor = 1e-6 * jnp.sqrt(product(weights, (spread**2).sum(axis=-1)) / total) + _TINY

    def reweight(_: Array, robust: Array) -> Array:
        matrix = _affine(canonical, photo, robust)
        residual = _residual(matrix, canonical, photo, robust)
        typical = product(robust, residual) / jnp.maximum(robust.sum(), _TINY) + floor
        return weights / (1.0 + (residual / (3.0 * typical)) ** 2) ** 2

    robust = lax.fori_loop(0, iterations, reweight, weights)
    rotation = closest_rotation(_affine(canonical, photo, robust))
    origin, p = _centre(canonical, robust)
    goal, q = _centre(photo, robust)
    return _placed(rotation, origin, goal, p, q, robust)


def estimate_similarity_3d(
    source: Float[Array, "points 3"],
    target: Float[Array, "points 3"],
    weights: Float[Array, " points"],
) -> Camera:
    """Fit scale, proper rotation and translation between points by weighted least squares.

    Args:
        source: points to be mapped.
        target: where they should land.
        weights: non-negative weight per point.

    Returns:
        The similarity from source to target, whose `Camera.project` maps points.
    """
    origin, p = _centre(source, weights)
    goal, q = _centre(target, weights)
    rotation = closest_rotation(product((weights[:, None] * q).T, p))
    return _placed(rotation, origin, goal, p, q, weights)
