"""Crops as maps of cells: folding pixels into channels, and reading maps at places.

References:
    C. Finn et al., "Deep Spatial Autoencoders for Visuomotor Learning", 2016, section IV-B (spatial
    softmax).
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

__all__ = ["CROP_SIZE", "depth_to_space", "read_cells", "space_to_depth", "spatial_softmax"]

CROP_SIZE = 256  # pixels along one side of the crop


def space_to_depth(image: Float[Array, "b h w c"], fold: int) -> Float[Array, "b h2 w2 c2"]:
    """Fold ``fold`` x ``fold`` neighbours into the channels."""
    b, h, w, c = image.shape
    cells = image.reshape(b, h // fold, fold, w // fold, fold, c).transpose(0, 1, 3, 2, 4, 5)
    return cells.reshape(b, h // fold, w // fold, fold * fold * c)


def depth_to_space(cells: Float[Array, "b h w c"], fold: int) -> Float[Array, "b h2 w2 c2"]:
    """Undo `space_to_depth`: unfold the channels into ``fold`` x ``fold`` neighbours."""
    b, h, w, c = cells.shape
    parts = cells.reshape(b, h, w, fold, fold, c // fold**2).transpose(0, 1, 3, 2, 4, 5)
    return parts.reshape(b, h * fold, w * fold, c // fold**2)


def spatial_softmax(scores: Float[Array, "b h w k"]) -> Float[Array, "b k2"]:
    """Return the centre of mass of each map's softmax, x and y in [-1, 1]."""
    b, h, w, k = scores.shape
    mass = nnx.softmax(scores.astype(jnp.float32).reshape(b, h * w, k), axis=1)
    y, x = np.meshgrid(np.linspace(-1, 1, h), np.linspace(-1, 1, w), indexing="ij")
    grid = jnp.asarray(np.stack([x.ravel(), y.ravel()], axis=-1), dtype=mass.dtype)
    return jnp.einsum("bnk,nd->bkd", mass, grid).reshape(b, 2 * k)


def read_cells(
    cells: Float[Array, "b n n c"], points: Float[Array, "b k 2"]
) -> Float[Array, "b k c"]:
    """Read a map of ``n`` x ``n`` cells over the crop at points in crop pixels, bilinearly.

    As products with tent functions: on CPUs much faster than gathers, above all in the gradient.
    Outside the map the last cell continues.
    """
    b, n, _, c = cells.shape
    place = jnp.clip((points + 0.5) * (n / CROP_SIZE) - 0.5, 0.0, n - 1.0)
    tents = nnx.relu(1.0 - jnp.abs(place[..., None] - jnp.arange(n, dtype=points.dtype)))
    weights = (tents[:, :, 1, :, None] * tents[:, :, 0, None, :]).astype(cells.dtype)
    return weights.reshape(b, -1, n * n) @ cells.reshape(b, n * n, c)
