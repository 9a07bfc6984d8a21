"""Cubic B-spline control maps: a smooth UV map from a small grid of control points.

Convention:
    ``n`` control points along a side span ``n - 3`` equal knot intervals over u in [0, 1]; the
    texel of column j lies at u = (j + 0.5) / S. The basis is a partition of unity that also
    reproduces straight lines: an affine map of the control points is the same affine map of the
    result, so that crops and cameras can be applied to control points. The knots are mirror
    symmetric: a mirrored control grid gives the mirrored map.

References:
    C. de Boor, "A Practical Guide to Splines", 1978, chapters 9-11.
"""

from __future__ import annotations

from functools import cache

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

__all__ = ["evaluate_control", "finer_control", "fit_control"]


@cache
def _basis(size: int, n: int) -> np.ndarray:
    """Return the ``[size, n]`` values of the basis functions at the texel centres (float64)."""
    place = (np.arange(size) + 0.5) / size * (n - 3)
    first = np.minimum(np.floor(place).astype(int), n - 4)
    t = place - first
    weights = (
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    )
    matrix = np.zeros((size, n))
    for k, weight in enumerate(weights):
        matrix[np.arange(size), first + k] = weight
    return matrix


@cache
def _inverse_basis(size: int, n: int) -> np.ndarray:
    return np.linalg.pinv(_basis(size, n))


def evaluate_control(control: Float[Array, "n n c"], size: int) -> Float[Array, "{size} {size} c"]:
    """Evaluate a control map at the texel centres of a ``size`` x ``size`` UV map."""
    basis = jnp.asarray(_basis(size, control.shape[0]), jnp.float32)
    return _both_sides(basis, control)


def fit_control(map_: Float[Array, "size size c"], n: int = 64) -> Float[Array, "{n} {n} c"]:
    """Return the control map whose values come nearest to a UV map (least squares)."""
    inverse = jnp.asarray(_inverse_basis(map_.shape[0], n), jnp.float32)
    return _both_sides(inverse, map_)


def finer_control(n: int, finer: int) -> Float[np.ndarray, "{finer} {n}"]:
    """Return the matrix of one axis that turns ``n`` control points into more.

    Of all finer control points those whose values come nearest to the given ones' curve; the knots
    of one grid need not be knots of the other, so that the curves may differ a little.
    """
    return (_inverse_basis(8 * finer, finer) @ _basis(8 * finer, n)).astype(np.float32)


def _both_sides(matrix: Array, map_: Array) -> Array:
    rows = jnp.einsum("ri,ijc->rjc", matrix, map_, precision="highest")
    return jnp.einsum("sj,rjc->rsc", matrix, rows, precision="highest")
