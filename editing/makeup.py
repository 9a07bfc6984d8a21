"""Make-up: lipstick, blush, eye shadow and more, in colours that suit the face's own skin.

Where it goes follows from the face's geometry (`makeup_zones`): zones in UV, drawn into the photo.
There pigments are laid over the photo's own pixels (`makeup_paint`); lips are recoloured.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from ..core.geometry.layout import UVLayout
from ..core.geometry.ramps import ramp
from ..core.geometry.render import render_texture
from ..core.geometry.scales import enlarge, pool
from ..core.reconstruct import read_texture
from ..core.traced import blank, keep_traced
from ..core.types import Face
from .amounts import ColoredAmount, ColoredAmounts, parse_colored_amounts
from .colour import DARK, colourfulness, lab_from_rgb, rgb_from_lab, usual_skin
from .edit import RgbImage, recolor_regions
from .makeup_paint import ITEMS, Skin, default_color, fill_brows, find_brows, line_weights, tinted
from .makeup_zones import Zones, makeup_zones
from .recolor import parse_color
from .regions import soften
from .windows import LOOKED_ROWS, Window, cut_edit_window, paste_window

__all__ = ["MAKEUP", "make_up_face", "parse_makeup"]

MAKEUP = tuple(ITEMS)

_BARE = (0.35, 0.65)  # of the skin's lightness: from hair to skin
_LIT = 0.95  # of the skin's lightness: how light lips become
_FEATHER = 3.0  # texels of 256: border of the lips
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
            image, face, layout, ["lips"], palette.lips, strength=strength, feather=_FEATHER
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
    """Lay pigments over skin, lids and brows."""
    mask = np.stack([np.asarray(_zone(zones, name)) for name in used]).max(axis=0)
    if not mask.any():
        return image  # all of it is covered
    window = cut_edit_window(image, face, mask)
    amounts = np.asarray([used[n].amount if n in used else 0.0 for n in MAKEUP], np.float32)
    drawn = _drawn(window, face, zones, layout)
    made_up = _made_up(window.image, drawn, face.camera.scale, palette, amounts)
    return paste_window(image, window, made_up)


def _zone(zones: Zones, name: str) -> Array:
    return zones.lashes if name == "eyeliner" else getattr(zones, name)


@partial(keep_traced, key="draw zones of make-up", like=blank(Zones))
def _drawn(window: Window, face: Face, zones: Zones, layout: UVLayout) -> Zones:
    height, width = window.image.shape[:2]
    drawn, _ = render_texture(
        jnp.stack(zones, axis=-1),
        face.position_map,
        layout,
        height=height,
        width=width,
        origin=window.origin,
    )
    drawn *= window.is_photo.astype(drawn.dtype)[..., None]
    return Zones(*jnp.moveaxis(drawn, -1, 0))


@partial(keep_traced, key="make up", like=0)
def _made_up(
    image: Array,
    zones: Zones,
    scale: Array,
    palette: _Palette,
    amounts: Float[Array, " items"],
) -> Float[Array, "rows columns 3"]:
    lab = start = lab_from_rgb(image)
    bare = ramp(lab[..., 0] / jnp.maximum(palette.skin[0], DARK), _BARE)
    weights = {name: bare * getattr(zones, name) for name in _ON_SKIN}
    shadow = _smooth(zones.eye_shadow, _FOLD * scale)
    weights["eye_shadow"] = bare * shadow * (1.0 - zones.eyes)
    weights["eyeliner"] = zones.lashes * line_weights(zones.height, zones.line, scale)
    for name, weight in weights.items():
        k = MAKEUP.index(name)
        lab = tinted(lab, amounts[k] * weight, palette.items[k], palette.skin, ITEMS[name])
    lab = lax.cond(
        amounts[MAKEUP.index("brows")] > 0.0,
        lambda lab: _with_brows(lab, zones, scale, palette, amounts),
        lambda lab: lab,
        lab,
    )
    is_new = jnp.abs(lab - start).max(axis=-1, keepdims=True) > 0.0
    return jnp.where(is_new, rgb_from_lab(lab).clip(0.0, 1.0), image)


def _smooth(zone: Array, width: Array) -> Float[Array, "rows columns"]:
    small = pool(zone[..., None], LOOKED_ROWS)
    blurred = soften(small, width * small.shape[0] / zone.shape[0])
    return enlarge(blurred, *zone.shape)[..., 0]


def _with_brows(
    lab: Array, zones: Zones, scale: Array, palette: _Palette, amounts: Array
) -> Float[Array, "rows columns 3"]:
    k = MAKEUP.index("brows")
    layers = jnp.stack([zones.brows, zones.skin], axis=-1)
    small = pool(jnp.concatenate([lab, layers], axis=-1), LOOKED_ROWS)
    zoom = small.shape[0] / lab.shape[0]
    found, hair = find_brows(small[..., :3], small[..., 3], small[..., 4], scale * zoom)
    goal = jnp.where(palette.is_named[k] > 0.0, palette.items[k], hair * ITEMS["brows"].light)
    return fill_brows(lab, enlarge(found[..., None], *lab.shape[:2])[..., 0], goal, amounts[k])
