"""Colour in a perceptual space: Oklab, and matching one skin to another.

Convention:
    ``lab`` is Oklab of sRGB colours: L in [0, 1], a and b about [-0.4, 0.4]. The functions work
    on arrays ``[..., 3]``, pixels or texels alike.

References:
    B. Ottosson, "A perceptual color space for image processing", 2020 (Oklab, its matrices).
    E. Reinhard et al., "Color Transfer between Images", 2001 (mean and deviation per channel).
    P. Huber, "Robust Estimation of a Location Parameter", 1964.
"""

from __future__ import annotations

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.geometry.ramps import smooth_step

__all__ = [
    "DARK",
    "ColorTransfer",
    "apply_light",
    "apply_transfer",
    "change_light",
    "colourfulness",
    "fit_transfer",
    "lab_from_rgb",
    "light_between",
    "linear_from_srgb",
    "luma",
    "rgb_from_lab",
    "srgb_from_linear",
    "usual_skin",
]

DARK = 0.05  # Oklab L: below it there is no colour to speak of
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_LMS_FROM_RGB = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    dtype=np.float32,
)
_LAB_FROM_LMS = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    dtype=np.float32,
)
_RGB_FROM_LMS = np.linalg.inv(_LMS_FROM_RGB.astype(np.float64)).astype(np.float32)
_LMS_FROM_LAB = np.linalg.inv(_LAB_FROM_LMS.astype(np.float64)).astype(np.float32)
_TINY = 1e-12
_ROUNDS = 4  # of reweighting; the weights settle within three
_OUTLIER = 1.5  # standard deviations; Huber's k for 96 % efficiency is 1.5
# Larger ones turn lips magenta and cheeks blotchy, smaller ones make faces of wax.
_CHROMA_SLOPES = (0.7, 1.0)
_FACTORS = (0.4, 2.5)  # of roots: a fifteenth to sixteen times the light
_LEAST_ROOT = 0.05  # of a cone's response, cube root; 1/255, the darkest but black, has 0.067
_LEAST_SEEN = 1.0  # texels that must be seen to compare
_BLACK = 0.02  # Oklab L: the least that colours are divided by when two faces are matched
_HAIR = (0.62, 0.88)  # of the lightness of dark skin around: dark hair, and bare skin
_NO_GAIN = 1e-3  # of the logarithm
_HAIR_ONLY = 0.6  # share of hair in its pixels: the rest is skin that shows between
_USUAL_SKIN = (0.7, 0.04, 0.05)  # counts as one pixel
_UNTOLD = 1e-3  # added to two colourfulnesses whose ratio is taken: two of 0 are alike
_NO_TONE = 1e-4  # the same for two means of a / L and b / L
# Deviation of a / L and b / L: 0.008 and more in colour photos, 0 in black and white ones, 0.003 to
# 0.005 in most that are toned (their lightness is).
_GREY = (0.004, 0.008)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class ColorTransfer:
    """Map in Oklab: L on a curve from black, then on a line; a / L and b / L on lines.

    Light multiplies L, a and b alike, so that skin keeps its a / L in a shadow, and black is grey.
    """

    source_mean: Array  # [3]: L, a / L, b / L
    target_mean: Array  # [3], the same
    chroma: Array  # [2], slopes of a / L and b / L
    gain: Array  # [], slope of L at black
    shoulder: Array  # [], how far the curve of L bends towards white; 0 is a line
    above: Array  # [], slope of L above the mean
    skin_share: Array  # [], of the gain's logarithm: paler or darker skin, not more or less light

    @property
    def paler(self) -> Array:
        """How many times as pale the skin becomes, whatever light it stands in."""
        old, new = (jnp.maximum(x[0], _BLACK) for x in (self.source_mean, self.target_mean))
        return jnp.exp(self.skin_share * jnp.log(new / old))

    @staticmethod
    def identity() -> ColorTransfer:
        """Return the transfer that changes nothing."""
        return ColorTransfer(
            source_mean=jnp.zeros(3),
            target_mean=jnp.zeros(3),
            chroma=jnp.ones(2),
            gain=jnp.ones(()),
            shoulder=jnp.zeros(()),
            above=jnp.ones(()),
            skin_share=jnp.zeros(()),
        )


def _product(colors: Array, matrix: np.ndarray) -> Array:
    """Multiply colours by a 3x3 matrix; four times faster than a matrix product with 3 columns."""
    columns = jnp.asarray(matrix.T)
    first, second, third = colors[..., 0:1], colors[..., 1:2], colors[..., 2:3]
    return first * columns[0] + second * columns[1] + third * columns[2]


def _power(base: Array, exponent: float) -> Array:
    """Return ``base ** exponent``, base >= 0; XLA's code for exp and log is faster than for pow."""
    return jnp.exp(exponent * jnp.log(jnp.maximum(base, _TINY)))


def linear_from_srgb(rgb: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """Return the light of sRGB values in [0, 1], clipped to that."""
    c = jnp.clip(rgb, 0.0, 1.0)
    return jnp.where(c <= 0.04045, c / 12.92, _power((c + 0.055) / 1.055, 2.4))


def srgb_from_linear(light: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """Return sRGB values of light in [0, 1], clipped to that."""
    c = jnp.clip(light, 0.0, 1.0)
    return jnp.where(c <= 0.0031308, 12.92 * c, 1.055 * _power(c, 1.0 / 2.4) - 0.055)


def luma(rgb: Float[Array, "*n 3"]) -> Float[Array, "*n"]:
    """Return the luma of sRGB values."""
    return rgb @ jnp.array(_LUMA)


def lab_from_rgb(rgb: Float[Array, "*n 3"]) -> Float[Array, "*n 3"]:
    """Convert sRGB in [0, 1] to Oklab."""
    linear = linear_from_srgb(rgb)
    return _product(_power(_product(linear, _LMS_FROM_RGB), 1.0 / 3.0), _LAB_FROM_LMS)


def rgb_from_lab(lab: Float[Array, "*n 3"]) -> Float[Array, "*n 3"]:
    """Convert Oklab to sRGB, clipped to [0, 1]."""
    roots = _product(lab, _LMS_FROM_LAB)
    return srgb_from_linear(_product(roots * roots * roots, _RGB_FROM_LMS))


def _robust_moments(lab: Array, weights: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation per channel, far colours counting less (Huber)."""

    def moments(w: Array) -> tuple[Array, Array]:
        total = jnp.maximum(w.sum(), 1e-6)
        mean = (lab * w).sum(axis=0) / total
        return mean, jnp.sqrt((w * (lab - mean) ** 2).sum(axis=0) / total + 1e-8)

    mean, deviation = moments(weights)
    for _ in range(_ROUNDS):
        distance = jnp.sqrt((((lab - mean) / deviation) ** 2).mean(axis=-1, keepdims=True))
        mean, deviation = moments(weights * jnp.minimum(1.0, _OUTLIER / (distance + 1e-6)) ** 2)
    return mean, deviation


def _saturation(lab: Array) -> Array:
    """Return L, a / L, b / L."""
    light = jnp.maximum(lab[..., :1], _BLACK)
    return jnp.concatenate([lab[..., :1], lab[..., 1:] / light], axis=-1)


def _colourful(deviation: Array) -> Array:
    low, high = _GREY
    return jnp.clip((jnp.hypot(*deviation[1:]) - low) / (high - low), 0.0, 1.0)


def colourfulness(lab: Float[Array, "*n 3"], weights: Float[Array, "*n"]) -> Float[Array, ""]:
    """Return 0 for the skin of a photo in black and white or in one tone, 1 for one in colour.

    1 where the weights are 0: nothing tells.
    """
    _, deviation = _robust_moments(_saturation(lab.reshape(-1, 3)), weights.reshape(-1, 1))
    return jnp.where(weights.sum() > _LEAST_SEEN, _colourful(deviation), 1.0)


def fit_transfer(
    source: Float[Array, "*n 3"],
    source_weights: Float[Array, "*n"],
    target: Float[Array, "*m 3"],
    target_weights: Float[Array, "*m"],
    *,
    paler: Array | float = 1.0,
) -> ColorTransfer:
    """Fit the colours of one texture to those of another, best over texels seen in both.

    Args:
        source: Oklab of the colours that will be changed.
        source_weights: how much each texel of them counts.
        target: Oklab of colours as they shall be.
        target_weights: how much each counts; all zero, here or there, gives the identity.
        paler: how much paler the target's skin is, whatever light it stands in, as far as known.

    Returns:
        Robust means, slopes from the deviations (a, b) and a curve from the means (L).
    """
    weights = [w.reshape(-1, 1) for w in (source_weights, target_weights)]
    source_mean, source_deviation = _robust_moments(_saturation(source.reshape(-1, 3)), weights[0])
    target_mean, target_deviation = _robust_moments(_saturation(target.reshape(-1, 3)), weights[1])
    # A photo with little colour has little of all of it: cheeks and lips fade along with the skin.
    least, most = _CHROMA_SLOPES
    target_tone, source_tone = (jnp.hypot(*x[1:]) + _NO_TONE for x in (target_mean, source_mean))
    paled = target_tone / source_tone
    slopes = jnp.clip(target_deviation / source_deviation, jnp.minimum(least, paled), most)[1:]
    # ... and one in one tone has none, but what never had more keeps what it has, as far as the
    # skin does.
    had, left = (_colourful(x) + _UNTOLD for x in (source_deviation, target_deviation))
    slopes = slopes * jnp.minimum(jnp.minimum(left / had, paled + left), 1.0)
    gain, shoulder, above = _curve(source_mean[0], target_mean[0])
    ratio = target_mean[0] / source_mean[0]
    paler = jnp.clip(paler, jnp.minimum(ratio, 1.0), jnp.maximum(ratio, 1.0))
    is_gain = jnp.abs(jnp.log(ratio)) > _NO_GAIN
    share = jnp.where(is_gain, jnp.log(paler) / jnp.where(is_gain, jnp.log(ratio), 1.0), 0.0)
    fitted = ColorTransfer(
        source_mean=source_mean,
        target_mean=target_mean,
        chroma=slopes,
        gain=gain,
        shoulder=shoulder,
        # What shines does not become paler with the skin.
        above=above / jnp.maximum(paler, 1.0),
        skin_share=share,
    )
    is_seen = jnp.minimum(*(w.sum() for w in weights)) > _LEAST_SEEN
    return jax.tree.map(partial(jnp.where, is_seen), fitted, ColorTransfer.identity())


def _curve(source: Array, target: Array) -> tuple[Array, Array, Array]:
    """Return gain, shoulder and slope above of the curve that takes one lightness to another.

    Light multiplies, so black stays black: dark lips on dark skin do not become pale ones on
    light skin. A camera maps light u to u / (1 + u^4)^(1/4), nearly a line up to bright skin and
    bent to white from there; a brighter face is one in more light through the same curve, so
    that what is marked on it fades as it nears white. A darker face is not unbent: stretched
    from white, the pores and stubble of a pale face would be blotches.
    """
    source, target = jnp.clip(source, 0.05, 0.98), jnp.clip(target, 0.05, 0.98)
    ratio, bend = target / source, (1.0 - target**4) / (1.0 - source**4)
    is_brighter = ratio > 1.0
    gain = jnp.where(is_brighter, ratio / bend**0.25, ratio)
    slope = jnp.where(is_brighter, ratio * bend, ratio)  # at the mean
    # Above the mean are highlights, half the skin's and half the lamp's: they do not pass white.
    to_white = (1.0 - target) / (1.0 - source)
    above = jnp.minimum(slope, jnp.sqrt(slope * to_white))
    return gain, jnp.maximum(gain**4 - 1.0, 0.0), above


def apply_transfer(transfer: ColorTransfer, lab: Float[Array, "*n 3"]) -> Float[Array, "*n 3"]:
    """Apply a transfer to Oklab colours."""
    light = lab[..., :1]
    off = light - transfer.source_mean[0]
    bend = jnp.sqrt(jnp.sqrt(1.0 + transfer.shoulder * jnp.square(jnp.square(light))))
    shine = transfer.target_mean[0] + transfer.above * off
    curved = jnp.where(off < 0.0, transfer.gain * light / bend, shine)
    gain = curved / jnp.maximum(light, _BLACK)
    off_chroma = transfer.chroma * (lab[..., 1:] - transfer.source_mean[1:] * light)
    chroma = gain * off_chroma + transfer.target_mean[1:] * curved
    return jnp.concatenate([curved, chroma], axis=-1)


def apply_light(
    transfer: ColorTransfer,
    lab: Float[Array, "*n 3"],
    light: Float[Array, "*n 3"],
    *,
    hair: Float[Array, "*n"] | None = None,
    spared: Float[Array, "*n"] | None = None,
) -> Float[Array, "*n 3"]:
    """Apply a transfer, then a change of light.

    Light multiplies what each kind of cones receives, so black stays black (pupils, nostrils,
    lashes), and a shadow is lifted with all that is in it.

    Args:
        transfer: colours.
        lab: Oklab of the colours.
        light: factor of the roots of the cones' responses, as `light_between` returns it.
        hair: Oklab L of the skin around, before the transfer, where hair grows on it, else 0: hair
            does not become paler with the skin.
        spared: share of what paler or darker skin gains that is not gained: 1 for eyes and teeth,
            which are as white beside any.
    """
    matched = apply_transfer(transfer, lab)
    old, new = (jnp.maximum(colors[..., :1], _BLACK) for colors in (lab, matched))
    gain = transfer.skin_share * jnp.log(new / old)
    if hair is not None:
        is_hair = _HAIR_ONLY * _hair_share(lab[..., :1], hair[..., None])
        matched *= jnp.exp(-is_hair * jnp.maximum(gain, 0.0))
    if spared is not None:
        matched *= jnp.exp(-spared[..., None] * gain)
    return change_light(matched, light)


def change_light(lab: Float[Array, "*n 3"], light: Float[Array, "*n 3"]) -> Float[Array, "*n 3"]:
    """Return Oklab colours in a light changed by a factor, as `light_between` returns it."""
    return _product(light * _product(lab, _LMS_FROM_LAB), _LAB_FROM_LMS)


def _hair_share(light: Array, skin: Array) -> Array:
    """Return 1 for what is as dark as hair beside dark skin, and 0 for skin."""
    hair, bare = _HAIR
    return smooth_step((bare - light / jnp.maximum(skin, _BLACK)) / (bare - hair))


def usual_skin(lab: Float[Array, "*n 3"], weights: Float[Array, "*n"]) -> Float[Array, " 3"]:
    """Return the mean colour of skin; of a face that shows hardly any, what is usual.

    Args:
        lab: colours.
        weights: 1 on skin.
    """
    places = tuple(range(weights.ndim))
    total = (lab * weights[..., None]).sum(axis=places) + jnp.asarray(_USUAL_SKIN)
    return total / (weights.sum() + 1.0)


def light_between(
    before: Float[Array, "*n 3"], after: Float[Array, "*n 3"]
) -> Float[Array, "*n 3"]:
    """Return the factor of the light that takes one colour to the other, both Oklab.

    Of the cube roots of the responses of the three kinds of cones; within [0.4, 2.5], and 1 where
    the colours are equal.
    """
    low, high = _FACTORS
    old, new = (jnp.maximum(_product(lab, _LMS_FROM_LAB), _LEAST_ROOT) for lab in (before, after))
    return jnp.clip(new / old, low, high)
