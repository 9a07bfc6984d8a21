"""Make-up: lipstick, blush, eye shadow and more, in colours that suit the face's own skin.

Where it goes follows from the face's geometry (`makeup_zones`): zones in UV, drawn into the photo.
There pigments are laid over the photo's own pixels (`makeup_paint`), band by band of rows; lips
are recoloured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.geometry.layout import UVLayout
from ..core.geometry.ramps import ramp
from ..core.geometry.scales import enlarge_part, pool, pool_block
from ..core.geometry.window import narrow_window, put_rectangle
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
from .windows import LOOKED_ROWS, Window, drawn_layers, window_bands

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
    """Lay pigments over skin and lids, then fill brows."""
    mask = np.stack([np.asarray(_zone(zones, name)) for name in used]).max(axis=0)
    if not mask.any():
        return image  # all of it is covered
    window = narrow_window(np.asarray(face.position_map)[..., :2][mask > 0.0])
    amounts = np.asarray([used[n].amount if n in used else 0.0 for n in MAKEUP], np.float32)
    if set(used) - {"brows"}:
        image = _in_bands(image, face, layout, zones, palette, amounts, window, _SKIN)
    if "brows" in used:
        image = _in_bands(image, face, layout, zones, palette, amounts, window, _BROWS)
    return image


def _zone(zones: Zones, name: str) -> Array:
    return zones.lashes if name == "eyeliner" else getattr(zones, name)


class _Look(NamedTuple):
    """What is seen of the face in a band of rows."""

    small: Array  # [rows / block, columns / block, c], means of blocks
    weights: Array  # [rows, columns, n]


class _Found(NamedTuple):
    """What is found on a small picture of the face."""

    zone: Array  # [rows, columns, 1]
    hair: Array  # [3] Oklab


class _Step(NamedTuple):
    """What is done in bands: look at each, find what takes all of them, and paint each."""

    look: Callable[[int], Callable[..., _Look]]  # by the side of a block
    find: Callable[..., _Found]
    paint: Callable[..., Array]


def _in_bands(
    image: RgbImage,
    face: Face,
    layout: UVLayout,
    zones: Zones,
    palette: _Palette,
    amounts: Float[np.ndarray, " items"],
    window: tuple[tuple[int, int], tuple[int, int]],
    step: _Step,
) -> RgbImage:
    origin, size = window
    block = pool_block(size, LOOKED_ROWS)
    bands = window_bands(image, origin, size, block)
    looked = [step.look(block)(band, face, zones, layout) for band in bands]
    small = jnp.concatenate([one.small for one in looked])
    found = step.find(small, face.camera.scale * small.shape[0] / size[0])
    result = np.array(image)
    for band, one in zip(bands, looked, strict=True):
        corner, zoom = band.origin - np.asarray(origin, np.int32), jnp.asarray(block, jnp.float32)
        new = step.paint(band.image, one.weights, found, palette, amounts, corner, zoom)
        put_rectangle(result, np.asarray(new), (origin[0], int(band.origin[1])))
    return result


def _drawn(
    window: Window, face: Face, zones: Zones, layout: UVLayout, names: Sequence[str]
) -> list[Array]:
    layers = jnp.stack([getattr(zones, name) for name in names], axis=-1)
    return list(jnp.moveaxis(drawn_layers(window, face, layers, layout), -1, 0))


@cache
def _look_at_skin(block: int) -> Callable[..., _Look]:
    look = partial(_skin_looked_at, block=block)
    return keep_traced(look, key=f"look at skin for make-up {block}", like=blank(_Look))


def _skin_looked_at(
    window: Window, face: Face, zones: Zones, layout: UVLayout, *, block: int
) -> _Look:
    names = (*_ON_SKIN, "eye_shadow", "eyes", "lashes", "height", "line")
    *on_skin, shadow, eyes, lashes, height, line = _drawn(window, face, zones, layout, names)
    liner = lashes * line_weights(height, line, face.camera.scale)
    small = pool(shadow[..., None], shadow.shape[0] // block)
    return _Look(small, jnp.stack([*on_skin, 1.0 - eyes, liner], axis=-1))


@partial(keep_traced, key="find the shadow of eyes", like=blank(_Found))
def _shadow_found(small: Array, scale: Array) -> _Found:
    return _Found(soften(small, _FOLD * scale), jnp.zeros(3))


@partial(keep_traced, key="make up skin", like=0)
def _skin_made_up(
    image: Array,
    weights: Array,
    found: _Found,
    palette: _Palette,
    amounts: Float[Array, " items"],
    corner: Array,
    zoom: Array,
) -> Float[Array, "rows columns 3"]:
    lab = start = lab_from_rgb(image)
    bare = ramp(lab[..., 0] / jnp.maximum(palette.skin[0], DARK), _BARE)
    *on_skin, lids, liner = jnp.moveaxis(weights, -1, 0)
    places = {name: bare * zone for name, zone in zip(_ON_SKIN, on_skin, strict=True)}
    places["eye_shadow"] = bare * _part(found, corner, zoom, image) * lids
    places["eyeliner"] = liner
    for name, weight in places.items():
        k = MAKEUP.index(name)
        lab = tinted(lab, amounts[k] * weight, palette.items[k], palette.skin, ITEMS[name])
    return _changed(image, start, lab)


def _part(found: _Found, corner: Array, zoom: Array, image: Array) -> Float[Array, "rows columns"]:
    """Return what was found at the pixels of a band."""
    size = image.shape[0], image.shape[1]
    return enlarge_part(jnp.moveaxis(found.zone, -1, 0), zoom, corner, size)[0]


def _changed(image: Array, before: Array, after: Array) -> Float[Array, "rows columns 3"]:
    is_new = jnp.abs(after - before).max(axis=-1, keepdims=True) > 0.0
    return jnp.where(is_new, rgb_from_lab(after).clip(0.0, 1.0), image)


@cache
def _look_at_brows(block: int) -> Callable[..., _Look]:
    look = partial(_brows_looked_at, block=block)
    return keep_traced(look, key=f"look at brows {block}", like=blank(_Look))


def _brows_looked_at(
    window: Window, face: Face, zones: Zones, layout: UVLayout, *, block: int
) -> _Look:
    layers = jnp.stack(_drawn(window, face, zones, layout, ("brows", "skin")), axis=-1)
    seen = jnp.concatenate([lab_from_rgb(window.image), layers], axis=-1)
    return _Look(pool(seen, seen.shape[0] // block), jnp.zeros((*seen.shape[:2], 0)))


@partial(keep_traced, key="find brows", like=blank(_Found))
def _brows_found(small: Array, scale: Array) -> _Found:
    found, hair = find_brows(small[..., :3], small[..., 3], small[..., 4], scale)
    return _Found(found[..., None], hair)


@partial(keep_traced, key="fill brows", like=0)
def _brows_filled(
    image: Array,
    weights: Array,
    found: _Found,
    palette: _Palette,
    amounts: Float[Array, " items"],
    corner: Array,
    zoom: Array,
) -> Float[Array, "rows columns 3"]:
    del weights  # it has none
    k, lab = MAKEUP.index("brows"), lab_from_rgb(image)
    own = found.hair * ITEMS["brows"].light
    goal = jnp.where(palette.is_named[k] > 0.0, palette.items[k], own)
    return _changed(
        image, lab, fill_brows(lab, _part(found, corner, zoom, image), goal, amounts[k])
    )


_SKIN = _Step(_look_at_skin, _shadow_found, _skin_made_up)
_BROWS = _Step(_look_at_brows, _brows_found, _brows_filled)
