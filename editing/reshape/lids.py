"""Lids of eyes that close: what a photo of open eyes does not show of them.

An open eye's upper lid is folded away. What is seen of it, a strip of lashes and shade, would be
blotches if it were stretched over the eye. A lid that closes gets the colour of the bare skin
around it in the photo's light, and a line of lashes where it meets the lower one.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from ...core.geometry.harmonics import harmonics
from ...core.geometry.landmarks import EYE_CORNERS, LIDS, pair_distance, read_landmarks
from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp
from ...core.geometry.visibility import normals
from ..colour import lab_from_rgb, rgb_from_lab
from ..light import Skin, fit_light, skin_level
from ..regions import soften
from ..seen.eyes import around_eyes, eye_whites
from ..seen.features import brow_area
from ..seen.occlusion import average_lab

__all__ = ["Lids", "closing_lids"]

# Lengths are in texels of 256.
_LOWERED = (0.05, 0.3)  # of the gap, by which lids come down until they are drawn anew
_GROWN = (1.02, 1.2)  # times the area that the photo shows of a lid's skin
_EDGE, _NEAR = 4.0, (0.05, 0.45)  # how far around that and the eye's rim, softly
_SIDES, _ABOVE = 6.0, (0.0, 0.25)  # how far beside an eye it is still told what is above it
_AROUND = 8.0  # as far skin is looked at
_RIM, _AT_RIM = 1.5, (0.0, 0.3)  # beside eyeballs, where their whites are found, too
_LASHES = (0.8, 0.95)  # of the lightness of skin around: lashes, and bare lids
_WHITE = (0.05, 0.35)  # of an eye beside its texels: it is covered, too
# Thickness of the line of lashes on the upper lid, where it is pressed together, and on the lower.
_LINE, _LOWER_LINE, _LINE_BLUR = 4.0, 1.0, 0.7
_SHADE = (0.85, 1.12)  # of the light of the skin around
_INK = 0.9  # share of the colour of lashes in it
_DARKEST = 20.0  # how quickly what is lighter counts less for that colour, per Oklab L
_CHEEK = 44.0  # as far below it is skin of whose grain there is most


class Lids(NamedTuple):
    """What is drawn anew, in UV."""

    colors: Array  # [S, S, 3] sRGB
    share: Array  # [S, S] of these colours
    to_cheek: Array  # [2], the way from them to bare skin below the eye, photo pixels


def closing_lids(
    texture: Float[Array, "size size 3"],
    seen: Float[Array, "size size"],
    old: Float[Array, "size size 3"],
    new: Float[Array, "size size 3"],
    layout: UVLayout,
) -> Lids:
    """Return the upper lids of eyes that close.

    Args:
        texture: sRGB of the photo, in [0, 1].
        seen: 1 where the photo shows the texel's skin.
        old: position map of the face in the photo.
        new: the same after it has moved.
        layout: UV layout.

    Returns:
        A share of 0 where no lid comes down, and of layouts that know no eyes.
    """
    if not {"eyeballs", "eyes", "skin", "brows"} <= set(layout.regions):
        return Lids(texture, jnp.zeros_like(seen), jnp.zeros(2))
    texel = layout.size / 256
    eyeballs = layout.region("eyeballs")
    lab, skin = lab_from_rgb(texture), seen * layout.region("skin") * (1.0 - brow_area(layout))
    bare, white = _bare(lab, skin, layout), eye_whites(lab, seen, layout)
    rim = ramp(soften(eyeballs[..., None], _RIM * texel)[..., 0], _AT_RIM)
    known = skin * bare * (1.0 - white) * (1.0 - rim)
    beside = jnp.maximum(ramp(white, _WHITE), rim)
    lid = jnp.maximum(_upper_lid(old, new, bare, layout), beside) * (1.0 - eyeballs)
    line = _seam(eyeballs, *(max(round(rows * texel), 1) for rows in (_LINE, _LOWER_LINE)))
    smooth = _relit(lab, known, normals(old, layout), normals(new, layout))
    colors = smooth + _INK * line[..., None] * (_lash_color(lab, lid) - smooth)
    share = ramp(_lowered(old, new, layout), _LOWERED) * jnp.maximum(lid, line) * seen
    return Lids(rgb_from_lab(colors), share, _way_down(share, old, new, round(_CHEEK * texel)))


def _bare(lab: Array, skin: Array, layout: UVLayout) -> Float[Array, "size size"]:
    """Return 1 where skin is about as light as that around the eyes, 0 where it is lashes."""
    far = skin * (1.0 - around_eyes(layout.region("eyeballs"), layout))
    around = average_lab(lab, far[..., None], _AROUND * layout.size / 256)
    return ramp(lab[..., 0] / jnp.maximum(around[..., 0], 0.05), _LASHES)


def _upper_lid(old: Array, new: Array, bare: Array, layout: UVLayout) -> Float[Array, "size size"]:
    """Return 1 on upper lids: what grows there as they close, its edges, and lashes."""
    texel = layout.size / 256
    eyeballs, eyes = layout.region("eyeballs"), layout.region("eyes")
    grown = ramp(_area(new) / jnp.maximum(_area(old), 1e-6), _GROWN) * eyes
    near = soften(jnp.maximum(grown, eyeballs)[..., None], _EDGE * texel)[..., 0]
    lid = jnp.maximum(ramp(near, _NEAR), eyes * (1.0 - bare))
    return _above(eyeballs, _SIDES * texel) * lid


def _lowered(old: Array, new: Array, layout: UVLayout) -> Float[Array, ""]:
    """Return by which share of their gap upper lids come down, of eyes that are not just smaller.

    A squint raises the lower lids.
    """
    before, after = (read_landmarks(one, layout.landmark_uv)[:, :2] for one in (old, new))
    upper, lower = LIDS.T
    gap = before[lower] - before[upper]
    along = ((after - before)[upper] * gap).sum(axis=-1) / jnp.maximum((gap**2).sum(axis=-1), 1e-3)
    was, is_now = (_openness(landmarks) for landmarks in (before, after))
    return jnp.minimum(along.mean(), 1.0 - is_now / jnp.maximum(was, 1e-3))


def _openness(landmarks: Array) -> Float[Array, ""]:
    """Return how high eyes are open over their width."""
    width = pair_distance(landmarks, EYE_CORNERS)
    return pair_distance(landmarks, LIDS) / jnp.maximum(width, 1e-3)


def _above(eyeballs: Array, blur: float) -> Float[Array, "size size"]:
    """Return 1 above the middle of eyeballs, 0 below, and 0 far to their sides."""
    ways = [lax.cummax(eyeballs, axis=0, reverse=is_upper) for is_upper in (True, False)]
    upper, lower = jnp.moveaxis(soften(jnp.stack(ways, axis=-1), blur), -1, 0)
    return ramp(upper - lower, _ABOVE)


def _area(positions: Array) -> Float[Array, "size size"]:
    """Return the area that each texel covers in the photo."""
    places = positions[..., :2]
    right, down = (jnp.asarray(jnp.gradient(places, axis=axis)) for axis in (1, 0))
    return jnp.abs(right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0])


def _relit(lab: Array, known: Array, old: Array, new: Array) -> Float[Array, "size size 3"]:
    """Return the colours of known skin, continued, with normals that were old and are new."""
    even = jnp.ones(())
    light = fit_light(Skin(lab=lab, normal=old, weight=known, paleness=even, harshness=even))
    before, after = (harmonics(normal)[..., 1:] @ light[:, :1] for normal in (old, new))
    level = skin_level(jnp.concatenate([lab, before], axis=-1), known[..., None])
    # Light multiplies: skin keeps its a / L.
    gain = 1.0 + (after - level[..., 3:]) / jnp.maximum(level[..., :1], 0.05)
    return level[..., :3] * jnp.clip(gain, *_SHADE)


def _lash_color(lab: Array, lid: Array) -> Float[Array, " 3"]:
    weight = (lid * jnp.exp(-_DARKEST * lab[..., 0]))[..., None]
    return (lab * weight).sum(axis=(0, 1)) / jnp.maximum(weight.sum(), 1e-9)


def _seam(eyeballs: Array, above: int, below: int) -> Float[Array, "size size"]:
    """Return the edges of eyeballs, so many rows thick, thinner towards the corners of the eyes."""
    lifted = jnp.pad(eyeballs[above:], ((0, above), (0, 0)))
    lowered = jnp.pad(eyeballs[:-below], ((below, 0), (0, 0)))
    edge = jnp.clip(jnp.maximum(lifted, lowered) - eyeballs, 0.0, 1.0)
    return soften(edge[..., None], _LINE_BLUR * eyeballs.shape[0] / 256)[..., 0]


def _way_down(share: Array, old: Array, new: Array, rows: int) -> Float[Array, " 2"]:
    """Return the way from moved texels to what the photo shows so many rows below."""
    below = jnp.pad(old[rows:, :, :2], ((0, rows), (0, 0), (0, 0)))
    way = (share[..., None] * (below - new[..., :2])).sum(axis=(0, 1))
    return way / jnp.maximum(share.sum(), 1e-6)
