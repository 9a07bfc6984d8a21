"""UV images at fewer texels, and back."""

from __future__ import annotations

import jax
from jax import Array

__all__ = ["enlarge", "pool"]


def pool(image: Array, size: int) -> Array:
    """Average blocks of texels of ``[S, S, c]`` down to at most ``size`` along a side."""
    block = max(image.shape[0] // size, 1)
    if image.shape[0] % block:
        return image
    cells = image.shape[0] // block
    return image.reshape(cells, block, cells, block, -1).mean(axis=(1, 3))


def enlarge(image: Array, size: int) -> Array:
    """Interpolate a UV image ``[s, s, c]`` linearly to ``size`` texels along a side."""
    return jax.image.resize(image, (size, size, image.shape[-1]), "linear")
