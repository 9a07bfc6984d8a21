"""What make-up does to colours: a pigment over skin, on the photo's own pixels.

All is told relative to the face's own skin. A pigment multiplies light, so that pores, hairs and
shading stay; the colour moves in a / L and b / L, which are the same in light and in shade.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ...core.geometry.ramps import ramp
from ..colour import DARK
from ..regions import soften

__all__ = [
    "ITEMS",
    "Item",
    "Skin",
    "default_color",
    "fill_brows",
    "find_brows",
    "line_weights",
    "tinted",
]

_BURNT = (0.99, 0.88)  # Oklab L: glints and overexposed skin take no pigment


class Skin(NamedTuple):
    """The face's own."""

    color: Array  # [3] Oklab
    colourful: Array  # [], 0 in black and white or in one tone, 1 in colour


class Item(NamedTuple):
    """An item of make-up: its colour beside skin, and how much of it there is at amount 1.

    Attributes:
        light: of the skin's lightness.
        a: added to the skin's a / L.
        b: factor of the skin's b / L.
        cover: share of the way to the colour.
        darker: the least factor of lightness.
        lighter: the largest.
    """

    light: float
    a: float
    b: float
    cover: float
    darker: float
    lighter: float


ITEMS = {
    "lipstick": Item(light=0.72, a=0.16, b=0.85, cover=0.85, darker=0.0, lighter=1.0),
    "blush": Item(light=0.9, a=0.13, b=0.75, cover=0.33, darker=0.93, lighter=1.02),
    "contour": Item(light=0.74, a=0.0, b=1.05, cover=0.5, darker=0.7, lighter=1.0),
    "highlight": Item(light=1.2, a=0.0, b=0.95, cover=0.45, darker=1.0, lighter=1.2),
    "eye_shadow": Item(light=0.62, a=0.03, b=0.75, cover=0.75, darker=0.3, lighter=1.6),
    "eyeliner": Item(light=0.32, a=0.0, b=0.4, cover=0.9, darker=0.1, lighter=1.6),
    "brows": Item(light=0.9, a=0.0, b=1.0, cover=0.42, darker=0.0, lighter=1.0),
}

_LINE_BELOW = 0.05  # cm below the edge of the lid, among the lashes
_LINE_SOFT = 0.04  # cm, half of its border
_SPARSE, _AROUND = 0.07, 1.0  # cm
_HAIR = 0.1  # share by which hairs are darker than the skin around, at least
_GROWN = (0.15, 0.9)  # of what hairs are darker: from skin to a brow
_BROW = (0.05, 0.4)  # of the blurred region
_DEEPER = 0.3  # share of its lightness that a filled brow loses


def default_color(item: Item, skin: Skin) -> Float[Array, " 3"]:
    """Return an item's colour on a skin, Oklab; in a photo of one tone, in that."""
    light = jnp.maximum(skin.color[0], DARK)
    a, b = skin.color[1:] / light
    goal, share = light * item.light, skin.colourful
    return jnp.stack([goal, goal * (a + share * item.a), goal * b * (1.0 + share * (item.b - 1.0))])


def tinted(
    lab: Float[Array, "h w 3"],
    weight: Float[Array, "h w"],
    goal: Float[Array, " 3"],
    skin: Float[Array, " 3"],
    item: Item,
) -> Float[Array, "h w 3"]:
    """Return colours with a pigment over them.

    Args:
        lab: Oklab.
        weight: how much of it lies where, in [0, 1].
        goal: what it makes of skin that it covers, Oklab.
        skin: the face's own, Oklab.
        item: how far it covers, and how much it may darken and lighten.
    """
    light = lab[..., :1]
    share = item.cover * weight[..., None] * ramp(light, _BURNT)
    whole = jnp.maximum(skin[0], DARK), jnp.maximum(goal[0], DARK)
    factor = 1.0 + share * (whole[1] / whole[0] - 1.0)
    factor = jnp.clip(factor, item.darker, item.lighter)
    change = share * (goal[1:] / whole[1] - skin[1:] / whole[0])
    return jnp.concatenate([light * factor, (lab[..., 1:] + light * change) * factor], axis=-1)


def line_weights(
    height: Float[Array, "h w"], line: Float[Array, "h w"], scale: Float[Array, ""]
) -> Float[Array, "h w"]:
    """Return the weights of a line along the upper lashes.

    Args:
        height: above the edge of the lid, cm.
        line: thickness of the line, cm.
        scale: pixels per cm.
    """
    soft = jnp.maximum(_LINE_SOFT, 0.6 / scale)
    upper = jnp.clip(0.5 + (line - height) / (2.0 * soft), 0.0, 1.0)
    lower = jnp.clip(0.5 + (height + _LINE_BELOW) / (2.0 * soft), 0.0, 1.0)
    return upper * lower * ramp(line, (0.0, _LINE_SOFT))


def fill_brows(
    lab: Float[Array, "h w 3"],
    brows: Float[Array, "h w"],
    hair: Float[Array, " 3"],
    amount: Float[Array, ""],
) -> Float[Array, "h w 3"]:
    """Return fuller brows: what is lighter than the hairs comes closer to them, all a bit darker.

    Args:
        lab: Oklab.
        brows: where they are, from `find_brows`.
        hair: the colour to come to, Oklab.
        amount: from 0 to 1.
    """
    light = lab[..., :1]
    share = amount * ITEMS["brows"].cover * brows[..., None]
    new = (light - share * jnp.maximum(light - hair[0], 0.0)) * (1.0 - _DEEPER * share)
    ratio = lab[..., 1:] / jnp.maximum(light, DARK)
    ratio += share * (hair[1:] / jnp.maximum(hair[0], DARK) - ratio)
    return jnp.where(share > 0.0, jnp.concatenate([new, new * ratio], axis=-1), lab)


def find_brows(
    lab: Float[Array, "h w 3"],
    brows: Float[Array, "h w"],
    skin: Float[Array, "h w"],
    scale: Float[Array, ""],
) -> tuple[Float[Array, "h w"], Float[Array, " 3"]]:
    """Return where brows grow, between their hairs, too, and the mean colour of these.

    Hairs are what is darker than the skin around.

    Args:
        lab: Oklab; some 20 pixels per cm are enough.
        brows: where the layout has them.
        skin: 1 on bare skin.
        scale: pixels per cm.
    """
    light = lab[..., 0]
    level = _around(light, skin, _AROUND * scale)
    darker = jnp.maximum(1.0 - light / jnp.maximum(level, DARK), 0.0)
    weights = brows * darker**2
    total = jnp.maximum(weights.sum(), 1e-6)
    hair = (lab * weights[..., None]).sum(axis=(0, 1)) / total
    usual = jnp.maximum((darker * weights).sum() / total, _HAIR)
    near = soften(darker[..., None], _SPARSE * scale)[..., 0]
    return ramp(near / usual, _GROWN) * ramp(brows, _BROW), hair


def _around(light: Array, weights: Array, width: Array) -> Array:
    near, known = jnp.moveaxis(soften(jnp.stack([light * weights, weights], -1), width), -1, 0)
    mean = (light * weights).sum() / jnp.maximum(weights.sum(), 1e-3)
    return (near + 1e-3 * mean) / (known + 1e-3)
