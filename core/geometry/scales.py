"""Images at fewer pixels or texels, and back."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int

__all__ = ["enlarge", "enlarge_part", "pool", "pool_block"]


def pool(image: Array, size: int) -> Array:
    """Average blocks of pixels or texels of ``[h, w, c]``, down to ``size`` rows or more.

    The blocks are the largest squares that divide both sides and leave so many. Where there are
    none, as in a smaller image, it is returned as it is.
    """
    height, width, _ = image.shape
    block = pool_block((height, width), size)
    if block == 1:
        return image
    # Sums of slices: XLA's code for CPUs averages two axes at once several times slower.
    rows = image.reshape(height // block, block, -1)
    summed = sum((rows[:, k] for k in range(1, block)), start=rows[:, 0])
    columns = summed.reshape(height // block, width // block, block, -1)
    return sum((columns[:, :, k] for k in range(1, block)), start=columns[:, :, 0]) / block**2


def pool_block(shape: tuple[int, int], size: int) -> int:
    """Return the side of the blocks that `pool` averages of so many rows and columns."""
    height, width = shape
    block = max(height // size, 1)
    while height % block or width % block:
        block -= 1
    return block


def enlarge(image: Array, height: int, width: int | None = None) -> Array:
    """Interpolate an image ``[h, w, c]`` linearly; by default to as many columns as rows."""
    return jax.image.resize(image, (height, width or height, image.shape[-1]), "linear")


def enlarge_part(
    image: Float[Array, "c h w"],
    zoom: Float[Array, ""],
    corner: Int[Array, " 2"] | Float[Array, " 2"],
    size: tuple[int, int],
) -> Float[Array, "c rows columns"]:
    """Interpolate an image linearly, as `enlarge` does, at a part of the result's pixels.

    Args:
        image: channels first.
        zoom: pixels of the whole result per pixel of the image.
        corner: where the part begins (x, y), pixels of the whole result from its border; beyond
            the whole there are zeros.
        size: rows and columns of the part.
    """
    return jax.image.scale_and_translate(
        image,
        (image.shape[0], *size),
        (1, 2),
        jnp.broadcast_to(zoom, 2),
        -jnp.flip(corner).astype(jnp.float32),
        "linear",
        antialias=False,
    )
