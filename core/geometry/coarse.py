"""A UV layout at fewer texels, for what is smooth over the face."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from .layout import UVLayout
from .scales import pool

__all__ = ["coarse_layout"]


def coarse_layout(layout: UVLayout, texels: int) -> UVLayout:
    """Return a layout whose texels are blocks of another's; that one if it has no more.

    Args:
        layout: the finer layout; may be traced.
        texels: texels along a side, as for `scales.pool`.

    Returns:
        Averages over the blocks; name and digest are still the finer layout's. On the face are
        those blocks whose texels all are. The number of triangles depends on the size only: those
        that lie off the face have no area.
    """
    covered = _pool(layout.mask, texels)
    size = covered.shape[0]
    if size == layout.size:
        return layout
    mask = (covered > 1.0 - 0.5 / (layout.size // size) ** 2).astype(layout.mask.dtype)
    return dataclasses.replace(
        layout,
        mask=mask,
        triangles=_grid_triangles(mask),
        canonical=pool(layout.canonical, texels),
        mirror_texel=_coarse_numbers(layout.mirror_texel, layout.size, size),
        texel_weights=_pool(layout.texel_weights, texels),
        # One by one: a compiled call leaves out those that it does not ask for.
        regions={name: _pool(region, texels) for name, region in layout.regions.items()},
    )


def _pool(image: Array, texels: int) -> Array:
    return pool(image[..., None], texels)[..., 0]


def _coarse_numbers(texels: Array, old: int, new: int) -> Array:
    """Return the blocks of the texels that the first texels of all blocks name."""
    step = old // new
    named = texels.reshape(old, old)[::step, ::step].reshape(-1)
    return (named // old // step) * new + named % old // step


def _grid_triangles(mask: Float[Array, "size size"]) -> Array:
    """Return triangles between neighbours, counter-clockwise from outside.

    The diagonals of the left half are the mirror images of those of the right half, so that a
    mirrored face is drawn as the mirror image of its drawing.
    """
    numbers = jnp.arange(mask.size, dtype=jnp.int32).reshape(mask.shape)
    first, second = numbers[:-1, :-1], numbers[:-1, 1:]
    third, fourth = numbers[1:, :-1], numbers[1:, 1:]
    is_right = jnp.arange(mask.shape[1] - 1) >= (mask.shape[1] - 1) // 2
    middle = jnp.where(is_right, second, fourth)  # a corner of the first triangle
    other = jnp.where(is_right, third, first)  # a corner of the second
    upper = jnp.stack([first, third, middle], axis=-1)
    lower = jnp.stack([other, fourth, second], axis=-1)
    triangles = jnp.concatenate([upper.reshape(-1, 3), lower.reshape(-1, 3)])
    is_whole = (mask.reshape(-1)[triangles] > 0.5).all(axis=-1, keepdims=True)
    return jnp.where(is_whole, triangles, 0)
