"""Crops that show no whole face, on the device: the twin of `negatives`."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, UInt8

from ..synthesis.numbers import Numbers
from .warp import CROP_SIZE, Border, warp

__all__ = ["faceless_on_device"]

_SQUARES = 4  # along one side of a shuffled crop
_KINDS = (0.4, 0.65, 0.85, 0.95)  # shares: backdrop, piece of the face, beside it, shuffled, noise
_GRAINS = (4, 32)  # cells along one side of a crop of noise


def faceless_on_device(
    key: Array, image: UInt8[Array, "n n 3"], backdrops: UInt8[Array, "m s s 3"] | None
) -> Float[Array, "256 256 3"]:
    """Return one crop without a whole face, display values in [0, 1].

    Args:
        key: random key.
        image: a picture whose middle shows a face.
        backdrops: pictures without faces, at least as large, or None.
    """
    choose_key, noise_key, order_key = jax.random.split(key, 3)
    draw = Numbers(choose_key, 16)
    size, kind = image.shape[0], draw.uniform()
    bounds = jnp.array(_KINDS)
    number = (kind >= bounds).sum(dtype=jnp.int32)
    source = image
    if backdrops is None:
        number = jnp.maximum(number, 1)
    else:
        picture = backdrops[draw.integer(backdrops.shape[0])][:size, :size]
        source = jnp.where(number == 0, picture, image)
    matrix, offset = _piece(draw, size, is_large=number == 0)
    beside = _beside(draw, size)
    is_beside = number == 2
    matrix, offset = (
        jnp.where(is_beside, b, a) for a, b in zip((matrix, offset), beside, strict=True)
    )
    is_whole = number == 3
    matrix = jnp.where(is_whole, (CROP_SIZE / size) * jnp.eye(2), matrix)
    offset = jnp.where(is_whole, jnp.zeros(2), offset)
    # Never mirrored: a mirrored face must not come in from the other side.
    border = Border(is_mirrored=jnp.array(False), is_flat=draw.chance(0.5), grey=jnp.zeros(()))
    crop = warp(source, matrix, offset, CROP_SIZE, border) / 255.0
    crop = jnp.where(is_whole, _shuffled(order_key, crop), crop)
    return jnp.where(number == 4, _noise(noise_key, draw.chance(0.5)), crop)


def _piece(draw: Numbers, size: int, *, is_large: Array) -> tuple[Array, Array]:
    """Return the similarity to a square piece, blown up."""
    share = draw.uniform()
    side = size * jnp.where(is_large, 0.25 + 0.75 * share, 0.1 + 0.2 * share)
    corner = draw.uniform((2,)) * (size - side)
    scale = CROP_SIZE / side
    return scale * jnp.eye(2), -scale * corner


def _beside(draw: Numbers, size: int) -> tuple[Array, Array]:
    """Return a similarity of usual size, so far beside the face that at most a quarter shows."""
    angle, far = draw.uniform(high=6.2832), draw.uniform(low=0.5, high=0.75) * size
    scale = jnp.exp(0.2 * draw.normal())
    shift = far * jnp.stack([jnp.cos(angle), jnp.sin(angle)])
    return scale * jnp.eye(2), (CROP_SIZE - 1) / 2 + shift - scale * (size - 1) / 2


def _shuffled(key: Array, crop: Array) -> Array:
    side = CROP_SIZE // _SQUARES
    cells = crop.reshape(_SQUARES, side, _SQUARES, side, 3).swapaxes(1, 2)
    cells = jax.random.permutation(key, cells.reshape(-1, side, side, 3))
    return cells.reshape(_SQUARES, _SQUARES, side, side, 3).swapaxes(1, 2).reshape(crop.shape)


def _noise(key: Array, is_fine: Array) -> Array:
    coarse, fine = (
        jax.image.resize(jax.random.uniform(key, (n, n, 3)), (CROP_SIZE, CROP_SIZE, 3), "linear")
        for n in _GRAINS
    )
    return jnp.where(is_fine, fine, coarse)
