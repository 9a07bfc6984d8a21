"""Labels of drawn pictures: position maps and their control maps."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, UInt8

from ..geometry.layout import UVLayout
from ..geometry.sampling import sample_bilinear
from ..geometry.spline import fit_control
from ..geometry.visibility import visibility
from .surface import TexelBinding, position_map

__all__ = ["control_maps", "position_maps", "visibility_maps"]


def _position_map(surface: Array, binding: TexelBinding) -> Array:
    """Return the position map of one picture, z of zero mean over the mask."""
    positions = position_map(binding, surface)
    mean = (positions[..., 2] * binding.mask).sum() / binding.mask.sum()
    return positions - jnp.stack([jnp.zeros(()), jnp.zeros(()), mean])


@jax.jit
def position_maps(
    surfaces: Float[Array, "batch n 3"], binding: TexelBinding
) -> Float[Array, "batch size size 3"]:
    """Return position maps (picture pixels, z of zero mean over the mask)."""
    return lax.map(lambda surface: _position_map(surface, binding), surfaces)


@functools.partial(jax.jit, static_argnames="together")
def control_maps(
    surfaces: Float[Array, "batch n 3"], binding: TexelBinding, *, together: int = 1
) -> Float[Array, "batch 64 64 3"]:
    """Return the control maps of the position maps; ``together`` as of `render_batch`."""
    return lax.map(
        lambda surface: fit_control(_position_map(surface, binding), 64),
        surfaces,
        batch_size=None if together == 1 else together,
    )


@jax.jit
def visibility_maps(
    maps: Float[Array, "batch size size 3"],
    masks: UInt8[Array, "batch height width"],
    layout: UVLayout,
) -> Float[Array, "batch size size"]:
    """Return per texel whether the picture shows it: not turned away, and nothing before it.

    Args:
        maps: position maps.
        masks: where the pictures show the head itself (255) and not hair, glasses or hands.
        layout: the layout of the maps.
    """

    def one(pair: tuple[Array, Array]) -> Array:
        positions, mask = pair
        height, width = mask.shape
        x, y = positions[..., 0], positions[..., 1]
        inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
        bare = sample_bilinear(mask[..., None].astype(jnp.float32), positions[..., :2])[..., 0]
        return visibility(positions, layout) * bare * inside.astype(jnp.float32) / 255.0

    return lax.map(one, (maps, masks))
