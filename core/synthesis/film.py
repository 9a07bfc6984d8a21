"""Camera: exposure, tone curve, white balance, blur, low resolution, noise, vignette, grey."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from .backdrop import blur_matrix
from .numbers import Numbers
from .view import PICTURE_SIZE

__all__ = ["develop", "expose"]


def expose(
    key: Array, linear: Float[Array, "size size 3"], mask: Float[Array, "size size"]
) -> Float[Array, "size size 3"]:
    """Turn linear light into display values, exposed for the face.

    Args:
        key: random key.
        linear: linear light.
        mask: 1 on the head.
    """
    draw = Numbers(key, 6)
    luma = linear @ jnp.array([0.25, 0.65, 0.1])
    mean = (luma * mask).sum() / jnp.maximum(mask.sum(), 1.0)
    # Dark skin stays darker than light skin: only part of the difference is exposed away.
    target = 0.22 * (jnp.maximum(mean, 1e-3) / 0.3) ** 0.45
    target *= jnp.exp(0.38 * draw.normal())
    gain = target / jnp.maximum(mean, 1e-3)
    gain *= jnp.exp(0.05 * draw.normal((3,)))
    bright = linear * gain
    # Shoulder of the film: highlights roll off instead of clipping.
    shoulder = draw.uniform(low=0.0, high=0.5)
    rolled = bright * (1.0 + shoulder * bright * 0.3) / (1.0 + shoulder * bright)
    return jnp.sqrt(jnp.clip(rolled, 0.0, 1.0))


def develop(
    key: Array, image: Float[Array, "size size 3"], noise: Float[Array, "4 n n"]
) -> Float[Array, "size size 3"]:
    """Return the picture as a camera would store it, display values in [0, 1]."""
    draw = Numbers(key, 20)
    soft = 0.45 + jnp.where(draw.chance(0.35), 2.2 * draw.uniform() ** 2, 0.0)
    stretch = jnp.exp(0.25 * draw.normal())
    shrink = jnp.where(draw.chance(0.2), draw.uniform(low=0.2, high=0.7), 1.0)
    rows, columns = blur_matrix(soft * stretch, shrink), blur_matrix(soft / stretch, shrink)
    image = jnp.einsum("ab,bcd->acd", rows, image)
    image = jnp.einsum("ec,acd->aed", columns, image)
    contrast = jnp.exp(0.18 * draw.normal())
    image = 0.5 + (image - 0.5) * contrast + 0.05 * draw.normal()
    place = jnp.linspace(-1.0, 1.0, PICTURE_SIZE)
    radius = place[:, None] ** 2 + place[None, :] ** 2
    fade = jnp.where(draw.chance(0.2), 0.25 * draw.uniform(), 0.0)
    image = image * (1.0 - fade * radius[..., None])
    start = draw.integer(noise.shape[1] - PICTURE_SIZE, (2,))
    grain, coarse = lax.dynamic_slice(noise, (0, *start), (2, PICTURE_SIZE, PICTURE_SIZE))
    level = 0.045 * draw.uniform() ** 3
    speckle = jnp.stack([grain, grain[::-1], grain[:, ::-1]], axis=-1)
    image = image + level * (speckle + 0.15 * coarse[..., None])
    saturation = draw.uniform(low=0.6, high=1.3)
    saturation = jnp.where(draw.chance(0.1), 0.0, saturation)
    luma = (image @ jnp.array([0.3, 0.59, 0.11]))[..., None]
    image = luma + saturation * (image - luma)
    sepia = jnp.where((saturation == 0) & (draw.chance(0.3)), 0.06, 0.0)
    return jnp.clip(image + sepia * jnp.array([1.0, 0.2, -1.0]), 0.0, 1.0)
