"""A plan's layers at the pixels of a window, stacked by their number of channels."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array

from ..core.geometry.rasterize import interpolate
from ..core.traced import keep_traced
from ..core.types import Fragments
from .plan import Layers

__all__ = ["Stacks", "interpolate_layers", "unstacked"]

# Layers at the pixels, `[h, w, n k]`: the n that have k channels, by k. Stacked, they are read at
# once; in one stack, whoever needs a few would read past all.
Stacks = dict[int, Array]


@partial(keep_traced, key="interpolate layers", like={1: 0, 2: 0, 3: 0})
def interpolate_layers(fragments: Fragments, triangles: Array, layers: Layers) -> Stacks:
    """Return the layers at the pixels."""
    stacks: dict[int, list[Array]] = {}
    for leaf in jax.tree.leaves(layers):
        values = leaf.reshape(layers.direct.size, -1)
        stacks.setdefault(values.shape[1], []).append(values)
    return {
        width: interpolate(fragments, triangles, jnp.concatenate(stacked, axis=-1))
        for width, stacked in stacks.items()
    }


def unstacked(pixels: Stacks, like: Layers) -> Layers:
    """Return the layers at the pixels by name.

    In the call that uses them: where they are made, XLA would interpolate anew for each of them.
    """
    leaves, tree = jax.tree_util.tree_flatten(like)
    parts = {width: iter(jnp.split(x, x.shape[-1] // width, -1)) for width, x in pixels.items()}
    images = [
        next(parts[leaf.shape[-1]]) if leaf.ndim == 3 else next(parts[1])[..., 0] for leaf in leaves
    ]
    drawn: Layers = jax.tree_util.tree_unflatten(tree, images)
    return drawn
