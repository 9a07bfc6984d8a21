"""Start of the linear basis: principal components of the pool's (moved) control maps."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .augment import random_affine, transform_labels
from .config import AugmentConfig
from .pool import Pool

__all__ = ["principal_components"]

_SAMPLES = 2000  # control maps that components are fitted to
_FLOOR = 0.1  # weight of control points off the face, against the mean weight of those on it


def principal_components(
    pool: Pool,
    weights: Float[np.ndarray, "n n"],
    count: int,
    *,
    seed: int,
    config: AugmentConfig,
) -> tuple[Float[np.ndarray, "n n 3"], Float[np.ndarray, "k n n 3"]]:
    """Return mean and components of control maps as training sees them.

    Args:
        pool: where the maps come from; those held back are left out.
        weights: how much each control point matters.
        count: number of components; one that the samples do not span is 0.
        seed: of the choice of samples and of their crops.
        config: how samples are moved.

    Returns:
        Pixels from the middle of the crop; components times one standard deviation, so that
        coefficients have unit variance.
    """
    rng = np.random.default_rng([seed, 2])
    known = np.setdiff1d(np.arange(len(pool)), list(pool.held_back))
    chosen = rng.choice(known, size=min(_SAMPLES, len(known)), replace=False)
    maps = [_moved_map(rng, pool, int(i), config) for i in chosen]
    stack = np.stack(maps) - np.array([127.5, 127.5, 0.0], np.float32)
    shape = stack.shape[1:]
    mean = stack.mean(axis=0)
    root = np.sqrt(weights / weights.mean() + _FLOOR).astype(np.float32)[..., None]
    flat = ((stack - mean) * root).reshape(len(stack), -1)
    values, vectors = np.linalg.eigh(flat @ flat.T)  # few samples, many numbers: dual problem
    order = np.argsort(values)[::-1][:count]
    kept = values[order] > 1e-6 * max(float(values.max()), 1e-12)
    components = np.zeros((count, flat.shape[1]), np.float32)
    components[: kept.sum()] = vectors[:, order[kept]].T @ flat / np.sqrt(len(stack))
    return mean, components.reshape(count, *shape) / root


def _moved_map(
    rng: np.random.Generator, pool: Pool, index: int, config: AugmentConfig
) -> np.ndarray:
    affine = random_affine(rng, pool.size, config, roll=pool.roll(index))
    return transform_labels(pool.control(index), np.zeros((68, 3), np.float32), affine)[0]
