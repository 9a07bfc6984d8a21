"""Fold-free flattening of a disk onto a superellipse.

A Tutte map (convex combinations, so no triangle folds over) is the start; then the symmetric
Dirichlet energy against target shapes is lowered with SLIM, whose line search never lets a
triangle turn over.

References:
    Tutte, How to draw a graph, 1963.
    Rabinovich, Poranne, Panozzo, Sorkine-Hornung, Scalable locally injective mappings, 2017
    (Algorithm 1 and table 1); the step bound is of Smith and Schaefer, Bijective
    parameterization with free boundaries, 2015, section 3.3.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.sparse.linalg import splu

__all__ = ["flatten_disk", "jacobians", "superellipse", "tutte"]


def superellipse(
    angle: Float[np.ndarray, " n"], *, half_width: float, exponent: float
) -> Float[np.ndarray, "n 2"]:
    """Return the boundary points in the directions ``angle`` (radians) from the centre."""
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    norm = (np.abs(direction) ** exponent).sum(axis=1) ** (1 / exponent)
    return half_width * direction / norm[:, None]


def tutte(
    triangles: Int[np.ndarray, "M 3"],
    boundary: Int[np.ndarray, " b"],
    rim: Float[np.ndarray, "b 2"],
) -> Float[np.ndarray, "N 2"]:
    """Place every inner vertex at the mean of its neighbours."""
    count = int(triangles.max()) + 1
    i, j = triangles.ravel(), np.roll(triangles, -1, axis=1).ravel()
    graph = sparse.coo_matrix((np.ones(len(i)), (i, j)), (count, count)).tocsr()
    graph = ((graph + graph.T) > 0).astype(float)
    laplacian = sparse.diags(np.asarray(graph.sum(axis=1)).ravel()) - graph
    plane = np.zeros((count, 2))
    plane[boundary] = rim
    inner = np.setdiff1d(np.arange(count), boundary)
    right = -laplacian[inner][:, boundary] @ rim
    plane[inner] = splu(laplacian[inner][:, inner].tocsc()).solve(right)
    return plane


def _gradients(rest: np.ndarray) -> np.ndarray:
    """Return ``[M, 2, 3]``: derivative along x and y from corner values; rest ``[M, 3, 2]``."""
    edges = np.stack([rest[:, 1] - rest[:, 0], rest[:, 2] - rest[:, 0]], axis=2)
    inverse = np.linalg.inv(edges)  # (value1 - value0, value2 - value0) @ inverse = gradient
    return np.stack([-inverse.sum(axis=1), inverse[:, 0], inverse[:, 1]], axis=2)


def _gradient_matrices(
    rest: np.ndarray, triangles: np.ndarray, count: int
) -> list[sparse.csr_matrix]:
    """Return the derivatives along x and y as matrices ``[M, N]`` over vertex values."""
    gradients = _gradients(rest)
    rows, columns = np.repeat(np.arange(len(triangles)), 3), triangles.ravel()
    shape = (len(triangles), count)
    return [sparse.csr_matrix((gradients[:, k].ravel(), (rows, columns)), shape) for k in range(2)]


def jacobians(
    rest: Float[np.ndarray, "M 3 2"],
    triangles: Int[np.ndarray, "M 3"],
    plane: Float[np.ndarray, "N 2"],
) -> Float[np.ndarray, "M 2 2"]:
    """Return the derivative of the flattening per triangle, rows are the plane's axes."""
    return np.einsum("mak,mkd->mda", _gradients(rest), plane[triangles])


def _energy(jacobian: np.ndarray, area: np.ndarray) -> float:
    determinant = np.linalg.det(jacobian)
    if (determinant <= 0).any():
        return np.inf
    squared = (jacobian**2).sum(axis=(1, 2))
    return float((area * squared * (1 + determinant**-2)).sum())


def _step_to_fold(plane: np.ndarray, step: np.ndarray, triangles: np.ndarray) -> float:
    """Return the largest multiple of the step before a triangle's area becomes zero."""

    def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]

    p, d = plane[triangles], step[triangles]
    p1, p2, d1, d2 = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0], d[:, 1] - d[:, 0], d[:, 2] - d[:, 0]
    a, b, c = cross(d1, d2), cross(p1, d2) + cross(d1, p2), cross(p1, p2)
    root = np.sqrt(np.maximum(b * b - 4 * a * c, 0))
    # Stable form of the smaller positive root of a t^2 + b t + c = 0 with c > 0.
    with np.errstate(divide="ignore", invalid="ignore"):
        first = 2 * c / (-b + root)
        second = 2 * c / (-b - root)
    real = b * b - 4 * a * c >= 0
    roots = np.concatenate([first[real], second[real]])
    roots = roots[np.isfinite(roots) & (roots > 0)]
    return float(roots.min(initial=np.inf))


def _proxy(jacobian: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights and the closest rotations of one SLIM iteration."""
    u, s, vt = np.linalg.svd(jacobian)
    away = np.where(np.abs(s - 1) < 1e-6, 1.0, s - 1)
    weight = np.where(np.abs(s - 1) < 1e-6, 2.0, np.sqrt(np.abs((s - s**-3) / away)))
    return np.einsum("mij,mj,mkj->mik", u, weight, u), u @ vt


def flatten_disk(
    rest: Float[np.ndarray, "M 3 2"],
    triangles: Int[np.ndarray, "M 3"],
    boundary: Int[np.ndarray, " b"],
    start: Float[np.ndarray, "N 2"],
    *,
    iterations: int = 60,
) -> Float[np.ndarray, "N 2"]:
    """Lower the symmetric Dirichlet energy of the map from the target shapes to the plane.

    Args:
        rest: target shape of each triangle, counter-clockwise.
        triangles: vertex numbers.
        boundary: vertices that stay where they are.
        start: positions without folds.
        iterations: number of SLIM steps.
    """
    count = len(start)
    area = 0.5 * np.linalg.det(rest[:, 1:] - rest[:, :1])
    along = _gradient_matrices(rest, triangles, count)
    free = np.setdiff1d(np.arange(count), boundary)
    unknown = np.concatenate([free, count + free])
    plane = start.copy()
    for _ in range(iterations):
        jacobian = jacobians(rest, triangles, plane)
        weight, rotation = _proxy(jacobian)
        weighted = np.sqrt(area)[:, None, None] * weight
        blocks = [
            [sparse.diags(weighted[:, i, d]) @ along[k] for d in range(2)]
            for k in range(2)
            for i in range(2)
        ]
        system = sparse.bmat(blocks, format="csr")
        target = np.concatenate(
            [(weighted @ rotation)[:, i, k] for k in range(2) for i in range(2)]
        )
        residual = target - system @ plane.T.ravel()
        system = system[:, unknown]
        change = np.zeros(2 * count)
        normal = (system.T @ system).tocsc()
        change[unknown] = splu(normal).solve(system.T @ residual)
        plane, moved = _line_search(rest, triangles, area, plane, change.reshape(2, count).T)
        if moved < 1e-7:
            break
    return plane


def _line_search(
    rest: np.ndarray, triangles: np.ndarray, area: np.ndarray, plane: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray, float]:
    length = min(1.0, 0.8 * _step_to_fold(plane, step, triangles))
    before = _energy(jacobians(rest, triangles, plane), area)
    for _ in range(20):
        moved = plane + length * step
        if _energy(jacobians(rest, triangles, moved), area) < before:
            return moved, float(np.abs(length * step).max())
        length *= 0.6
    return plane, 0.0
