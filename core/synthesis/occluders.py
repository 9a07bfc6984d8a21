"""Things in front of the face: hands, phones, cups, cloth; solids in the light of the face."""

from __future__ import annotations

import copy
from functools import partial

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int

from .hands import hand_solid
from .kinds import kind_number
from .numbers import Numbers
from .solids import MOTTLE, Finish, Solid, smooth
from .things import THINGS
from .view import PICTURE_SIZE

__all__ = ["OCCLUDER_SHARE", "paint_occluder"]

OCCLUDER_SHARE = 0.22  # of the pictures
_HANDS = 0.5  # of the things
_OWN, _SOLID = 24, 28  # numbers for place, light, kind and finish, and for any solid
_TOUCH = 4.0  # pixels: reach of the shade where a thing touches the face
_TOUCH_SHADE, _CAST_SHADE = 0.28, 0.5
_SHIFT = 24  # pixels, the furthest that a shadow falls
# How much more of the red light comes back out of skin where it is dim: exponents of the light.
_FLESH = (0.94, 1.06, 1.1)


def _place(draw: Numbers) -> tuple[Array, Array]:
    """Return a point on the face and the direction in which the thing comes in; 3 numbers."""
    point = PICTURE_SIZE / 2 + jnp.array([55.0, 60.0]) * draw.normal((2,))
    away = point - PICTURE_SIZE / 2 + jnp.array([0.0, 50.0])
    turn = jnp.arctan2(away[1], away[0]) + 0.6 * draw.normal()
    return point, jnp.stack([jnp.cos(turn), jnp.sin(turn)])


def _random_light(draw: Numbers) -> Float[Array, " 3"]:
    """Return light from a side, mostly from above; takes 4 numbers."""
    toward = jnp.array([0.0, -0.5, 0.8]) + 0.6 * draw.normal((3,))
    return draw.uniform(low=0.3, high=0.9) * toward / jnp.maximum(jnp.linalg.norm(toward), 1e-3)


def _lit(
    solid: Solid, color: Float[Array, "size size 3"], light: Float[Array, " 3"]
) -> Float[Array, "size size 3"]:
    """Return a solid in a light, square roots of linear colours."""
    power = jnp.minimum(jnp.linalg.norm(light), 0.9)
    toward = light / jnp.maximum(jnp.linalg.norm(light), 1e-3)
    x, y, z = jnp.moveaxis(solid.normal, -1, 0)
    facing = x * toward[0] + y * toward[1] + z * toward[2]
    # Bright from above, and dark at the rim, where the face takes half of the light.
    around = (0.95 - 0.2 * y) * (0.4 + 0.6 * z)
    wrap = 0.05 + 0.2 * solid.flesh
    lamp = jnp.maximum((facing + wrap) / (1.0 + wrap), 0.0)
    lamp = 1.15 * lamp / jnp.maximum(0.2 + 0.8 * toward[2], 0.3)  # what faces the camera is lit
    bright = jnp.maximum((1.0 - power) * around + power * lamp, 0.02)[..., None]
    exponent = 1.0 + solid.flesh[..., None] * (jnp.array(_FLESH) - 1.0)
    half = toward + jnp.array([0.0, 0.0, 1.0])
    half = half / jnp.maximum(jnp.linalg.norm(half), 1e-3)
    glare = jnp.maximum(x * half[0] + y * half[1] + z * half[2], 0.0) ** solid.sharpness
    shine = solid.gloss * (power * glare + 0.15 * (1.0 - power) * (1.0 - z) ** 3)
    linear = color**2 * bright**exponent + shine[..., None]
    return jnp.sqrt(jnp.clip(linear / (1.0 + 0.12 * linear), 0.0, 1.0))


def _shadow(solid: Solid, light: Float[Array, " 3"]) -> Float[Array, "size size"]:
    """Return how dark a thing makes what lies behind it, in [0, 1]."""
    power = jnp.minimum(jnp.linalg.norm(light), 0.9)
    fall = -solid.height * light[:2] / jnp.maximum(light[2], 0.5 * power + 0.05)
    fall = jnp.clip(fall, -_SHIFT, _SHIFT)
    column, row = jnp.round(_SHIFT - fall).astype(jnp.int32)
    padded = jnp.pad(solid.distance, _SHIFT, mode="edge")
    moved = lax.dynamic_slice(padded, (row, column), solid.distance.shape)
    blur = 1.5 + 0.45 * solid.height
    cast = _CAST_SHADE * power * smooth(moved, blur, -blur)
    touch = _TOUCH_SHADE * jnp.exp(-((jnp.maximum(solid.distance, 0.0) / _TOUCH) ** 2))
    return 1.0 - (1.0 - cast) * (1.0 - touch)


def _picture(draw: Numbers, backdrops: Array) -> Float[Array, "size size 3"]:
    """Return a part of one of some pictures, in [0, 1]; takes 1 number."""
    start = (draw.integer(backdrops.shape[0]), 0, 0, 0)
    part = lax.dynamic_slice(backdrops, start, (1, PICTURE_SIZE, PICTURE_SIZE, 3))[0]
    return part.astype(jnp.float32) / 255


def paint_occluder(
    key: Array,
    image: Float[Array, "size size 3"],
    skin: Float[Array, " 3"],
    backdrops: Array,
    *,
    light: Float[Array, " 3"] | None = None,
    near: Float[Array, "size size"] | None = None,
) -> tuple[Float[Array, "size size 3"], Float[Array, "size size"], Int[Array, ""]]:
    """Paint a hand or a thing over a picture (square roots of linear colours).

    Args:
        key: random key.
        image: the picture.
        skin: colour of lit skin, square root.
        backdrops: ``[M, S, S, 3]`` uint8 pictures; parts of them are the pattern of things.
        light: direction towards the light (x right, y down, z towards the camera); its length
            is the share of the light that comes from there. Random if None.
        near: 1 where the picture shows what is near enough to take the thing's shadow; everywhere
            if None.

    Returns:
        The picture, 1 where the thing covers it, and the number of its kind.
    """
    draw = Numbers(key, _OWN + MOTTLE + _SOLID)
    point, way = _place(draw)
    random = _random_light(draw)
    is_hand, thing = draw.chance(_HANDS), draw.integer(len(THINGS))
    finish = Finish.draw(draw, _picture(draw, backdrops))
    solid = lax.switch(
        jnp.where(is_hand, 0, 1 + thing),
        [
            lambda: hand_solid(copy.copy(draw), point, way, skin, finish),
            # Only one is drawn: all take the same numbers.
            *(partial(make, copy.copy(draw), point, way, finish) for make in THINGS),
        ],
    )
    light = random if light is None else light
    shadow = _shadow(solid, light)
    shaded = image * (1.0 - (shadow if near is None else shadow * near))[..., None]
    alpha = smooth(solid.distance, 0.8, -0.8)
    color = _lit(solid, finish.on(solid), light)
    number = jnp.where(is_hand, kind_number("hand"), kind_number("thing"))
    return shaded + alpha[..., None] * (color - shaded), alpha, number
