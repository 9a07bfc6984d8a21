"""Values of the surface at the pixels: texture position and light, as packed words.

Gathers on CPUs cost by the word, whatever its width, so that each corner of a triangle carries
its texture position in one word and its light in another.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from ..types import Fragments

__all__ = ["pack_positions", "surface_values"]

_POSITION_STEPS = 32.0  # per pixel; positions up to 2048 pixels
_LIGHT_MAXIMUM = 4.0


def pack_positions(positions: np.ndarray) -> np.ndarray:
    """Pack texture positions ``[..., 2]`` (pixels, 0 to 2047) into one int32 each."""
    steps = np.clip(np.round(positions * _POSITION_STEPS), 0, 65535).astype(np.uint32)
    return ((steps[..., 0] << 16) | steps[..., 1]).view(np.int32)


def _unpack_positions(packed: Array) -> Array:
    x, y = (packed >> 16) & 0xFFFF, packed & 0xFFFF
    return jnp.stack([x, y], axis=-1).astype(jnp.float32) * (1 / _POSITION_STEPS)


def _pack_light(light: Array) -> Array:
    """Pack four numbers in [0, 4] as eight-bit square roots."""
    steps = jnp.sqrt(jnp.clip(light / _LIGHT_MAXIMUM, 0.0, 1.0)) * 255.0 + 0.5
    r, g, b, s = (steps[..., k].astype(jnp.int32) for k in range(4))
    return (r << 24) | (g << 16) | (b << 8) | s


def _unpack_light(packed: Array) -> Array:
    parts = jnp.stack([(packed >> shift) & 255 for shift in (24, 16, 8, 0)], axis=-1)
    root = parts.astype(jnp.float32) * (1 / 255)
    return root * root * _LIGHT_MAXIMUM


def surface_values(
    found: Fragments,
    triangles: Int[Array, "t 3"],
    packed_positions: Int[Array, "t 3"],
    light: Float[Array, "v 4"],
) -> tuple[Float[Array, "h w 2"], Float[Array, "h w 4"]]:
    """Return texture positions and light of the pixels.

    Args:
        found: what the rasteriser found.
        triangles: vertex numbers.
        packed_positions: texture position of every corner (see `pack_positions`).
        light: diffuse RGB and specular light of every vertex.
    """
    table = jnp.concatenate([packed_positions, _pack_light(light)[triangles]], axis=-1)
    row = table[jnp.maximum(found.triangle, 0)]  # [H, W, 6]
    place = jnp.zeros((*found.triangle.shape, 2))
    bright = jnp.zeros((*found.triangle.shape, 4))
    for corner in range(3):
        weight = found.barycentric[..., corner, None]
        place += weight * _unpack_positions(row[..., corner])
        bright += weight * _unpack_light(row[..., 3 + corner])
    return place, bright
