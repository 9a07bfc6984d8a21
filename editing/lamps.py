"""Another light on a face in its photo: a lamp from a side or from above, brighter, warmer.

What is there is multiplied (`relight`): the lamp adds to the photo's own light, as far as the
surface faces it, and casts no shadows. Beside the face the change runs out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.geometry.harmonics import CONSTANT
from ..core.geometry.layout import UVLayout
from ..core.geometry.ramps import smooth_step
from ..core.geometry.render import render_texture
from ..core.geometry.scales import enlarge_part
from ..core.geometry.tiles import tiles
from ..core.traced import keep_traced
from ..core.types import Face
from .amounts import Amounts, parse_amounts
from .edit import RgbImage
from .relight import exposed, lamp, light_on_texels, multiply_light, spread_light
from .surroundings import on_cells, surroundings

__all__ = ["LIGHTS", "light_faces", "parse_lights"]

LIGHTS = ("left", "above", "bright", "warm")

_FRONT = 0.25  # of a lamp at the side: as far before the face as it is beside it
_STRENGTH = 4.0  # of a lamp at amount 1, times the light from all sides
_STOPS = 1.0  # of exposure
_WARMTH = (0.35, 0.04, -0.35)  # logarithm of red, green and blue
_SKIN = (0.33, 0.63, 0.04)  # what red, green and blue add to the luminance of skin
_MARGIN = 0.6  # of the face's size: room in which the change runs out
_ROWS = 256  # cells along the face and its room at which light is found
_RIM = 0.15  # of a side, over which it is gone at the border


def parse_lights(given: Amounts) -> dict[str, float]:
    """Return name -> amount from -1 to 1.

    Raises:
        InputError: an unknown name, an amount that is no such number, or a name twice.
    """
    return parse_amounts(given, LIGHTS, verb="light", low=-1)


def light_faces(
    image: RgbImage, faces: Sequence[Face], layout: UVLayout, amounts: Mapping[str, float]
) -> RgbImage:
    """Change the light of faces, each by a lamp of its own that lights no other of them.

    Args:
        image: the photo, RGB in [0, 1].
        faces: the faces of it to change; one beside them counts as backdrop.
        layout: UV layout of the faces.
        amounts: from `parse_lights`; if all are 0 the photo comes back.

    Returns:
        The photo, pixels far from the faces bit-identical.
    """
    if not any(amounts.values()):
        return image
    light = _light(jnp.asarray([amounts.get(name, 0.0) for name in LIGHTS], jnp.float32))
    lit = np.array(image)
    for face in faces:
        others = [other.position_map for other in faces if other is not face]
        _light_face(lit, face.position_map, others, layout, light)
    return lit


def _light_face(
    image: RgbImage, position_map: Array, others: Sequence[Array], layout: UVLayout, light: Array
) -> None:
    """Change the light of a face in the photo, tile by tile."""
    around = surroundings(position_map, layout, room=_MARGIN)
    origin, pixels = np.asarray(around.origin), around.pixels(_ROWS)
    corner = around.corner + origin.astype(np.float32)  # in the photo
    taken = jnp.zeros((_ROWS, _ROWS))
    for other in others:
        taken = jnp.maximum(taken, _coverage(other, layout, corner, pixels))
    change = _change(position_map, layout, light, corner, pixels, taken)
    low = np.maximum(np.floor(around.corner).astype(int), -origin)
    high = np.ceil(around.corner + np.float32(around.span)).astype(int)
    high = np.minimum(high, np.minimum(np.asarray(image.shape[1::-1]) - origin, around.side))
    for tile in tiles(around.side, low, high):
        shown = jnp.asarray(tile.cut(image, around.origin), jnp.float32)
        place = np.asarray(tile.corner, np.float32) - around.corner
        tile.put(image, around.origin, np.asarray(_lit(shown, change, place, pixels)))


@partial(keep_traced, key="light of lamps", like=0)
def _light(amounts: Float[Array, " lights"]) -> Float[Array, "9 3"]:
    """Return the harmonics' factors of a light."""
    left, above, bright, warm = amounts
    far = jnp.minimum(jnp.hypot(left, above), 1.0)
    direction = jnp.stack([-left, above, _FRONT * far + 1e-3])
    direction = direction / jnp.linalg.norm(direction)
    tint = jnp.exp(warm * jnp.array(_WARMTH))
    around = jnp.zeros((9, 3)).at[0].set(1.0 / CONSTANT)
    tint /= tint @ jnp.array(_SKIN)
    light = around + _STRENGTH * far * lamp(direction)[:, None]
    return exposed(light, jnp.exp(bright * _STOPS * math.log(2.0))) * tint


@partial(keep_traced, key="change by lamps", like=0)
def _change(
    position_map: Array,
    layout: UVLayout,
    light: Array,
    corner: Array,
    pixels: Array,
    taken: Array,
) -> Float[Array, "rows rows 3"]:
    """Return the light's factor less 1 on cells; 0 at their border, and on other faces."""
    factor = light_on_texels(light, position_map, layout)
    small = on_cells(position_map, corner, pixels)
    drawn, own = render_texture(factor, small, layout, height=_ROWS, width=_ROWS)
    drawn = jnp.where(own[..., None] > 0.0, drawn, 1.0)
    known = jnp.maximum(own, taken)
    line = (jnp.arange(_ROWS, dtype=jnp.float32) + 0.5) / _ROWS
    rim = smooth_step((jnp.minimum(line, 1.0 - line) - 1.0 / _ROWS) / _RIM)
    inside = (rim * rim[:, None])[..., None]
    return inside * (spread_light(drawn, known) - 1.0)


@partial(keep_traced, key="coverage in lamps", like=0)
def _coverage(
    position_map: Array, layout: UVLayout, corner: Array, pixels: Array
) -> Float[Array, "rows rows"]:
    """Return 1 where a face lies on the cells."""
    nothing = jnp.zeros((*layout.mask.shape, 1))
    small = on_cells(position_map, corner, pixels)
    return render_texture(nothing, small, layout, height=_ROWS, width=_ROWS)[1]


@partial(keep_traced, key="light by lamps", like=0)
def _lit(
    image: Float[Array, "side side 3"], change: Array, corner: Array, pixels: Array
) -> Float[Array, "side side 3"]:
    """Return a tile that begins so many pixels (x, y) from the cells' border, in the new light."""
    size = (image.shape[0], image.shape[1])
    part = enlarge_part(jnp.moveaxis(change, -1, 0), pixels, corner, size)
    whole = jnp.moveaxis(part, 0, -1)
    return jnp.where(whole == 0.0, image, multiply_light(image, 1.0 + whole))
