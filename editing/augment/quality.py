"""What a camera and its files make of a picture: colours, blur, low resolution, noise, JPEG.

References:
    G. Wallace, "The JPEG Still Picture Compression Standard", 1991.
"""

from __future__ import annotations

import dataclasses

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, UInt8

from ...core.synthesis.backdrop import blur_matrix
from ...core.synthesis.numbers import Numbers
from ..colour import luma

__all__ = ["Grade", "Quality", "compress", "degrade", "grade", "random_grade", "random_quality"]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Grade:
    """Colours of a whole picture."""

    gain: Array  # [3], white balance and exposure
    gamma: Array  # [], above 1 darkens
    saturation: Array  # [], 0 is grey

    @staticmethod
    def identity() -> Grade:
        """Return the grade that changes nothing."""
        return Grade(gain=jnp.ones(3), gamma=jnp.ones(()), saturation=jnp.ones(()))


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Quality:
    """How a picture is spoilt."""

    blur: Array  # [], standard deviation in pixels
    resolution: Array  # [], share of its pixels along a side that the picture keeps, in (0, 1]
    noise: Array  # [], standard deviation, of values in [0, 1]
    jpeg: Array  # [] int32, quality of the compression, 1 to 100; 0: none
    key: Array  # of the noise

    @staticmethod
    def identity() -> Quality:
        """Return the quality that changes nothing."""
        zero = jnp.zeros(())
        return Quality(
            blur=zero,
            resolution=jnp.ones(()),
            noise=zero,
            jpeg=jnp.zeros((), jnp.int32),
            key=jax.random.key(0),
        )


def random_grade(key: Array) -> Grade:
    """Return a random grade; one in twelve is grey."""
    draw = Numbers(key, 6)
    # White balance is wrong along the colours of lamps, from red to blue; hardly in its green.
    warm, green, bright = 0.07 * draw.normal(), 0.02 * draw.normal(), 0.05 * draw.normal()
    gain = jnp.exp(bright + jnp.stack([warm, green, -warm]))
    gamma = jnp.clip(jnp.exp(0.16 * draw.normal()), 0.75, 1.5)
    saturation = draw.uniform(low=0.55, high=1.3)
    grey = draw.chance(1 / 12)
    return Grade(gain=gain, gamma=gamma, saturation=jnp.where(grey, 0.0, saturation))


def random_quality(key: Array) -> Quality:
    """Return a random quality: each fault in half of the pictures, low resolution in a third."""
    key, noise_key = jax.random.split(key)
    draw = Numbers(key, 8)
    blur = jnp.where(draw.chance(0.5), draw.uniform(low=0.5, high=2.2), 0.0)
    share = jnp.where(draw.chance(0.35), draw.uniform(low=0.22, high=0.7), 1.0)
    noise = jnp.where(draw.chance(0.5), 0.004 + 0.05 * draw.uniform() ** 2, 0.0)
    quality = 15 + (draw.uniform() * 65.0).astype(jnp.int32)
    jpeg = jnp.where(draw.chance(0.5), quality, 0)
    return Quality(blur=blur, resolution=share, noise=noise, jpeg=jpeg, key=noise_key)


def grade(image: Float[Array, "*n 3"], colors: Grade) -> Float[Array, "*n 3"]:
    """Change the colours of a picture, sRGB in [0, 1]."""
    graded = colors.gain * jnp.clip(image, 0.0, 1.0) ** colors.gamma
    grey = luma(graded)[..., None]
    return jnp.clip(grey + colors.saturation * (graded - grey), 0.0, 1.0)


def degrade(image: Float[Array, "side side 3"], quality: Quality) -> Float[Array, "side side 3"]:
    """Blur a picture, take its resolution and add noise; `compress` does the rest.

    Args:
        image: a picture of the generator's size (`PICTURE_SIZE`), RGB in [0, 1].
        quality: how far.
    """
    lines = blur_matrix(quality.blur, quality.resolution)
    soft = jnp.einsum("ri,ijc,sj->rsc", lines, image, lines)
    is_soft = (quality.blur > 0.0) | (quality.resolution < 1.0)
    noise = jax.random.normal(quality.key, image.shape)
    return jnp.clip(jnp.where(is_soft, soft, image) + quality.noise * noise, 0.0, 1.0)


def compress(pixels: UInt8[np.ndarray, "height width 3"], quality: int) -> np.ndarray:
    """Return the pixels after JPEG compression of a quality from 1 to 100; 0 changes nothing."""
    if quality == 0:
        return pixels
    bgr = np.ascontiguousarray(pixels[..., ::-1])
    coded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), dtype=np.uint8)[..., ::-1].copy()
