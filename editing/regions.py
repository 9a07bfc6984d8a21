"""Regions of the face as masks in UV space: combined, softened, and the one that a swap moves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.errors import InputError
from ..core.geometry.landmarks import BROWS
from ..core.geometry.layout import UVLayout
from ..core.geometry.ramps import ramp

__all__ = [
    "FEATHER",
    "SEEN",
    "combine_regions",
    "kept_regions",
    "soft_region",
    "soften",
    "swap_region",
]

FEATHER = 3.0  # texels of 256: the soft border of regions, unless another is given
SEEN = (0.4, 0.8)  # visibility from which on a face is retouched and made up

# Height above the brows, in canonical cm, over which the mask of a swap fades out: most hairlines
# begin some 4 to 6 cm above the brows; hair below them is found by what it looks like.
_FOREHEAD_FADE = (3.0, 5.5)
_KEEP_BLUR = 2.0  # texels of 256: softness of the kept regions' border
# Where a blurred region begins to be kept, and where it is kept whole: a half is its border. That
# of the eyeballs lies inside, since the lids' edges and lashes are the reference's.
_KEPT_OUTSIDE, _KEPT_INSIDE = (0.02, 0.3), (0.5, 1.0)
_LEAST = 0.01  # below this the mask of a soft region is 0
_CELLS = 3  # at least so many interpolated places per standard deviation: 1.5 % of the height


def combine_regions(layout: UVLayout, names: Sequence[str]) -> Float[Array, "size size"]:
    """Return the union of regions: the largest of their masks at each texel.

    Raises:
        InputError: no name is given, or a name is unknown.
    """
    if not names:
        known = ", ".join(sorted(layout.regions))
        raise InputError(f"no region given; choose from {known}")
    mask = layout.region(names[0])
    for name in names[1:]:
        mask = jnp.maximum(mask, layout.region(name))
    return mask


def soft_region(
    layout: UVLayout, names: Sequence[str], feather: float
) -> Float[Array, "size size"]:
    """Return the union of regions with a soft border, within the layout's mask.

    Args:
        layout: whose regions.
        names: of the regions.
        feather: width of the border, texels of 256; a wide one may leave nothing of small regions.

    Raises:
        InputError: as `combine_regions`.
    """
    width = jnp.asarray(feather * layout.size / 256, jnp.float32)
    mask = _soft_union(combine_regions(layout, names), layout.mask, width)
    return jnp.where(mask < _LEAST, 0.0, mask)


@jax.jit
def _soft_union(mask: Array, layout_mask: Array, feather: Array) -> Array:
    return soften(mask[..., None], feather)[..., 0] * layout_mask


def soften(
    image: Float[Array, "height width c"], sigma: float | Float[Array, ""]
) -> Float[Array, "height width c"]:
    """Blur an image with a Gaussian, renormalised at the borders.

    Args:
        image: any channels.
        sigma: standard deviation in pixels; may be traced; 0 changes nothing. A wide blur whose
            width is known beforehand is found at every few texels and interpolated between.
    """
    height, width, _ = image.shape
    if not isinstance(sigma, float | int):
        return _both_ways(_gaussian(height, sigma), image, _gaussian(width, sigma))
    finer_rows, rows = _blur_matrices(height, float(sigma))
    finer_columns, columns = _blur_matrices(width, float(sigma))
    return _both_ways(finer_rows, _both_ways(rows, image, columns), finer_columns)


def _gaussian(size: int, sigma: Float[Array, ""]) -> Float[Array, "size size"]:
    steps = jnp.arange(size, dtype=jnp.float32)
    weights = jnp.exp(-0.5 * ((steps[:, None] - steps) / jnp.maximum(sigma, 1e-3)) ** 2)
    return weights / weights.sum(axis=1, keepdims=True)


def _both_ways(
    down: Array | np.ndarray | None, image: Array, across: Array | np.ndarray | None
) -> Array:
    """Multiply the columns of an image by a matrix, and its rows; None leaves them."""
    if down is not None:
        image = jnp.einsum("ri,ijc->rjc", down, image)
    return image if across is None else jnp.einsum("sj,rjc->rsc", across, image)


@cache
def _blur_matrices(size: int, sigma: float) -> tuple[np.ndarray | None, np.ndarray]:
    """Return what blurs a line at every few texels, and what interpolates between these."""
    cell = 1
    while 2 * cell * _CELLS <= sigma and size % (2 * cell) == 0:
        cell *= 2
    places = (np.arange(size // cell) + 0.5) * cell - 0.5
    kernel = np.exp(-0.5 * ((places[:, None] - np.arange(size)) / max(sigma, 1e-3)) ** 2)
    kernel = (kernel / kernel.sum(axis=1, keepdims=True)).astype(np.float32)
    if cell == 1:
        return None, kernel
    at = np.clip((np.arange(size) + 0.5) / cell - 0.5, 0.0, len(places) - 1.0)
    tents = np.maximum(1.0 - np.abs(at[:, None] - np.arange(len(places))), 0.0)
    return tents.astype(np.float32), kernel


def swap_region(layout: UVLayout, *, feather: float) -> Float[Array, "size size"]:
    """Return the mask of texels that a swap may change, fading out inside the face.

    The face without ears, neck and scalp, and without the upper forehead, where hair begins.

    Args:
        layout: UV layout with the region ``face``.
        feather: width of the soft border, in texels of a layout of size 256.
    """
    brows = layout.landmarks()[BROWS, 1].min()
    below_hair = 1.0 - ramp(brows - layout.canonical[..., 1], _FOREHEAD_FADE)
    width = feather * layout.size / 256
    blurred = soften((layout.region("face") * layout.mask)[..., None], width)[..., 0]
    # The blurred edge is one half at the border: keep the inner half of the ramp.
    return jnp.clip(2.0 * blurred - 1.0, 0.0, 1.0) * below_hair


def kept_regions(layout: UVLayout, names: Sequence[str]) -> Float[Array, "size size"]:
    """Return the mask of texels that stay the target's own within a swapped face.

    Args:
        layout: UV layout.
        names: regions of it, at least one.

    Raises:
        InputError: there is no region of that name.
    """
    width = _KEEP_BLUR * layout.size / 256
    regions = jnp.stack([layout.region(name) for name in names], axis=-1)
    borders = [_KEPT_INSIDE if name.startswith("eyeballs") else _KEPT_OUTSIDE for name in names]
    low, high = jnp.asarray(borders, jnp.float32).T
    kept = (soften(regions, width) - low) / (high - low)
    return jnp.clip(kept, 0.0, 1.0).max(axis=-1)
