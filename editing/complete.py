"""Completing a texture: unseen texels come from the other side of the face."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..core.geometry.layout import UVLayout
from .colour import apply_transfer, fit_transfer, lab_from_rgb, rgb_from_lab
from .regions import smooth_step, soften

__all__ = ["complete_texture", "completion_weights"]

_TRUSTED = (0.3, 0.8)  # visibility over which a texel's own colour comes in
_ENOUGH = (0.5, 0.95)  # share of the visibility that is wanted
_BLUR = 2.0  # texels: softens the border between seen and mirrored


def completion_weights(
    visibility: Float[Array, "size size"],
    layout: UVLayout,
    *,
    wanted: Float[Array, "size size"] | None = None,
) -> tuple[Float[Array, "size size"], Float[Array, "size size"]]:
    """Return how much of each texel comes from itself, and how much from its mirrored texel.

    What is left to 1 is known from neither side.

    Args:
        visibility: of the face in its photo.
        layout: UV layout, for the mirror map.
        wanted: how well the texel will be seen where it is put: a texel seen no worse than that
            is good enough, so that a face put back into its own photo is not changed.
    """
    seen = jnp.minimum(visibility, soften(visibility[..., None], _BLUR)[..., 0])
    low, high = _TRUSTED
    own = smooth_step((seen - low) / (high - low))
    if wanted is not None:
        enough = visibility / jnp.maximum(wanted, 1e-3)
        low, high = _ENOUGH
        own = jnp.maximum(own, smooth_step((enough - low) / (high - low)))
    other = layout.mirror(own[..., None])[..., 0]
    return own, (1.0 - own) * jnp.maximum(other - own, 0.0)


def complete_texture(
    texture: Float[Array, "size size 3"],
    visibility: Float[Array, "size size"],
    layout: UVLayout,
    *,
    fallback: Float[Array, "size size 3"] | None = None,
) -> Float[Array, "size size 3"]:
    """Fill the unseen texels: from the mirrored side, colour-matched, else from ``fallback``.

    Args:
        texture: colours read from the photo, also at hidden texels.
        visibility: 1 where a texel is seen.
        layout: UV layout of both.
        fallback: colours for texels seen on neither side; default: the texture's mean skin.
    """
    own, mirrored = completion_weights(visibility, layout)
    other = layout.mirror(texture)
    both = visibility * layout.mirror(visibility[..., None])[..., 0] * layout.mask
    lab = lab_from_rgb(other)
    transfer = fit_transfer(lab, lab_from_rgb(texture), both)
    matched = rgb_from_lab(apply_transfer(transfer, lab))
    if fallback is None:
        weights = (visibility * layout.mask)[..., None]
        mean = (texture * weights).sum(axis=(0, 1)) / jnp.maximum(weights.sum(), 1e-6)
        fallback = jnp.broadcast_to(mean, texture.shape)
    missing = 1.0 - own - mirrored
    parts = ((own, texture), (mirrored, matched), (missing, fallback))
    return sum((w[..., None] * c for w, c in parts), start=jnp.zeros_like(texture))
