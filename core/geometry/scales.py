"""UV images at fewer texels, and back."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

__all__ = ["enlarge", "pool", "pool_inside"]


def pool(image: Array, size: int) -> Array:
    """Average blocks of texels of ``[S, S, c]`` down to at most ``size`` along a side."""
    block = max(image.shape[0] // size, 1)
    if image.shape[0] % block:
        return image
    cells = image.shape[0] // block
    # Sums of slices: XLA's code for CPUs averages two axes at once several times slower.
    rows = image.reshape(cells, block, -1)
    summed = sum((rows[:, k] for k in range(1, block)), start=rows[:, 0])
    columns = summed.reshape(cells, cells, block, -1)
    return sum((columns[:, :, k] for k in range(1, block)), start=columns[:, :, 0]) / block**2


def pool_inside(mask: Array, size: int) -> Array:
    """Average blocks of a mask ``[S, S]``; interpolated, it is 0 wherever the mask is."""
    small = pool(mask[..., None], size)[..., 0]
    if small.shape == mask.shape:
        return mask
    is_free = jnp.pad(mask > 0.0, 1)
    rows = is_free[:-2] & is_free[1:-1] & is_free[2:]
    inside = rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]  # and so are its neighbours
    is_inside = pool(inside.astype(mask.dtype)[..., None], size)[..., 0] == 1.0
    return small * is_inside.astype(mask.dtype)


def enlarge(image: Array, size: int) -> Array:
    """Interpolate a UV image ``[s, s, c]`` linearly to ``size`` texels along a side."""
    return jax.image.resize(image, (size, size, image.shape[-1]), "linear")
