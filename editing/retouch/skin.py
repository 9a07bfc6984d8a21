"""What a retouch does to skin, on a picture of a few hundred rows.

Each step takes a canvas and an amount from 0 to 1, and returns new colours; where the skin's weight
is 0 they have no meaning. Means count skin only: neither hair nor the backdrop bleeds in.

References:
    K. He, J. Sun, X. Tang, "Guided Image Filtering", 2010 (smooths up to edges).
    T. Lindeberg, "Feature Detection with Automatic Scale Selection", 1998 (blobs: both curvatures).
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ...core.geometry.ramps import ramp
from ..colour import DARK
from ..regions import soften

__all__ = ["Canvas", "even_tone", "lighten_bags", "smooth_skin", "take_off_shine", "take_off_spots"]

_PORES = 0.05  # cm: finer detail is kept as it is
_SMOOTHED = 0.4  # cm: over which skin is smoothed
_EDGE = 0.022  # Oklab L: deviations from which on it is an edge rather than unevenness
_CHROMA = 0.6  # share of it
_SPOTS = (0.08, 0.14, 0.22)  # cm, of the Gaussians that spots are looked for with
_ROUND = (0.2, 0.5)  # weaker curvature of a spot by its stronger: from a line to a spot
_SPOT = (0.003, 0.006)  # Oklab: curvature from which on skin has a spot, and surely has one
_ROUGH = 1.5  # times what skin has everywhere
_OUTLIER = 0.02  # more than that it has nowhere
_REACH = 1.5  # of a spot's size: blur of what is found, so that it covers the spot
_SPREAD = (0.01, 0.04)  # of the blurred: from the rim on
_AROUND = 0.3  # cm: skin that takes a spot's place
_DENSE = (0.12, 0.06)  # share of their cores around: stubble and freckles are the face's own
_MEDIUM = 0.6  # cm
_WIDE = 1.3  # cm
_SOFT = 0.12  # cm: of the rim of a shine
_TONE = 0.75  # share of unevenness that is taken off, at amount 1
_PALE = (0.97, 0.8)  # of the saturation of skin around: from skin to shine
_BRIGHT = (0.01, 0.04)  # Oklab L above it
_LEAST_SATURATION = 0.02  # saturation of a photo with hardly any colour, where nothing is paler
_KNOWN = (0.2, 0.5)  # share of dull skin around
_SHINE = 0.65  # share of a shine that is taken off
_BAG_SHARE = 0.7  # of the way to the cheeks
_BAG_BLUR = 0.25  # cm
_SHADE = (0.0, 0.03)  # Oklab L by which a bag is darker: from none to one whose colour changes, too
_LIGHTEST, _DARKEST = 0.12, 0.1  # Oklab L by which a bag is lightened at most, a shine darkened


class Canvas(NamedTuple):
    """A face, and what of it is skin."""

    lab: Array  # [h, w, 3] Oklab
    skin: Array  # [h, w], 1 on bare skin
    plain: Array  # [h, w], the same away from the base of the nose
    bags: Array  # [h, w], 1 below eyes
    cheeks: Array  # [h, w], 1 on the skin below that
    scale: Array  # [], pixels per cm


def _mean(values: Array, weight: Array, width: Array) -> Array:
    """Return weighted means around each pixel; a pixel's own value where nothing is weighed."""
    w = weight[..., None]
    sums = soften(jnp.concatenate([values * w, w], axis=-1), width)
    known = sums[..., -1:]
    return jnp.where(known > 1e-3, sums[..., :-1] / jnp.maximum(known, 1e-3), values)


def smooth_skin(canvas: Canvas, amount: Float[Array, ""]) -> Float[Array, "h w 3"]:
    """Return smoother skin: unevenness is taken off; folds, pores and hairs stay."""
    lab, skin = canvas.lab, canvas.skin
    wide = _SMOOTHED * canvas.scale
    fine = _mean(lab, skin, _PORES * canvas.scale)
    light = fine[..., :1]
    means = _mean(jnp.concatenate([fine, light**2], axis=-1), skin, wide)
    variance = jnp.maximum(means[..., 3:] - means[..., :1] ** 2, 0.0)
    slope = variance / (variance + _EDGE**2)
    lines = _mean(jnp.concatenate([slope, (1.0 - slope) * means[..., :1]], axis=-1), skin, wide)
    edge, level = lines[..., :1], lines[..., 1:]
    to_light = edge * light + level - light
    to_chroma = _CHROMA * (1.0 - edge) * (means[..., 1:3] - fine[..., 1:])
    return lab + amount * jnp.concatenate([to_light, to_chroma], axis=-1)


def take_off_spots(canvas: Canvas, amount: Float[Array, ""]) -> Float[Array, "h w 3"]:
    """Return skin without small dark or red spots."""
    lab, skin, scale = canvas.lab, canvas.skin, canvas.scale
    fine = _mean(lab, skin, _PORES * scale)
    spots = cores = jnp.zeros_like(skin)
    for size in _SPOTS:
        found = skin * _spots_of(fine, skin, size * scale)
        spread = soften(found[..., None], _REACH * size * scale)[..., 0]
        spots, cores = jnp.maximum(spots, ramp(spread, _SPREAD)), jnp.maximum(cores, found)
    dense = _mean(cores[..., None], skin, _MEDIUM * scale)[..., 0]
    spots *= canvas.plain * ramp(dense, _DENSE)
    around = _mean(fine, skin * (1.0 - spots), _AROUND * scale)
    return lab + amount * spots[..., None] * (around - fine)


def _spots_of(fine: Array, skin: Array, size: Array) -> Float[Array, "h w"]:
    """Return 1 where skin has a spot of a size (pixels), 0 where it has none."""
    seen = _mean(fine, skin, size)
    dark = seen[..., 0] - seen[..., 1]  # darker or redder
    across, along, both = _curvatures(dark)
    middle, off = 0.5 * (across + along), jnp.sqrt(0.25 * (across - along) ** 2 + both**2)
    weak, strong = (size**2 * (middle + sign * off) for sign in (-1.0, 1.0))
    usual = (skin * jnp.minimum(jnp.abs(weak), _OUTLIER)).sum() / jnp.maximum(skin.sum(), 1.0)
    is_round = ramp(weak / jnp.maximum(strong, 1e-6), _ROUND)
    least = jnp.maximum(_SPOT[0], _ROUGH * usual)
    return is_round * ramp(weak / least, (1.0, _SPOT[1] / _SPOT[0]))


def _curvatures(image: Array) -> tuple[Array, Array, Array]:
    """Return the second derivatives per square pixel: along rows, along columns, mixed."""
    x = jnp.pad(image, 1, mode="edge")
    across = x[1:-1, 2:] - 2.0 * image + x[1:-1, :-2]
    along = x[2:, 1:-1] - 2.0 * image + x[:-2, 1:-1]
    both = 0.25 * (x[2:, 2:] - x[2:, :-2] - x[:-2, 2:] + x[:-2, :-2])
    return across, along, both


def take_off_shine(canvas: Canvas, amount: Float[Array, ""]) -> Float[Array, "h w 3"]:
    """Return skin without shine: what is brighter than the skin around, and paler."""
    lab, skin, scale = canvas.lab, canvas.skin, canvas.scale
    fine = _mean(lab, skin, _PORES * scale)
    near = _mean(fine, skin, _WIDE * scale)
    vivid = _saturation(fine) / jnp.maximum(_saturation(near), _LEAST_SATURATION)
    found = ramp(vivid, _PALE) * ramp(fine[..., 0] - near[..., 0], _BRIGHT)
    shiny = _mean(found[..., None], skin, _SOFT * scale)
    dull = skin * (1.0 - shiny[..., 0]) ** 2
    around = _mean(fine, dull, _WIDE * scale)
    # Beside little skin that is dull, a lit side of a face ends, or its photo is overexposed.
    known = _mean(dull[..., None], skin, _WIDE * scale)
    share = _SHINE * amount * shiny * ramp(known, _KNOWN)
    light = fine[..., :1] - share * jnp.clip(fine[..., :1] - around[..., :1], 0.0, _DARKEST)
    hue = around[..., 1:] / jnp.maximum(around[..., :1], DARK)
    chroma = fine[..., 1:] + share * (hue * light - fine[..., 1:])
    return lab + jnp.concatenate([light, chroma], axis=-1) - fine


def _saturation(lab: Float[Array, "h w 3"]) -> Float[Array, "h w"]:
    return jnp.linalg.norm(lab[..., 1:], axis=-1) / jnp.maximum(lab[..., 0], DARK)


def lighten_bags(canvas: Canvas, amount: Float[Array, ""]) -> Float[Array, "h w 3"]:
    """Return lighter skin below the eyes: nearer to the cheeks, where these are seen."""
    lab, scale = canvas.lab, canvas.scale
    cheek = _mean(lab, canvas.cheeks, _WIDE * scale)
    here = _mean(lab, canvas.bags, _BAG_BLUR * scale)
    darker = jnp.clip(cheek[..., :1] - here[..., :1], 0.0, _LIGHTEST)
    to_chroma = (cheek - here)[..., 1:] * ramp(darker, _SHADE)
    share = _BAG_SHARE * amount * canvas.bags[..., None]
    return lab + share * jnp.concatenate([darker, to_chroma], axis=-1)


def even_tone(canvas: Canvas, amount: Float[Array, ""]) -> Float[Array, "h w 3"]:
    """Return skin of an even colour; how light it is where stays."""
    lab, skin, scale = canvas.lab, canvas.skin, canvas.scale
    light = jnp.maximum(lab[..., :1], DARK)
    ratio = _mean(lab[..., 1:] / light, skin, _PORES * scale)
    whole = (ratio * skin[..., None]).sum(axis=(0, 1)) / jnp.maximum(skin.sum(), 1e-3)
    around = 0.5 * (_mean(ratio, skin, _WIDE * scale) + whole)
    change = _TONE * amount * (around - ratio) * light
    return lab + jnp.concatenate([jnp.zeros_like(light), change], axis=-1)
