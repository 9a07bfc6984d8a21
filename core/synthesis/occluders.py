"""Things in front of the face: hands, phones, cups, cloth; flat shapes with a shaded rim."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int

from .kinds import kind_number
from .numbers import Numbers
from .view import PICTURE_SIZE

__all__ = ["OCCLUDER_SHARE", "paint_occluder"]

OCCLUDER_SHARE = 0.22  # of the pictures
_FINGERS = 4


def _grid() -> tuple[Array, Array]:
    place = jnp.arange(PICTURE_SIZE, dtype=jnp.float32)
    return jnp.broadcast_to(place, (PICTURE_SIZE, PICTURE_SIZE)), jnp.broadcast_to(
        place[:, None], (PICTURE_SIZE, PICTURE_SIZE)
    )


def _capsule(x: Array, y: Array, start: Array, end: Array, radius: Array) -> Array:
    """Return the signed distance to a capsule, negative inside, pixels."""
    span = end - start
    along = ((x - start[0]) * span[0] + (y - start[1]) * span[1]) / jnp.maximum(span @ span, 1.0)
    along = jnp.clip(along, 0.0, 1.0)
    return jnp.hypot(x - start[0] - along * span[0], y - start[1] - along * span[1]) - radius


def _place(draw: Numbers) -> tuple[Array, Array]:
    """Return a point on the face and the direction in which the thing comes in."""
    point = PICTURE_SIZE / 2 + jnp.array([55.0, 60.0]) * draw.normal((2,))
    away = point - PICTURE_SIZE / 2 + jnp.array([0.0, 50.0])
    turn = jnp.arctan2(away[1], away[0]) + 0.6 * draw.normal()
    return point, jnp.stack([jnp.cos(turn), jnp.sin(turn)])


def _hand(key: Array) -> Array:
    """Return the signed distance to a hand with stretched or bent fingers."""
    draw = Numbers(key, 20)
    x, y = _grid()
    point, way = _place(draw)
    side = jnp.stack([-way[1], way[0]])
    radius = draw.uniform(low=7.5, high=13.0)
    spread = draw.uniform(low=1.7, high=2.5)
    lengths = draw.uniform((_FINGERS,), low=0.3, high=1.0)
    lean = 0.25 * draw.normal((_FINGERS,))
    palm = point + way * 95.0
    distance = _capsule(x, y, palm, palm + way * 150.0, radius * 3.6)
    for finger in range(_FINGERS):
        offset = side * radius * spread * (finger - 1.5)
        tip = palm - way * 95.0 * lengths[finger] + offset * (1.0 + lean[finger])
        distance = jnp.minimum(distance, _capsule(x, y, palm + offset, tip, radius))
    return distance


def _thing(key: Array) -> Array:
    """Return the signed distance to a rounded box (phone, book, cup) or an ellipse."""
    draw = Numbers(key, 20)
    x, y = _grid()
    point, way = _place(draw)
    half = jnp.exp(draw.uniform((2,), low=math.log(12.0), high=math.log(75.0)))
    corner = draw.uniform() * half.min()
    point = point + way * half[0] * draw.uniform(low=0.0, high=1.2)
    u = (x - point[0]) * way[0] + (y - point[1]) * way[1]
    v = (y - point[1]) * way[0] - (x - point[0]) * way[1]
    p, q = jnp.abs(u) - half[0] + corner, jnp.abs(v) - half[1] + corner
    box = jnp.hypot(jnp.maximum(p, 0), jnp.maximum(q, 0)) + jnp.minimum(jnp.maximum(p, q), 0)
    return box - corner


def paint_occluder(
    key: Array,
    image: Float[Array, "size size 3"],
    skin: Float[Array, " 3"],
    backdrops: Array,
) -> tuple[Float[Array, "size size 3"], Float[Array, "size size"], Int[Array, ""]]:
    """Paint a hand or a thing over a picture (square roots of linear colours).

    Args:
        key: random key.
        image: the picture.
        skin: colour of lit skin, square root.
        backdrops: ``[M, S, S, 3]`` uint8 pictures; parts of them are the pattern of things.

    Returns:
        The picture, 1 where the thing covers it, and the number of its kind.
    """
    shape_key, key = jax.random.split(key)
    draw = Numbers(key, 12)
    is_hand = draw.chance(0.5)
    distance = lax.cond(is_hand, _hand, _thing, shape_key)
    index = draw.integer(backdrops.shape[0])
    shape = (1, PICTURE_SIZE, PICTURE_SIZE, 3)
    pattern = lax.dynamic_slice(backdrops, (index, 0, 0, 0), shape)[0].astype(jnp.float32) / 255
    plain = draw.uniform((3,)) ** 1.5
    share = jnp.where(draw.chance(0.5), 0.15, 0.8)
    thing = plain + share * (pattern - plain)
    tone = skin * jnp.exp(0.15 * draw.normal())
    # Round things are dark at the rim; the light comes from a side.
    depth = jnp.clip(-distance / 11.0, 0.0, 1.0)
    down, right = jnp.gradient(distance)
    turn = draw.uniform(high=2 * math.pi)
    slope = (right * jnp.cos(turn) + down * jnp.sin(turn)) * (1.0 - depth)
    bright = 0.72 + 0.3 * depth + 0.22 * slope
    color = jnp.where(is_hand, tone * bright[..., None], thing * (0.8 + 0.2 * bright[..., None]))
    # The occluder's shadow lies around it.
    shadow = 0.35 * jnp.exp(-0.5 * (jnp.maximum(distance, 0.0) / 6.0) ** 2)
    shaded = image * (1.0 - shadow[..., None])
    alpha = jnp.clip(0.5 - distance, 0.0, 1.0)
    kind = jnp.where(is_hand, kind_number("hand"), kind_number("thing"))
    return shaded + alpha[..., None] * (jnp.clip(color, 0.0, 1.0) - shaded), alpha, kind
