"""Replacing parts of a texture by parts of another."""

from __future__ import annotations

from jax import Array
from jaxtyping import Float

__all__ = ["replace_region"]


def replace_region(
    texture: Float[Array, "size size 3"],
    reference: Float[Array, "size size 3"],
    mask: Float[Array, "size size"],
) -> Float[Array, "size size 3"]:
    """Paste the masked region of ``reference`` into ``texture``.

    Args:
        texture: UV texture to edit, RGB in [0, 1].
        reference: UV texture to take the region from.
        mask: 1 where ``reference`` shows, 0 where ``texture`` stays; may be soft.

    Returns:
        A new texture; the inputs are unchanged.
    """
    weight = mask[..., None]
    return texture * (1.0 - weight) + reference * weight
