"""The colours of one face's skin in the light of another's.

Each step works on what the one before has left: mean and spread of the skin's colours; the light
from all sides that each face stands in, from its normals; what differs over larger parts of the
face, or by so much that it must be a shadow or a highlight; and how either of them shines.

References:
    R. Ramamoorthi and P. Hanrahan, "An Efficient Representation for Irradiance Environment
    Maps", 2001 (light on a matt surface is nine numbers).
    P. Huber, "Robust Estimation of a Location Parameter", 1964.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from ..core.geometry.harmonics import harmonics
from ..core.geometry.ramps import ramp
from ..core.geometry.scales import enlarge, pool
from .colour import ColorTransfer, apply_light, colourfulness, fit_transfer, light_between
from .regions import soften

__all__ = ["ColorMatch", "Skin", "SkinMatch", "fit_colors", "fit_light", "skin_level"]

ColorMatch = Literal["light", "match", "none"]

_TEXELS = 64  # along a side: all is fitted on averages of blocks
_RIDGE = 0.02  # of the skin's share, draws the light to the same from all sides
_ROUNDS = 4  # of reweighting
_OUTLIER = 0.8  # standard deviations: brows, beards and shadows are not light from all sides
# Over how many texels of 256 what is left is compared, and up to which difference (Oklab) it is
# left to the face, in soft light and in harsh light: slow changes are light; quicker ones are its
# shape, unless they are so large that they must be a shadow or a highlight of one of the photos.
# Harsh light draws both alike: on a face in softer light nearly all of it is taken off.
_SCALES = ((40.0, 0.0, 0.0), (14.0, 0.05, 0.01), (5.0, 0.07, 0.015), (2.5, 2.0, 0.03))
_LEVELS = (40.0, 14.0, 5.0)  # texels of 256: what skin looks like, from further off to close by
_SHINE_BLUR = 4.0  # texels of 256
# Oklab L above what the light from all sides makes of matt skin: less is no shine. At 0.03 swaps
# between photos of one studio lose likeness.
_MATT = 0.05
_TINT_BLUR = 3.0  # texels of 256
_TINTED = 0.1  # Oklab L: what is darker has no colour
_MOST_TINT = 1.3
_SHADES = (-0.05, 0.12)  # Oklab L from the mean: what is darker is lips and lids, not skin in shade
_PALER = (0.85, 1.0)  # of the saturation of skin as light
_EVEN = 3e-4  # variance of Oklab L, draws to 0 what lightness does to colour
_PRIOR = 0.05  # weight of "no difference", where little is seen in both
# Share that texels have in the colours of a skin that only one of the photos shows: next to none,
# unless there are no others, as between profiles of either side.
_ALONE = 0.01


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Skin:
    """The skin of a face in its photo, in UV."""

    lab: Array  # [S, S, 3] Oklab
    normal: Array  # [S, S, 3] photo frame
    weight: Array  # [S, S], how far the photo shows the texel's skin
    paleness: Array  # [], as `skin_paleness` tells it; what is compared is its ratio
    harshness: Array  # [], of the light, as `light_harshness` tells it


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class SkinMatch:
    """What takes the colours of one face to another's."""

    transfer: ColorTransfer
    light: Array  # [S, S, 3], factors as `light_between` returns them
    skin: Array  # [S, S], Oklab L of the source's skin around


def fit_colors(source: Skin, target: Skin, color: ColorMatch) -> SkinMatch:
    """Return what takes one skin's colours to another's.

    Args:
        source: skin whose colours will be changed.
        target: skin that they shall fit.
        color: ``match`` fits mean and spread, ``light`` also the light, ``none`` nothing.

    Returns:
        What `apply_light` takes.
    """
    same = jnp.ones_like(source.lab)
    if color == "none":
        return SkinMatch(transfer=ColorTransfer.identity(), light=same, skin=same[..., 0])
    both = source.weight * target.weight
    seen = pool(both[..., None], _TEXELS)
    (source_lab, source_weight), (target_lab, target_weight) = (
        _pool_colors(skin.lab, both + _ALONE * skin.weight) for skin in (source, target)
    )
    transfer = fit_transfer(
        source_lab,
        source_weight,
        target_lab,
        target_weight,
        paler=target.paleness / source.paleness,
    )
    more = colourfulness(target_lab, target_weight) - colourfulness(source_lab, source_weight)
    tint = _tint(target, both + _ALONE * target.weight, jnp.maximum(more, 0.0))
    level = skin_level(source_lab[..., :1], source_weight[..., None])
    around = enlarge(level, same.shape[0])[..., 0]
    if color == "match":
        return SkinMatch(transfer=transfer, light=tint, skin=around)
    target, source = _pool_skin(target), _pool_skin(source)
    tinted = pool(tint, _TEXELS)
    matched = dataclasses.replace(source, lab=apply_light(transfer, source.lab, tinted))
    matts = [_lit(skin.normal, fit_light(skin)) for skin in (target, matched)]
    offset = matts[0] - matts[1]
    shines = [_shine(skin, matt) for skin, matt in zip((target, matched), matts, strict=True)]
    source_lab = apply_light(transfer, source_lab, tinted)
    harsh = jnp.maximum(source.harshness - target.harshness, 0.0)
    for blur, soft_share, harsh_share in _SCALES:
        threshold = soft_share + harsh * (harsh_share - soft_share)
        rest = _average(target_lab - source_lab - offset, seen, blur * seen.shape[0] / 256)
        strength = jnp.linalg.norm(rest + 1e-9, axis=-1, keepdims=True)
        offset += rest * jnp.maximum(1.0 - threshold / strength, 0.0)
    shine = _exchanged(target_lab - source_lab - offset, shines, seen)
    offset += shine * jnp.array([1.0, 0.0, 0.0])
    level = skin_level(source_lab, seen)
    light = tint * enlarge(light_between(level, level + offset), same.shape[0])
    return SkinMatch(transfer=transfer, light=light, skin=around)


def _exchanged(left: Array, shines: Sequence[Array], seen: Array) -> Array:
    """Return what lightness is left ``[S, S, 1]`` where one of two skins shines, up to its shine.

    Shine is light that does not enter the skin: on dark skin it is most of what one sees, and on
    skin made lighter it would be white spots.
    """
    rest = _average(left[..., :1], seen, _SHINE_BLUR * seen.shape[0] / 256)
    target, source = shines
    return jnp.clip(rest, -source, target)


def _shine(skin: Skin, matt: Array) -> Array:
    """Return how much brighter skin is than matt skin in its light, ``[S, S, 1]`` Oklab L."""
    weight = skin.weight[..., None]
    above = (skin.lab - matt)[..., :1]
    above -= (above * weight).sum() / jnp.maximum(weight.sum(), 1e-6)
    above = _average(above, weight, _SHINE_BLUR * above.shape[0] / 256)
    return jnp.maximum(above - _MATT, 0.0)


def _tint(target: Skin, weight: Array, share: Array) -> Array:
    """Return the factor that gives skin of one tone a share of the target's colours.

    A black and white photo has none of its own: lips and cheeks are as red as the target's. But
    what the target's light does to them is not meant: highlights are pale, shade is not.
    """
    smooth = soften(target.lab, _TINT_BLUR * target.lab.shape[0] / 256)
    light = jnp.maximum(smooth[..., :1], _TINTED)
    chroma = smooth[..., 1:] / light
    weight = weight[..., None]
    total = jnp.maximum(weight.sum(), 1e-6)
    means = [(weight * value).sum(axis=(0, 1)) / total for value in (light, chroma)]
    off = light - means[0]
    slope = (weight * off * (chroma - means[1])).sum(axis=(0, 1))
    slope = jnp.minimum(slope / ((weight * off**2).sum() + _EVEN * total), 0.0)
    tone = means[1] + slope * jnp.clip(off, *_SHADES)
    tones = [jnp.concatenate([jnp.ones_like(light), value], axis=-1) for value in (tone, chroma)]
    factor = jnp.clip(light_between(*tones), 1.0 / _MOST_TINT, _MOST_TINT)
    # Skin that is paler for its lightness shines; eyes and teeth are no skin.
    paler = 1.0 - ramp(
        jnp.linalg.norm(chroma + 1e-9, axis=-1) / jnp.linalg.norm(tone, axis=-1), _PALER
    )
    return 1.0 + share * (1.0 - target.weight * paler)[..., None] * (factor - 1.0)


def fit_light(skin: Skin) -> Float[Array, "8 3"]:
    """Return the light from all sides that a skin of one colour would stand in.

    Least squares over the texels, those that fit badly counting less (Huber).

    Returns:
        Factors of the harmonics of orders one and two, Oklab: what the light adds to the skin.
    """
    basis = harmonics(_unit(skin.normal)).reshape(-1, 9)
    lab, weight = skin.lab.reshape(-1, 3), skin.weight.reshape(-1, 1)
    total = jnp.maximum(weight.sum(), 1e-6)
    prior = jnp.diag(jnp.full(9, _RIDGE).at[0].set(1e-6))

    def refit(_: Array, fit: tuple[Array, Array]) -> tuple[Array, Array]:
        _, used = fit
        share = used / jnp.maximum(used.sum(), 1e-6)
        factors = jnp.linalg.solve(basis.T @ (share * basis) + prior, basis.T @ (share * lab))
        miss = jnp.linalg.norm(lab - basis @ factors + 1e-9, axis=-1, keepdims=True)
        deviation = jnp.sqrt((weight * miss**2).sum() / total)
        return factors, weight * jnp.minimum(1.0, _OUTLIER * (deviation + 1e-4) / (miss + 1e-6))

    factors, _ = lax.fori_loop(0, _ROUNDS, refit, (jnp.zeros((9, 3)), weight))
    return factors[1:]


def _lit(normal: Array, light: Array) -> Array:
    return harmonics(_unit(normal))[..., 1:] @ light


def _unit(normal: Array) -> Array:
    return normal / jnp.maximum(jnp.linalg.norm(normal, axis=-1, keepdims=True), 1e-3)


def _pool_colors(lab: Array, weight: Array) -> tuple[Array, Array]:
    """Average blocks of texels by their weights; return the averages and the weights."""
    w = weight[..., None]
    small = pool(jnp.concatenate([lab * w, w], axis=-1), _TEXELS)
    return small[..., :-1] / jnp.maximum(small[..., -1:], 1e-6), small[..., -1]


def _pool_skin(skin: Skin) -> Skin:
    """Average blocks of texels: colours over the skin that is seen, normals over all."""
    w = skin.weight[..., None]
    small = pool(jnp.concatenate([skin.lab * w, w, skin.normal], axis=-1), _TEXELS)
    lab = small[..., :3] / jnp.maximum(small[..., 3:4], 1e-6)
    return dataclasses.replace(skin, lab=lab, weight=small[..., 3], normal=small[..., 4:])


def skin_level(
    lab: Float[Array, "size size c"], weights: Float[Array, "size size 1"]
) -> Float[Array, "size size c"]:
    """Return what skin looks like at each texel: close by where it is seen, else further off."""
    level = (lab * weights).sum(axis=(0, 1)) / jnp.maximum(weights.sum(), 1e-6)
    for blur in _LEVELS:
        both = jnp.concatenate([lab * weights, weights], axis=-1)
        blurred = soften(both, blur * lab.shape[0] / 256)
        level = (blurred[..., :-1] + _PRIOR * level) / (blurred[..., -1:] + _PRIOR)
    return level


def _average(values: Array, weights: Array, sigma: float) -> Array:
    """Return the Gaussian average of values, drawn to 0 where the weights are small."""
    blurred = soften(jnp.concatenate([values * weights, weights], axis=-1), sigma)
    return blurred[..., :-1] / (blurred[..., -1:] + _PRIOR)
