"""Images at fewer pixels or texels, and back."""

from __future__ import annotations

import jax
from jax import Array

__all__ = ["enlarge", "pool"]


def pool(image: Array, size: int) -> Array:
    """Average blocks of pixels or texels of ``[h, w, c]``, down to ``size`` rows or more.

    The blocks are the largest squares that divide both sides and leave so many. Where there are
    none, as in a smaller image, it is returned as it is.
    """
    height, width, _ = image.shape
    block = max(height // size, 1)
    while height % block or width % block:
        block -= 1
    if block == 1:
        return image
    # Sums of slices: XLA's code for CPUs averages two axes at once several times slower.
    rows = image.reshape(height // block, block, -1)
    summed = sum((rows[:, k] for k in range(1, block)), start=rows[:, 0])
    columns = summed.reshape(height // block, width // block, block, -1)
    return sum((columns[:, :, k] for k in range(1, block)), start=columns[:, :, 0]) / block**2


def enlarge(image: Array, height: int, width: int | None = None) -> Array:
    """Interpolate an image ``[h, w, c]`` linearly; by default to as many columns as rows."""
    return jax.image.resize(image, (height, width or height, image.shape[-1]), "linear")
