"""Things in front of the face: hands, phones, cups, cloth; flat shapes with a shaded rim."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

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


def _place(key: Array) -> tuple[Array, Array]:
    """Return a point on the face and the direction in which the thing comes in."""
    point_key, turn_key = jax.random.split(key)
    point = PICTURE_SIZE / 2 + jnp.array([55.0, 60.0]) * jax.random.normal(point_key, (2,))
    away = point - PICTURE_SIZE / 2 + jnp.array([0.0, 50.0])
    turn = jnp.arctan2(away[1], away[0]) + 0.6 * jax.random.normal(turn_key)
    return point, jnp.stack([jnp.cos(turn), jnp.sin(turn)])


def _hand(key: Array) -> Array:
    """Return the signed distance to a hand with stretched or bent fingers."""
    keys = jax.random.split(key, 5)
    x, y = _grid()
    point, way = _place(keys[0])
    side = jnp.stack([-way[1], way[0]])
    radius = jax.random.uniform(keys[1], minval=7.5, maxval=13.0)
    spread = jax.random.uniform(keys[2], minval=1.7, maxval=2.5)
    lengths = jax.random.uniform(keys[3], (_FINGERS,), minval=0.3, maxval=1.0)
    lean = 0.25 * jax.random.normal(keys[4], (_FINGERS,))
    palm = point + way * 95.0
    distance = _capsule(x, y, palm, palm + way * 150.0, radius * 3.6)
    for finger in range(_FINGERS):
        offset = side * radius * spread * (finger - 1.5)
        tip = palm - way * 95.0 * lengths[finger] + offset * (1.0 + lean[finger])
        distance = jnp.minimum(distance, _capsule(x, y, palm + offset, tip, radius))
    return distance


def _thing(key: Array) -> Array:
    """Return the signed distance to a rounded box (phone, book, cup) or an ellipse."""
    keys = jax.random.split(key, 5)
    x, y = _grid()
    point, way = _place(keys[0])
    half = jnp.exp(jax.random.uniform(keys[1], (2,), minval=jnp.log(12.0), maxval=jnp.log(75.0)))
    corner = jax.random.uniform(keys[2]) * half.min()
    point = point + way * half[0] * jax.random.uniform(keys[3], minval=0.0, maxval=1.2)
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
) -> tuple[Float[Array, "size size 3"], Float[Array, "size size"]]:
    """Paint a hand or a thing over a picture (square roots of linear colours).

    Args:
        key: random key.
        image: the picture.
        skin: colour of lit skin, square root.
        backdrops: ``[M, S, S, 3]`` uint8 pictures; parts of them are the pattern of things.

    Returns:
        The picture, and 1 where the thing covers it.
    """
    keys = jax.random.split(key, 8)
    is_hand = jax.random.uniform(keys[0]) < 0.5
    distance = lax.cond(is_hand, _hand, _thing, keys[1])
    index = jax.random.randint(keys[2], (), 0, backdrops.shape[0])
    shape = (1, PICTURE_SIZE, PICTURE_SIZE, 3)
    pattern = lax.dynamic_slice(backdrops, (index, 0, 0, 0), shape)[0].astype(jnp.float32) / 255
    plain = jax.random.uniform(keys[3], (3,)) ** 1.5
    share = jnp.where(jax.random.uniform(keys[4]) < 0.5, 0.15, 0.8)
    thing = plain + share * (pattern - plain)
    tone = skin * jnp.exp(0.15 * jax.random.normal(keys[5]))
    # Round things are dark at the rim; the light comes from a side.
    depth = jnp.clip(-distance / 11.0, 0.0, 1.0)
    down, right = jnp.gradient(distance)
    turn = jax.random.uniform(keys[6], maxval=2 * jnp.pi)
    slope = (right * jnp.cos(turn) + down * jnp.sin(turn)) * (1.0 - depth)
    bright = 0.72 + 0.3 * depth + 0.22 * slope
    color = jnp.where(is_hand, tone * bright[..., None], thing * (0.8 + 0.2 * bright[..., None]))
    # The occluder's shadow lies around it.
    shadow = 0.35 * jnp.exp(-0.5 * (jnp.maximum(distance, 0.0) / 6.0) ** 2)
    shaded = image * (1.0 - shadow[..., None])
    alpha = jnp.clip(0.5 - distance, 0.0, 1.0)
    return shaded + alpha[..., None] * (jnp.clip(color, 0.0, 1.0) - shaded), alpha
