"""Retouching a face: smoother skin, no spots, no shine, whiter teeth, on the photo's own pixels.

What is skin, teeth or an eye follows from the face's geometry: zones in UV, drawn into the photo.
What is done to skin is smooth but for what is taken off, so it is found at a few hundred rows
whatever the photo's size, and added to the pixels: pores and hairs keep their full detail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from ..core.geometry.landmarks import EYE_CORNERS, LIDS, NOSE_BASE
from ..core.geometry.layout import UVLayout
from ..core.geometry.ramps import ramp
from ..core.geometry.scales import enlarge_part, pool, pool_block
from ..core.geometry.window import narrow_window, put_rectangle
from ..core.traced import blank, keep_traced
from ..core.types import Face
from .amounts import Amounts, parse_amounts
from .colour import lab_from_rgb, rgb_from_lab, usual_skin
from .edit import RgbImage
from .regions import SEEN, soften
from .retouch_features import brighten_eyes, light_around, whiten_teeth
from .retouch_skin import (
    Canvas,
    even_tone,
    lighten_bags,
    smooth_skin,
    take_off_shine,
    take_off_spots,
)
from .windows import LOOKED_ROWS, Window, drawn_layers, window_bands

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
    mask = np.asarray(sum(zones))
    if not mask.any():
        return image  # all of it is covered
    origin, size = narrow_window(np.asarray(face.position_map)[..., :2][mask > 0.0])
    block = pool_block(size, LOOKED_ROWS)
    bands = window_bands(image, origin, size, block)
    looked = [_look(block)(band, face, zones, layout) for band in bands]
    small = jnp.concatenate([one.small for one in looked])
    given = {name: jnp.asarray(amounts.get(name, 0.0), jnp.float32) for name in RETOUCHES}
    found = _found(small, face.camera.scale * small.shape[0] / size[0], given)
    result = np.array(image)
    for band, one in zip(bands, looked, strict=True):
        corner, zoom = band.origin - np.asarray(origin, np.int32), jnp.asarray(block, jnp.float32)
        new = np.asarray(_retouched(band.image, one, found, given, corner, zoom))
        put_rectangle(result, new, (origin[0], int(band.origin[1])))
    return result


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


class _Look(NamedTuple):
    """What is seen of the face in a band of rows."""

    small: Array  # [rows / block, columns / block, 8] colours and zones, means of blocks
    skin: Array  # [rows, columns], 1 on skin and below eyes
    teeth: Array  # [rows, columns]
    eyes: Array  # [rows, columns]


@cache
def _look(block: int) -> Callable[..., _Look]:
    look = partial(_looked, block=block)
    return keep_traced(look, key=f"look for a retouch {block}", like=blank(_Look))


def _looked(window: Window, face: Face, zones: _Zones, layout: UVLayout, *, block: int) -> _Look:
    drawn = _drawn(window, face, zones, layout)
    layers = jnp.stack([drawn.skin, drawn.plain, drawn.bags, drawn.cheeks, drawn.eyes], axis=-1)
    small = pool(jnp.concatenate([window.image, layers], axis=-1), window.image.shape[0] // block)
    return _Look(small, jnp.maximum(drawn.skin, drawn.bags), drawn.teeth, drawn.eyes)


def _drawn(window: Window, face: Face, zones: _Zones, layout: UVLayout) -> _Zones:
    drawn = drawn_layers(window, face, jnp.stack(zones, axis=-1), layout)
    return _Zones(*jnp.moveaxis(drawn, -1, 0))


class _Found(NamedTuple):
    """What is found on a small picture of the face."""

    change: Array  # [rows, columns, 3] Oklab that is added to skin
    around: Array  # [rows, columns, 1] Oklab L around each pixel of an eye
    skin: Array  # [3] mean colour of the skin


@partial(keep_traced, key="find a retouch", like=blank(_Found))
def _found(small: Array, scale: Array, amounts: dict[str, Array]) -> _Found:
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
    return _Found(
        change=canvas.lab - start.lab,
        around=light_around(start.lab, eyes, start.scale),
        skin=usual_skin(start.lab, skin),
    )


@partial(keep_traced, key="retouch", like=0)
def _retouched(
    image: Array,
    look: _Look,
    found: _Found,
    amounts: dict[str, Array],
    corner: Array,
    zoom: Array,
) -> Float[Array, "rows columns 3"]:
    """Return a band, from a pixel (x, y) of the window on, of so many pixels for a found one."""
    smooth = jnp.concatenate([found.change, found.around], axis=-1)
    part = enlarge_part(jnp.moveaxis(smooth, -1, 0), zoom, corner, (image.shape[0], image.shape[1]))
    smooth = jnp.moveaxis(part, 0, -1)
    lab = lab_from_rgb(image)
    change = look.skin[..., None] * smooth[..., :3]
    change += whiten_teeth(lab, look.teeth, found.skin, amounts["teeth"])
    change += brighten_eyes(lab, look.eyes, smooth[..., 3:], found.skin, amounts["eyes"])
    is_new = jnp.abs(change).max(axis=-1, keepdims=True) > 0.0
    return jnp.where(is_new, rgb_from_lab(lab + change).clip(0.0, 1.0), image)
