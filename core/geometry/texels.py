"""Where texels lie in UV, and how large they are in the photo."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

__all__ = ["texel_footprint", "texel_uv"]


def texel_uv(size: int) -> Float[Array, "{size} {size} 2"]:
    """Return the UV coordinates of the texels' centres."""
    centres = (jnp.arange(size, dtype=jnp.float32) + 0.5) / size
    return jnp.stack(jnp.meshgrid(centres, centres), axis=-1)


def texel_footprint(position_map: Float[Array, "size size 3"]) -> Float[Array, "size size"]:
    """Return the photo pixels along a side of each texel, as the square root of its area."""
    down, across = jnp.gradient(position_map[..., :2], axis=(0, 1))
    area = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
    return jnp.sqrt(jnp.abs(area) + 1e-12)
