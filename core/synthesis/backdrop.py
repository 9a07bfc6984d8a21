"""Backgrounds: parts of pictures, plain colours, gradients; blurred, mirrored, tinted."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from .numbers import Numbers
from .view import PICTURE_SIZE

__all__ = ["blur_matrix", "paint_backdrop"]


def blur_matrix(sigma: Float[Array, ""], shrink: Float[Array, ""]) -> Float[Array, "out in"]:
    """Return the matrix that blurs one axis of the picture, edges repeated.

    Args:
        sigma: standard deviation of the Gaussian, pixels.
        shrink: the picture is brought to this share of its size and back (low resolution).
    """
    place = jnp.arange(PICTURE_SIZE, dtype=jnp.float32)
    # Blur and resampling in one: a tent of width 1/shrink around the centres of the small picture.
    width = 1.0 / shrink
    centre = (jnp.floor((place + 0.5) * shrink) + 0.5) * width - 0.5
    centre = place + (centre - place) * jnp.where(shrink < 0.99, 0.6, 0.0)
    spread = jnp.sqrt(sigma**2 + jnp.where(shrink < 0.99, 0.35 * width, 0.0) ** 2)
    weight = jnp.exp(-0.5 * ((place[None, :] - centre[:, None]) / jnp.maximum(spread, 0.2)) ** 2)
    return weight / weight.sum(axis=1, keepdims=True)


def paint_backdrop(key: Array, backdrops: Array) -> Float[Array, "size size 3"]:
    """Return a background, square roots of linear colours in [0, 1]."""
    draw = Numbers(key, 30)
    count, side = backdrops.shape[0], backdrops.shape[1]
    spare = side - PICTURE_SIZE

    def cut() -> Array:
        top, left = draw.integer(spare + 1, (2,))
        index = draw.integer(count)
        shape = (1, PICTURE_SIZE, PICTURE_SIZE, 3)
        picture = lax.dynamic_slice(backdrops, (index, top, left, 0), shape)[0]
        turned = jnp.where(draw.chance(0.5), picture[:, ::-1], picture)
        return turned.astype(jnp.float32) * (1 / 255)

    ramp = jnp.linspace(0.0, 1.0, PICTURE_SIZE)
    colors = draw.uniform((2, 3))
    grey = colors.mean(axis=1, keepdims=True)
    colors = grey + 0.3 * (colors - grey)
    colors = jnp.where(draw.chance(0.25), jnp.round(grey), colors)
    plain = jnp.where(draw.chance(0.5), 0.0, 1.0) * ramp[:, None, None]
    gradient = colors[0] + plain * (colors[1] - colors[0]) * jnp.ones((1, PICTURE_SIZE, 1))

    def photo(_: None) -> Array:
        image = cut()
        two = draw.chance(0.15)
        image = lax.cond(two, lambda i: 0.5 * (i + cut()), lambda i: i, image)
        tint = jnp.exp(0.12 * draw.normal((3,)) + 0.2 * draw.normal())
        return jnp.clip(image * tint, 0, 1)

    return lax.cond(draw.chance(0.8), photo, lambda _: gradient, None)
