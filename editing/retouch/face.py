"""Retouching a face: smoother skin, no spots, no shine, whiter teeth, on the photo's own pixels.

What is skin, teeth or an eye follows from the face's geometry: zones in UV, drawn into the photo.
What is done to skin is smooth but for what is taken off, so it is found at a few hundred rows
whatever the photo's size, and added to the pixels: pores and hairs keep their full detail.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ...core.geometry.landmarks import EYE_CORNERS, LIDS, NOSE_BASE
from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp
from ...core.traced import blank, keep_traced
from ...core.types import Face
from ..amounts import Amounts, parse_amounts
from ..bands import Found, Look, Step, paint_in_bands, repainted
from ..colour import lab_from_rgb, usual_skin
from ..edit import RgbImage
from ..regions import SEEN, soften
from .features import brighten_eyes, light_around, whiten_teeth
from .skin import (
    Canvas,
    even_tone,
    lighten_bags,
    smooth_skin,
    take_off_shine,
    take_off_spots,
)

__all__ = ["RETOUCHES", "parse_retouches", "retouch_face"]

RETOUCHES = ("skin", "spots", "tone", "shine", "eye_bags", "teeth", "eyes")

# In this order: a spot must not tell how light the skin around it is.
_OF_SKIN = {
    "spots": take_off_spots,
    "shine": take_off_shine,
    "eye_bags": lighten_bags,
    "tone": even_tone,
    "skin": smooth_skin,
}
_FEATURES = ("brows", "eyes", "lips", "mouth_interior")
_BESIDE, _FAR = 1.2, 3.0  # texels of 256, blur of the features: hairs beside brows are no spots
_CLEAR = (0.4, 0.1)
_RIM = 4.0  # texels of 256, blur of the face, whose jaw may lie a little further in
_NOSTRIL = (0.8, 1.3)  # cm from the base of the nose
_INSIDE_BLUR = 1.0  # texels of 256: softness of eyes and mouth
_INSIDE = (0.3, 0.7)
_BAGS = (0.1, 0.35, 1.1, 2.0)  # cm below the eye: from where to where a shade lies
_BELOW = (1.8, 2.4, 3.2, 4.0)  # the same of the cheek that is taken as its measure
_ASIDE = (0.6, 0.0)  # cm beyond the corners of the eye


class _Zones(NamedTuple):
    """Where what is done; in UV ``[S, S]``, or at pixels ``[h, w]``."""

    skin: Array
    plain: Array
    bags: Array
    cheeks: Array
    teeth: Array
    eyes: Array


def parse_retouches(given: Amounts) -> dict[str, float]:
    """Return name -> amount from 0 to 1.

    Raises:
        InputError: an unknown name, an amount that is no such number, or a name twice.
    """
    return parse_amounts(given, RETOUCHES, verb="retouch", low=0)


def retouch_face(
    image: RgbImage, face: Face, layout: UVLayout, amounts: Mapping[str, float]
) -> RgbImage:
    """Retouch a face.

    Args:
        image: the photo, RGB in [0, 1].
        face: the face of it to change; what covers it stays.
        layout: UV layout of the face.
        amounts: from `parse_retouches`; if all are 0 the photo comes back.

    Returns:
        The photo, pixels outside the face's skin, teeth and eyes bit-identical.
    """
    if not any(amounts.values()):
        return image
    zones = _zones(face, layout)
    layers = np.stack([np.asarray(zone) for zone in zones], axis=-1)
    given = {name: jnp.asarray(amounts.get(name, 0.0), jnp.float32) for name in RETOUCHES}
    return paint_in_bands(image, face, layout, layers, given, step=_STEP, mask=layers.sum(axis=-1))


@partial(keep_traced, key="zones of a retouch", like=blank(_Zones))
def _zones(face: Face, layout: UVLayout) -> _Zones:
    texel = layout.size / 256
    seen = ramp(face.visibility, SEEN) * layout.mask
    regions = layout.regions

    def blurred(name: str, width: float) -> Array:
        return soften(regions.get(name, jnp.zeros_like(layout.mask))[..., None], width * texel)

    def away_from_features(width: float) -> Array:
        features = jnp.concatenate([blurred(name, width) for name in _FEATURES], axis=-1)
        return ramp(features.max(axis=-1), _CLEAR)

    # The blurred edge is one half at the border: the inner half of the ramp lies inside.
    inner = jnp.clip(2.0 * blurred("face", _RIM)[..., 0] - 1.0, 0.0, 1.0)
    face_seen = seen * inner
    skin = face_seen * layout.region("skin") * away_from_features(_BESIDE)
    teeth, eyes = (
        ramp(blurred(name, _INSIDE_BLUR)[..., 0], _INSIDE) * seen
        for name in ("mouth_interior", "eyeballs")
    )
    return _Zones(
        skin=skin,
        plain=skin * away_from_features(_FAR) * _beside_nostrils(layout),
        bags=face_seen * _under_eyes(layout, _BAGS),
        cheeks=skin * _under_eyes(layout, _BELOW),
        teeth=teeth,
        eyes=eyes,
    )


def _beside_nostrils(layout: UVLayout) -> Array:
    """Return 0 at the base of the nose, whose holes and creases are no spots; 1 elsewhere."""
    away = layout.canonical[..., None, :] - layout.landmarks()[NOSE_BASE]
    return ramp(jnp.linalg.norm(away, axis=-1).min(axis=-1), _NOSTRIL)


def _under_eyes(layout: UVLayout, depths: tuple[float, float, float, float]) -> Array:
    """Return 1 below both eyes, between the second and the third depth (cm), 0 before and after."""
    landmarks = layout.landmarks()
    found = []
    for corners, lids in zip(EYE_CORNERS, np.split(LIDS, 2), strict=True):
        middle, half = landmarks[corners, 0].mean(), jnp.abs(jnp.diff(landmarks[corners, 0]))[0] / 2
        aside = jnp.abs(layout.canonical[..., 0] - middle) - half
        below = layout.canonical[..., 1] - landmarks[lids[:, 1], 1].mean()
        inside = ramp(below, depths[:2]) * ramp(below, (depths[3], depths[2]))
        found.append(inside * ramp(aside, _ASIDE))
    return jnp.maximum(*found)


def _look(image: Array, zones: Array, scale: Array) -> Look:
    del scale
    drawn = _Zones(*jnp.moveaxis(zones, -1, 0))
    layers = jnp.stack([drawn.skin, drawn.plain, drawn.bags, drawn.cheeks, drawn.eyes], axis=-1)
    on_skin = jnp.maximum(drawn.skin, drawn.bags)
    return Look(
        layers=jnp.concatenate([image, layers], axis=-1),
        weights=jnp.stack([on_skin, drawn.teeth, drawn.eyes], axis=-1),
    )


def _find(small: Array, scale: Array, amounts: dict[str, Array]) -> Found:
    """Return what is added to skin, Oklab, and the lightness around each pixel of an eye."""
    skin, plain, bags, cheeks, eyes = jnp.moveaxis(small[..., 3:], -1, 0)
    start = Canvas(
        lab=lab_from_rgb(small[..., :3]),
        skin=skin,
        plain=plain,
        bags=bags,
        cheeks=cheeks,
        scale=scale,
    )
    canvas = start
    for name, step in _OF_SKIN.items():
        lab = lax.cond(amounts[name] > 0.0, step, lambda c, _: c.lab, canvas, amounts[name])
        canvas = canvas._replace(lab=lab)
    around = light_around(start.lab, eyes, start.scale)
    return Found(
        smooth=jnp.concatenate([canvas.lab - start.lab, around], axis=-1),
        color=usual_skin(start.lab, skin),
    )


def _paint(image: Array, weights: Array, found: Found, amounts: dict[str, Array]) -> Array:
    skin, teeth, eyes = jnp.moveaxis(weights, -1, 0)
    change, around = found.smooth[..., :3], found.smooth[..., 3:]
    lab = lab_from_rgb(image)
    change = skin[..., None] * change
    change += whiten_teeth(lab, teeth, found.color, amounts["teeth"])
    change += brighten_eyes(lab, eyes, around, found.color, amounts["eyes"])
    return repainted(image, lab, lab + change)


_STEP = Step("retouch", _look, _find, _paint)
