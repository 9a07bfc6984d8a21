"""A drawn face given the detail that the photo has: its blur, its grain, and no more noise."""

from __future__ import annotations

from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float

from ..colour import lab_from_rgb, rgb_from_lab
from .grain import missing_grain
from .noise import lightness_gain, quieted
from .sharpness import blurred_apart, missing_blur, weighted_mean, weighted_planes

__all__ = ["SharpnessMatch", "finish"]

# ``match``: the blur and the grain of the photo, where that has more of them, and no noise that
# light lifted; ``none``: the detail of the source as it is.
SharpnessMatch = Literal["match", "none"]

_LIFTED = 1.02  # gain of lightness beyond what is free; less lifts no noise that one sees


def finish(
    colors: Float[Array, "h w 3"],
    photo: Float[Array, "h w 3"],
    *,
    before: Float[Array, "h w"],
    places: Float[Array, "h w 2"],
    is_drawn: Bool[Array, "h w"],
    is_compared: Bool[Array, "h w"],
) -> Float[Array, "h w 3"]:
    """Return the colours of a drawn face with the detail that the photo has.

    Args:
        colors: sRGB of the face.
        photo: the same pixels of the photo.
        before: Oklab L of the source's colours, before they were matched.
        places: pixels of the source that the colours were read at.
        is_drawn: where colours count.
        is_compared: where the face covers the photo.
    """
    weight = is_drawn.astype(colors.dtype)
    lab = _lab(colors)
    gain = lightness_gain(lab, before, weight)
    if float(gain.max()) > _LIFTED:
        colors = _rgb(quieted(lab, gain, weight, step=_step(places, weight)), colors, is_drawn)
    face, compared = _compared(colors, photo, is_compared)
    missing = missing_blur(face, photo, compared)
    if float(missing) > 0.0:
        soft = blurred_apart(weighted_planes(colors, weight), missing)
        colors = _averaged(soft, colors, is_drawn)
        face, compared = _compared(colors, photo, is_compared)
    return colors + missing_grain(face, photo, compared)


@jax.jit
def _lab(colors: Array) -> Array:
    return lab_from_rgb(colors)


@jax.jit
def _rgb(lab: Array, colors: Array, is_drawn: Array) -> Array:
    return jnp.where(is_drawn[..., None], rgb_from_lab(lab), colors)


@jax.jit
def _step(places: Array, weight: Array) -> Float[Array, ""]:
    """Return how many pixels of the source a pixel is wide, on average."""
    both = weight[:, 1:] * weight[:, :-1]
    steps = jnp.linalg.norm(places[:, 1:] - places[:, :-1], axis=-1)
    return (steps * both).sum() / jnp.maximum(both.sum(), 1.0)


@jax.jit
def _compared(colors: Array, photo: Array, is_compared: Array) -> tuple[Array, Array]:
    """Return what was drawn before the photo, and where they are compared."""
    face = jnp.where(is_compared[..., None], jnp.clip(colors, 0.0, 1.0), photo)
    return face, is_compared.astype(colors.dtype)


@jax.jit
def _averaged(planes: Array, colors: Array, is_drawn: Array) -> Array:
    return jnp.where(is_drawn[..., None], weighted_mean(planes), colors)
