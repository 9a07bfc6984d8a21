"""Make-up: lipstick, blush, eye shadow and more, in colours that suit the face's own skin.

Where it goes follows from the face's geometry (`zones`): zones in UV, drawn into the photo.
There pigments are laid over the photo's own pixels (`paint`), band by band of rows; lips
are recoloured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp
from ...core.reconstruct import read_texture
from ...core.traced import blank, keep_traced
from ...core.types import Face
from ..amounts import ColoredAmount, ColoredAmounts, parse_colored_amounts
from ..bands import Found, Look, Step, paint_in_bands, repainted
from ..colour import DARK, colourfulness, lab_from_rgb, rgb_from_lab, usual_skin
from ..edit import RgbImage, recolor_regions
from ..recolor import parse_color
from ..regions import FEATHER, soften
from .lips import fitted_lips
from .paint import ITEMS, Skin, default_color, fill_brows, find_brows, line_weights, tinted
from .zones import Zones, makeup_zones

__all__ = ["MAKEUP", "make_up_face", "parse_makeup"]

MAKEUP = tuple(ITEMS)

_BARE = (0.35, 0.65)  # of the skin's lightness: from hair to skin
_LIT = 0.95  # of the skin's lightness: how light lips become
_FOLD = 0.1  # cm: blur of the shadow's edge where a lid is folded
_ON_SKIN = ("contour", "blush", "highlight")


def parse_makeup(given: ColoredAmounts) -> dict[str, ColoredAmount]:
    """Return name -> amount from 0 to 1 and colour.

    Raises:
        InputError: an unknown name, an amount or a colour that is none, or a name twice.
    """
    return parse_colored_amounts(given, MAKEUP, verb="make up")


def make_up_face(
    image: RgbImage, face: Face, layout: UVLayout, amounts: Mapping[str, ColoredAmount]
) -> RgbImage:
    """Make up a face.

    Args:
        image: the photo, RGB in [0, 1].
        face: the face of it to change; what covers it stays.
        layout: UV layout of the face.
        amounts: from `parse_makeup`; if all are 0 the photo comes back.

    Returns:
        The photo, pixels outside the made up zones bit-identical.
    """
    used = {name: one for name, one in amounts.items() if one.amount > 0.0}
    if not used:
        return image
    texture = read_texture(image, face.position_map)
    zones = makeup_zones(face, texture, layout)
    palette = _palette(texture, zones.skin, *_named(used))
    lipstick = used.pop("lipstick", None)
    if lipstick is not None and "lips" in layout.regions:
        strength = lipstick.amount * ITEMS["lipstick"].cover
        image = recolor_regions(
            image,
            face,
            fitted_lips(face, texture, layout),
            ["lips"],
            palette.lips,
            strength=strength,
            feather=FEATHER,
        )
    return _paint(image, face, layout, zones, palette, used) if used else image


class _Palette(NamedTuple):
    """Colours of a face's make-up."""

    skin: Array  # [3] Oklab, mean
    lips: Array  # [3] sRGB
    items: Array  # [items, 3] Oklab
    is_named: Array  # [items], 1 where the colour was given


def _named(used: Mapping[str, ColoredAmount]) -> tuple[np.ndarray, np.ndarray]:
    """Return the colours that are given, sRGB ``[items, 3]``, and 1 for each of them, else 0."""
    colors = [used[name].color if name in used else None for name in MAKEUP]
    values = [(0.0, 0.0, 0.0) if color is None else parse_color(color) for color in colors]
    is_named = [color is not None for color in colors]
    return np.asarray(values, np.float32), np.asarray(is_named, np.float32)


@partial(keep_traced, key="colours of make-up", like=blank(_Palette))
def _palette(
    texture: Float[Array, "size size 3"],
    skin: Float[Array, "size size"],
    named: Float[Array, "items 3"],
    is_named: Float[Array, " items"],
) -> _Palette:
    """Return the colours that are given and, for other items, those that suit the skin."""
    lab = lab_from_rgb(texture)
    own = Skin(color=usual_skin(lab, skin), colourful=colourfulness(lab, skin))
    suiting = jnp.stack([default_color(item, own) for item in ITEMS.values()])
    items = jnp.where(is_named[:, None] > 0.0, lab_from_rgb(named), suiting)
    lips = items[MAKEUP.index("lipstick")]
    # A colour as in full light would glow on a face that has less of it.
    lips = lips * jnp.minimum(_LIT * own.color[0] / jnp.maximum(lips[0], DARK), 1.0)
    return _Palette(skin=own.color, lips=rgb_from_lab(lips), items=items, is_named=is_named)


def _paint(
    image: RgbImage,
    face: Face,
    layout: UVLayout,
    zones: Zones,
    palette: _Palette,
    used: Mapping[str, ColoredAmount],
) -> RgbImage:
    """Lay pigments over skin and lids, then fill brows."""
    drawn_by = {"eyeliner": "lashes"}  # others by zones of their own names
    mask = _stacked(zones, [drawn_by.get(name, name) for name in used]).max(axis=-1)
    amounts = np.asarray([used[n].amount if n in used else 0.0 for n in MAKEUP], np.float32)
    settings = palette, amounts
    if set(used) - {"brows"}:
        layers = _stacked(zones, _SKIN_ZONES)
        image = paint_in_bands(image, face, layout, layers, settings, step=_SKIN, mask=mask)
    if "brows" in used:
        layers = _stacked(zones, _BROW_ZONES)
        image = paint_in_bands(image, face, layout, layers, settings, step=_BROWS, mask=mask)
    return image


def _stacked(zones: Zones, names: Sequence[str]) -> Float[np.ndarray, "size size zones"]:
    return np.stack([np.asarray(getattr(zones, name)) for name in names], axis=-1)


_Settings = tuple[_Palette, Float[Array, " items"]]  # and amounts
_SKIN_ZONES = (*_ON_SKIN, "eye_shadow", "eyes", "lashes", "height", "line")
_BROW_ZONES = ("brows", "skin")


def _look_at_skin(image: Array, zones: Array, scale: Array) -> Look:
    del image
    *on_skin, shadow, eyes, lashes, height, line = jnp.moveaxis(zones, -1, 0)
    liner = lashes * line_weights(height, line, scale)
    return Look(shadow[..., None], jnp.stack([*on_skin, 1.0 - eyes, liner], axis=-1))


def _find_shadow(small: Array, scale: Array, settings: _Settings) -> Found:
    del settings
    return Found(soften(small, _FOLD * scale), jnp.zeros(3))


def _make_up_skin(image: Array, weights: Array, found: Found, settings: _Settings) -> Array:
    palette, amounts = settings
    lab = start = lab_from_rgb(image)
    bare = ramp(lab[..., 0] / jnp.maximum(palette.skin[0], DARK), _BARE)
    *on_skin, lids, liner = jnp.moveaxis(weights, -1, 0)
    places = {name: bare * zone for name, zone in zip(_ON_SKIN, on_skin, strict=True)}
    places["eye_shadow"] = bare * found.smooth[..., 0] * lids
    places["eyeliner"] = liner
    for name, weight in places.items():
        k = MAKEUP.index(name)
        lab = tinted(lab, amounts[k] * weight, palette.items[k], palette.skin, ITEMS[name])
    return repainted(image, start, lab)


def _look_at_brows(image: Array, zones: Array, scale: Array) -> Look:
    del scale
    layers = jnp.concatenate([lab_from_rgb(image), zones], axis=-1)
    return Look(layers, jnp.zeros((*image.shape[:2], 0)))


def _find_brows(small: Array, scale: Array, settings: _Settings) -> Found:
    del settings
    brows, hair = find_brows(small[..., :3], small[..., 3], small[..., 4], scale)
    return Found(brows[..., None], hair)


def _fill_brows(image: Array, weights: Array, found: Found, settings: _Settings) -> Array:
    del weights  # it has none
    (palette, amounts), k = settings, MAKEUP.index("brows")
    lab, own = lab_from_rgb(image), found.color * ITEMS["brows"].light
    goal = jnp.where(palette.is_named[k] > 0.0, palette.items[k], own)
    return repainted(image, lab, fill_brows(lab, found.smooth[..., 0], goal, amounts[k]))


_SKIN = Step("make up skin", _look_at_skin, _find_shadow, _make_up_skin)
_BROWS = Step("fill brows", _look_at_brows, _find_brows, _fill_brows)
