"""Reading images between their pixels, and resampling UV maps.

Convention:
    Points are (x, y) in pixels, x right, y down, pixel centres at integers; beyond the border the
    nearest border pixel continues. UV maps of two sizes agree in u = (j + 0.5) / S, so that texel
    j of the small map is not texel 2 j of one twice its size.

References:
    R. Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981 (a = -1/2).
"""

from __future__ import annotations

from functools import cache

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

__all__ = ["resize_map", "sample_bicubic", "sample_bilinear", "sample_texture"]


def _split(points: Array) -> tuple[Array, Array]:
    """Return whole and fractional parts of coordinates; NaN counts as 0."""
    safe = jnp.clip(jnp.nan_to_num(points), -1e6, 1e6)
    whole = jnp.floor(safe)
    return whole.astype(jnp.int32), safe - whole


def _gather(image: Array, column: Array, row: Array) -> Array:
    height, width, channels = image.shape
    column, row = jnp.clip(column, 0, width - 1), jnp.clip(row, 0, height - 1)
    return image.reshape(-1, channels)[row * width + column]


def sample_bilinear(
    image: Float[Array, "height width c"], points: Float[Array, "*n 2"]
) -> Float[Array, "*n c"]:
    """Interpolate linearly between the four pixels around each point (x, y)."""
    whole, part = _split(points)
    x, y = whole[..., 0], whole[..., 1]
    right, down = part[..., 0:1], part[..., 1:2]
    upper = _gather(image, x, y) * (1.0 - right) + _gather(image, x + 1, y) * right
    lower = _gather(image, x, y + 1) * (1.0 - right) + _gather(image, x + 1, y + 1) * right
    return (upper * (1.0 - down) + lower * down).astype(image.dtype)


def _keys_weights(part: Array) -> list[Array]:
    """Return the weights of pixels -1, 0, 1, 2 for a fractional position."""
    t, t2, t3 = part, part**2, part**3
    return [
        0.5 * (-t + 2.0 * t2 - t3),
        0.5 * (2.0 - 5.0 * t2 + 3.0 * t3),
        0.5 * (t + 4.0 * t2 - 3.0 * t3),
        0.5 * (t3 - t2),
    ]


def sample_bicubic(
    image: Float[Array, "height width c"], points: Float[Array, "*n 2"]
) -> Float[Array, "*n c"]:
    """Interpolate by cubic convolution over 4x4 pixels; sharper, may overshoot at edges."""
    whole, part = _split(points)
    across, down = _keys_weights(part[..., 0:1]), _keys_weights(part[..., 1:2])
    total = jnp.zeros((*points.shape[:-1], image.shape[-1]), jnp.float32)
    for j in range(4):
        row = whole[..., 1] + (j - 1)
        line = [across[i] * _gather(image, whole[..., 0] + (i - 1), row) for i in range(4)]
        total += down[j] * (line[0] + line[1] + line[2] + line[3])
    return total.astype(image.dtype)


def sample_texture(
    image: Float[Array, "height width c"],
    position_map: Float[Array, "size size 3"],
) -> Float[Array, "size size c"]:
    """Read the photo's colours linearly at the texels, also at those that are hidden in it.

    Args:
        image: photo.
        position_map: texel to photo position, pixels.
    """
    return sample_bilinear(image, position_map[..., :2])


def _keys_kernel(distance: np.ndarray) -> np.ndarray:
    d = np.abs(distance)
    near = 1.5 * d**3 - 2.5 * d**2 + 1.0
    far = -0.5 * d**3 + 2.5 * d**2 - 4.0 * d + 2.0
    return np.where(d < 1.0, near, np.where(d < 2.0, far, 0.0))


@cache
def _resize_matrix(old: int, new: int) -> np.ndarray:
    """Return the ``[new, old]`` matrix that resamples a line; exact for linear functions.

    The kernel is widened when the line shrinks. The line is continued beyond its ends by straight
    lines, so that positions do not flatten there.
    """
    stretch = max(1.0, old / new)
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    reach = int(np.ceil(2 * stretch)) + 1
    places = np.arange(-reach, old + reach)
    weights = _keys_kernel((places - centres[:, None]) / stretch)
    weights /= weights.sum(axis=1, keepdims=True)
    matrix = weights[:, reach : reach + old].copy()
    for k in range(1, reach + 1):
        before, after = weights[:, reach - k], weights[:, reach + old - 1 + k]
        matrix[:, 0] += (1 + k) * before
        matrix[:, 1] -= k * before
        matrix[:, -1] += (1 + k) * after
        matrix[:, -2] -= k * after
    drift = centres - matrix @ np.arange(old)
    base = np.clip(np.floor(centres).astype(int), 0, old - 2)
    matrix[np.arange(new), base] -= drift
    matrix[np.arange(new), base + 1] += drift
    return matrix.astype(np.float32)


def resize_map(map_: Float[Array, "old old c"], size: int) -> Float[Array, "{size} {size} c"]:
    """Resample a UV map to another number of texels (cubic, averaged when it shrinks).

    Values are unchanged where the map is an affine function of u and v.
    """
    old = map_.shape[0]
    if old == size:
        return map_
    matrix = jnp.asarray(_resize_matrix(old, size))
    return jnp.einsum("ri,ijc,sj->rsc", matrix, map_, matrix, precision="highest")
