"""Things before the face: phones, boxes and books, cups, balls and fruit, microphones, cloth."""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax import Array

from ..compilation import computed_once
from .numbers import Numbers
from .solids import Axes, Finish, Solid, mixed, plain_color, rounded_box, smooth, tilted

__all__ = ["THINGS"]

_THROW = 0.25  # radians: standard deviation of the tilt of what is held upright


def _solid(
    distance: Array,
    normal: Array,
    *,
    color: Array,
    printed: Array | float,
    place: tuple[Array, Array],
    gloss: Array | float,
    sharpness: float,
    height: Array | float,
) -> Solid:
    """Return a solid that is no skin."""
    shape = distance.shape
    return Solid(
        distance=distance,
        normal=normal,
        color=jnp.broadcast_to(color, (*shape, 3)),
        printed=jnp.broadcast_to(jnp.asarray(printed, jnp.float32), shape),
        place=jnp.stack(jnp.broadcast_arrays(*place), axis=-1),
        gloss=jnp.broadcast_to(jnp.asarray(gloss, jnp.float32), shape),
        sharpness=jnp.asarray(sharpness, jnp.float32),
        flesh=jnp.zeros_like(distance),
        height=jnp.asarray(height, jnp.float32),
    )


def _upright(draw: Numbers, point: Array) -> Axes:
    """Return axes whose u points down the picture, nearly; takes 1 number."""
    turn = 0.5 * math.pi + _THROW * draw.normal()
    return Axes.at(point, jnp.stack([jnp.cos(turn), jnp.sin(turn)]))


def _box_solid(draw: Numbers, point: Array, way: Array, finish: Finish) -> Solid:
    """Return a box, a book or a card; takes 11 numbers."""
    half = jnp.exp(draw.uniform((2,), low=math.log(14.0), high=math.log(75.0)))
    corner = draw.uniform(high=0.5) ** 2 * half.min() + 2.0
    axes = Axes.at(point + way * half[0] * draw.uniform(low=0.0, high=1.2), way)
    distance, along, across = rounded_box(axes.u, axes.v, half, corner)
    lean = tilted(distance, draw.uniform(low=2.0, high=6.0)) * 0.8
    bulge, tilt = 0.3 * draw.uniform(), 0.25 * draw.normal((2,))
    normal = axes.normal(
        lean * along + tilt[0] + bulge * axes.u / half[0],
        lean * across + tilt[1] + bulge * axes.v / half[1],
    )
    # A line of print.
    label = smooth(half[0] * 0.2 - jnp.abs(axes.u + 0.35 * half[0]), 0.0, 1.5)
    label = label * smooth(0.75 * half[1] - jnp.abs(axes.v), 0.0, 1.5)
    letters = smooth(finish.noise[1] + 0.8 * jnp.cos(1.1 * axes.v), 0.2, 0.6)
    return _solid(
        distance,
        normal,
        color=mixed(finish.colors[1], 0.15 + 0.7 * (1.0 - finish.colors[1]), letters),
        printed=1.0 - jnp.where(draw.chance(0.5), label, 0.0),
        place=(axes.u, axes.v),
        gloss=0.25 * draw.uniform() ** 2,
        sharpness=20.0,
        height=draw.uniform(low=5.0, high=14.0),
    )


def _phone_solid(draw: Numbers, point: Array, way: Array, finish: Finish) -> Solid:
    """Return a phone: its screen, or its back with cameras; takes 16 numbers."""
    long = draw.uniform(low=48.0, high=88.0)
    half = jnp.stack([long, long * draw.uniform(low=0.46, high=0.53)])
    corner = draw.uniform(low=0.12, high=0.3) * half[1]
    axes = Axes.at(point + way * long * draw.uniform(low=0.2, high=1.1), way)
    distance, along, across = rounded_box(axes.u, axes.v, half, corner)
    rim = draw.uniform(low=2.0, high=3.5)
    lean = tilted(distance, rim)
    tilt = 0.15 * draw.normal((2,))
    body = 0.75 * plain_color(draw)
    screen = _screen(draw, axes, half, distance, rim, finish)
    island, lenses = _cameras(axes, half)
    back = body * (1.0 + 0.012 * finish.noise[0])[..., None]
    back = mixed(mixed(back, 0.8 * body, island), jnp.asarray(0.06), lenses)
    shows_screen = draw.chance(0.5)
    inner = smooth(-distance, rim, rim + 1.0)
    face = jnp.where(shows_screen, screen, back)
    color = mixed(0.35 + 0.5 * body, face, inner)
    gloss = 0.3 - inner * jnp.where(shows_screen, 0.24, 0.15 - 0.4 * lenses)
    normal = axes.normal(lean * along + tilt[0], lean * across + tilt[1])
    return _solid(
        distance,
        normal,
        color=color,
        printed=0.0,
        place=(axes.u, axes.v),
        gloss=gloss,
        sharpness=40.0,
        height=8.0,
    )


def _screen(
    draw: Numbers, axes: Axes, half: Array, distance: Array, rim: Array, finish: Finish
) -> Array:
    """Return the colours of a screen with its dark edge; takes 3 numbers."""
    glow = jnp.where(draw.chance(0.4), 0.9, 0.0) * smooth(-distance, rim + 3.0, rim + 5.0)
    # What is reflected in the glass: something bright, with an edge aslant.
    slant = axes.u / half[0] + draw.uniform(low=-0.8, high=0.8) * axes.v / half[1]
    sheen = 0.14 * smooth(slant, -0.2, 0.1 + 0.8 * draw.uniform()) + 0.02 * finish.noise[0]
    dark = 0.07 + jnp.maximum(sheen, 0.0)[..., None] * jnp.array([0.95, 1.0, 1.08])
    return mixed(dark, 0.25 + 0.7 * finish.picture, glow)


def _cameras(axes: Axes, half: Array) -> tuple[Array, Array]:
    """Return masks of the island of cameras at the inner corner of a phone's back, of lenses."""
    size = 0.36 * half[1]
    u, v = axes.u + half[0] - 1.5 * size, axes.v + half[1] - 1.5 * size
    distance, *_ = rounded_box(u, v, jnp.stack([size, size]), 0.4 * size)
    lenses = jnp.zeros_like(u)
    for place in ((-0.42, -0.42), (0.42, -0.42), (0.0, 0.42)):
        apart = jnp.sqrt((u - place[0] * size) ** 2 + (v - place[1] * size) ** 2)
        lenses = jnp.maximum(lenses, smooth(0.34 * size - apart, -0.5, 0.7))
    return smooth(-distance, -0.5, 1.0), lenses


def _cup_solid(draw: Numbers, point: Array, way: Array, finish: Finish) -> Solid:
    """Return a mug, a paper cup or a can, upright; takes 13 numbers."""
    radius = jnp.exp(draw.uniform(low=math.log(18.0), high=math.log(46.0)))
    tall = radius * draw.uniform(low=0.9, high=1.6)
    axes = _upright(draw, point + jnp.array([0.0, 0.6]) * tall)
    taper, view = draw.uniform(low=0.0, high=0.22), draw.uniform(low=0.05, high=0.3)
    wide = radius * (1.0 - taper * (axes.u / tall + 1.0) / 2.0)
    part = jnp.clip(axes.v / wide, -1.0, 1.0)
    arc = view * wide * jnp.sqrt(1.0 - part**2)
    body = jnp.maximum(jnp.abs(axes.v) - wide, jnp.abs(axes.u) - tall - arc)
    handle, toward_u, toward_v = _handle(axes, radius, tall, jnp.where(draw.chance(0.5), 1.0, -1.0))
    handle = jnp.where(draw.chance(0.5), handle, 99.0)
    is_body = body < handle
    top = jnp.sqrt(((axes.u + tall) / (view * radius)) ** 2 + (axes.v / radius) ** 2)
    drink = 0.5 * plain_color(draw)
    inside = mixed(0.75 * finish.colors[0], drink, smooth(axes.u, -tall, 0.0))
    opening = smooth(top, 1.0, 1.0 - 2.0 / (view * radius + 2.0))
    bright = 1.0 + 0.12 * jnp.exp(-(((top - 1.0) * 6.0) ** 2))  # the edge at the top
    color = bright[..., None] * mixed(finish.colors[0], 0.55 * inside, opening)
    label = smooth(jnp.abs(axes.u - arc + 0.1 * tall), 0.62 * tall, 0.6 * tall)
    return _solid(
        jnp.minimum(body, handle),
        axes.normal(jnp.where(is_body, -0.25 * view, toward_u), jnp.where(is_body, part, toward_v)),
        color=color,
        printed=jnp.where(is_body, label, 0.0) * (1.0 - opening),
        place=(axes.u - arc, radius * jnp.arcsin(0.98 * part)),
        gloss=0.5 * draw.uniform() * (1.0 - opening),
        sharpness=30.0,
        height=0.5 * radius,
    )


def _handle(axes: Axes, radius: Array, tall: Array, side: Array) -> tuple[Array, Array, Array]:
    """Return the distance to a ring beside a mug, and how its surface leans along u and v."""
    thick, large = 0.15 * radius, 0.5 * tall
    u, v = axes.u, axes.v - side * 0.92 * radius
    apart = jnp.sqrt(jnp.maximum(u**2 + v**2, 1e-4))
    off = (apart - large) / thick
    distance = thick * (jnp.abs(off) - 1.0)
    return distance, off * u / apart, off * v / apart


def _ball_solid(draw: Numbers, point: Array, way: Array, finish: Finish) -> Solid:
    """Return a ball, a fruit or an egg; takes 10 numbers."""
    radius = jnp.exp(draw.uniform(low=math.log(13.0), high=math.log(62.0)))
    shape = jnp.stack([radius, radius * draw.uniform(low=0.8, high=1.0)])
    axes = Axes.at(point + way * radius * draw.uniform(low=0.0, high=1.2), way)
    lean_u, lean_v = axes.u / shape[0], axes.v / shape[1]
    apart = jnp.sqrt(jnp.maximum(lean_u**2 + lean_v**2, 1e-6))
    turn = draw.uniform(high=2.0 * math.pi)
    # Places on the ball itself, so that prints narrow towards the outline.
    stretch = jnp.arcsin(jnp.minimum(apart, 0.98)) / apart * radius
    u = stretch * (lean_u * jnp.cos(turn) - lean_v * jnp.sin(turn))
    v = stretch * (lean_u * jnp.sin(turn) + lean_v * jnp.cos(turn))
    # Fruit have a blush on one side.
    blush = smooth(u / radius + 0.4 * finish.noise[0], -0.6, 1.0)
    blush = jnp.where(draw.chance(0.4), blush, 0.0)
    ripe = jnp.clip(finish.colors[0] * jnp.exp(0.4 * draw.normal((3,))), 0.0, 0.95)
    rough = 0.5 * draw.uniform() ** 2
    bump_u, bump_v = (rough * bump for bump in jnp.gradient(finish.noise[1]))
    return _solid(
        radius * (apart - 1.0),
        axes.normal(lean_u + bump_u, lean_v + bump_v),
        color=ripe,
        printed=1.0 - blush,
        place=(u, v),
        gloss=0.6 * draw.uniform() ** 2,
        sharpness=24.0,
        height=0.6 * radius,
    )


def _microphone_solid(draw: Numbers, point: Array, way: Array, finish: Finish) -> Solid:
    """Return a microphone that comes from below: a head of mesh or foam; takes 6 numbers."""
    radius = draw.uniform(low=15.0, high=27.0)
    turn = 0.5 * math.pi + 2.0 * _THROW * draw.normal()
    axes = Axes.at(point, jnp.stack([jnp.cos(turn), jnp.sin(turn)]))
    apart = jnp.sqrt(jnp.maximum(axes.u**2 + axes.v**2, 1e-4))
    wide = radius * jnp.maximum(0.72 - 0.03 * axes.u / radius, 0.45)
    shaft = jnp.maximum(jnp.abs(axes.v) - wide, 0.5 * radius - axes.u)
    is_head = apart < radius
    lean_u = jnp.where(is_head, axes.u / radius, 0.0)
    lean_v = jnp.where(is_head, axes.v / radius, axes.v / wide)
    mesh = 2.0 * math.pi / draw.uniform(low=3.0, high=4.5)
    stretch = jnp.arcsin(jnp.minimum(apart / radius, 0.98)) / apart * radius
    wires = jnp.cos(mesh * stretch * (axes.u + axes.v)) * jnp.cos(
        mesh * stretch * (axes.u - axes.v)
    )
    is_foam = draw.chance(0.4)
    metal = draw.uniform(low=0.25, high=0.6) * (1.0 + 0.5 * wires)[..., None] * jnp.ones(3)
    foam = 0.6 * finish.colors[0] * (1.0 + 0.16 * finish.noise[1])[..., None]
    band = jnp.exp(-((axes.u / (0.11 * radius)) ** 4))
    head = mixed(jnp.where(is_foam, foam, metal), jnp.full(3, 0.55), band)
    rings = smooth(jnp.where(axes.u < 2.2 * radius, jnp.cos(0.5 * axes.u), 0.0), 0.8, 1.0)
    dark = draw.uniform(low=0.1, high=0.3) * (1.0 + 0.3 * rings)
    return _solid(
        jnp.minimum(apart - radius, shaft),
        axes.normal(lean_u, lean_v),
        color=jnp.where(is_head[..., None], head, dark[..., None]),
        printed=0.0,
        place=(axes.u, axes.v),
        gloss=jnp.where(is_head, jnp.where(is_foam, 0.02, 0.3 + 0.3 * wires), 0.35),
        sharpness=18.0,
        height=0.6 * radius,
    )


def _cloth_solid(draw: Numbers, point: Array, way: Array, finish: Finish) -> Solid:
    """Return a scarf, a towel or a sleeve: cloth with folds; takes 12 numbers."""
    half = jnp.exp(draw.uniform((2,), low=math.log(32.0), high=math.log(115.0)))
    axes = Axes.at(point + way * half[0] * draw.uniform(low=0.3, high=1.1), way)
    u, v = axes.u, axes.v
    wave = (
        2.0 * math.pi * draw.uniform((3,))
        + jnp.array([0.02, 0.05, 0.11]) * (v - 0.4 * u)[..., None]
    )
    rows = (jnp.sin(wave) * jnp.array([7.0, 3.0, 1.0])).sum(axis=-1)
    corner = 0.4 * half.min()
    distance, along, across = rounded_box(u + rows, v + 0.5 * rows, half, corner)
    # Folds run from the edge inwards, some sharper than others.
    period, bend = jnp.exp(draw.uniform((2,), low=2.6, high=3.6)), 1.2 * draw.normal((2,))
    heights = []
    for k in range(2):
        warp = (v + bend[k] * u + 6.0 * finish.noise[0]) / period[k] + 0.3 * rows / period[k]
        heights.append(0.28 * period[k] * _crest(jnp.cos(warp)))
    fold = draw.uniform(low=0.5, high=1.0) * (heights[0] + heights[1])
    weave = 0.1 * jnp.cos(2.1 * u) * jnp.cos(2.1 * v)
    down, right = jnp.gradient(computed_once(fold + weave))
    slope_u, slope_v = right * way[0] + down * way[1], down * way[0] - right * way[1]
    lean = 0.8 * tilted(distance, draw.uniform(low=4.0, high=12.0))
    return _solid(
        distance,
        axes.normal(lean * along - slope_u, lean * across - slope_v),
        color=finish.colors[0],
        printed=1.0,
        place=(u, v),
        gloss=0.02,
        sharpness=6.0,
        height=6.0,
    )


def _crest(wave: Array) -> Array:
    """Return ridges whose sides are steep: ``abs(wave) ** 1.5``."""
    size = jnp.abs(wave)
    return size * jnp.sqrt(size)


THINGS = (
    _phone_solid,
    _box_solid,
    _cup_solid,
    _ball_solid,
    _microphone_solid,
    _cloth_solid,
)
"""Functions of random numbers (at least 16), a point, a way and a finish; each returns a solid."""
