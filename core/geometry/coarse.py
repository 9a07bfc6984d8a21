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
        texels: texels along a side, at most; see `scales.pool`.

    Returns:
        Averages over the blocks. On the face are those blocks whose texels all are. The number of
        triangles depends on the size only: those that lie off the face have no area.
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
    """Return two triangles between each four neighbours, counter-clockwise from outside."""
    numbers = jnp.arange(mask.size, dtype=jnp.int32).reshape(mask.shape)
    first, second = numbers[:-1, :-1].reshape(-1), numbers[:-1, 1:].reshape(-1)
    third, fourth = numbers[1:, :-1].reshape(-1), numbers[1:, 1:].reshape(-1)
    halves = ((third, fourth, second), (first, third, second))
    triangles = jnp.concatenate([jnp.stack(half, axis=-1) for half in halves])
    is_whole = (mask.reshape(-1)[triangles] > 0.5).all(axis=-1, keepdims=True)
    return jnp.where(is_whole, triangles, 0)
