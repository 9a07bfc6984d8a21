"""UV images at fewer texels, and back."""

from __future__ import annotations

import jax
from jax import Array

__all__ = ["enlarge", "pool"]


def pool(image: Array, size: int) -> Array:
    """Average blocks of texels of ``[S, S, c]`` down to ``size`` along a side, or a few more.

    The blocks are the largest that fit the image and leave ``size`` texels or more.
    """
    texels = image.shape[0]
    block = next(step for step in range(max(texels // size, 1), 0, -1) if texels % step == 0)
    if block == 1:
        return image
    cells = texels // block
    # Sums of slices: XLA's code for CPUs averages two axes at once several times slower.
    rows = image.reshape(cells, block, -1)
    summed = sum((rows[:, k] for k in range(1, block)), start=rows[:, 0])
    columns = summed.reshape(cells, cells, block, -1)
    return sum((columns[:, :, k] for k in range(1, block)), start=columns[:, :, 0]) / block**2


def enlarge(image: Array, size: int) -> Array:
    """Interpolate a UV image ``[s, s, c]`` linearly to ``size`` texels along a side."""
    return jax.image.resize(image, (size, size, image.shape[-1]), "linear")
