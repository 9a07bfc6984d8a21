"""Solids that are drawn without a mesh: outline, normals, colours and gloss of every pixel.

Convention:
    Pictures have x right and y down, z towards the camera; all lengths are pixels. A solid's own
    axes are ``u``, the way in which it reaches out of the picture, and ``v``, to the right of it.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from .numbers import Numbers
from .view import PICTURE_SIZE

__all__ = [
    "MOTTLE",
    "Axes",
    "Finish",
    "Solid",
    "mixed",
    "mottle",
    "plain_color",
    "rounded_box",
    "smooth",
    "tilted",
]

_COARSE, _FINE = 14, 80  # cells of noise along the picture's side
MOTTLE = _COARSE**2 + _FINE**2
_EVEN = 1e-4  # what no root may be smaller than


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Solid:
    """A thing before the camera."""

    distance: Array  # [H, W] to the outline, negative inside
    normal: Array  # [H, W, 3] unit
    color: Array  # [H, W, 3] square roots of linear colours, in a light of 1
    printed: Array  # [H, W], 1 where the thing's finish shows instead
    place: Array  # [H, W, 2] of that on the surface
    gloss: Array  # [H, W] strength of highlights
    sharpness: Array  # [], exponent of highlights
    flesh: Array  # [H, W], 1 where light gets into it as into skin
    height: Array  # [], pixels before the face


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Axes:
    """A solid's own axes."""

    u: Array  # [H, W]
    v: Array  # [H, W]
    way: Array  # [2] unit, of u in the picture

    @classmethod
    def at(cls, point: Float[Array, " 2"], way: Float[Array, " 2"]) -> Axes:
        """Return the axes whose origin is a point of the picture."""
        place = jnp.arange(PICTURE_SIZE, dtype=jnp.float32)
        x, y = place[None, :] - point[0], place[:, None] - point[1]
        return cls(u=x * way[0] + y * way[1], v=y * way[0] - x * way[1], way=way)

    def normal(self, u: Array, v: Array) -> Float[Array, "h w 3"]:
        """Return unit normals with these parts along the axes, in the picture's axes."""
        length = jnp.sqrt(u * u + v * v)
        least = jnp.minimum(1.0, 0.98 / jnp.maximum(length, _EVEN))
        u, v = u * least, v * least
        across = u * self.way[0] - v * self.way[1], u * self.way[1] + v * self.way[0]
        parts = [*across, jnp.sqrt(jnp.maximum(1.0 - u * u - v * v, _EVEN))]
        return jnp.stack(jnp.broadcast_arrays(*parts), axis=-1)


def smooth(value: Array, low: Array | float, high: Array | float) -> Array:
    """Return 0 below ``low`` and 1 above ``high``, smoothly between."""
    share = jnp.clip((value - low) / (high - low), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def mixed(below: Array, above: Array, share: Float[Array, "h w"]) -> Float[Array, "h w 3"]:
    """Return colours of which a share is replaced by others."""
    return below + share[..., None] * (above - below)


def rounded_box(
    u: Array, v: Array, half: Float[Array, " 2"], corner: Array
) -> tuple[Array, Array, Array]:
    """Return the signed distance to a box, and the direction away from its rim along u and v."""
    p, q = jnp.abs(u) - half[0] + corner, jnp.abs(v) - half[1] + corner
    out_p, out_q = jnp.maximum(p, 0.0), jnp.maximum(q, 0.0)
    out = jnp.sqrt(out_p**2 + out_q**2)
    distance = out + jnp.minimum(jnp.maximum(p, q), 0.0) - corner
    is_out, length = out > 0.0, jnp.maximum(out, _EVEN)
    toward_p = jnp.where(is_out, out_p / length, (p > q).astype(out.dtype))
    toward_q = jnp.where(is_out, out_q / length, (p <= q).astype(out.dtype))
    return distance, toward_p * jnp.sign(u), toward_q * jnp.sign(v)


def tilted(distance: Array, radius: Array) -> Array:
    """Return how far a surface leans outwards whose rim is a quarter of a circle, in [0, 1]."""
    return jnp.clip(1.0 + distance / radius, 0.0, 1.0)


def mottle(draw: Numbers) -> Float[Array, "2 h w"]:
    """Return coarse and fine smooth noise of mean 0 and deviation about 0.7.

    Takes `MOTTLE` numbers.
    """
    shape = (PICTURE_SIZE, PICTURE_SIZE)
    cells = (draw.uniform((side, side), low=-1.73, high=1.73) for side in (_COARSE, _FINE))
    return jnp.stack([jax.image.resize(cell, shape, "cubic") for cell in cells])


def plain_color(draw: Numbers) -> Float[Array, " 3"]:
    """Return a colour of things, square roots: mostly dull, from black to white."""
    level, vivid = draw.uniform(low=0.12, high=0.95), draw.uniform() ** 2.5
    hue = draw.uniform((3,), low=0.35, high=1.25)
    return jnp.clip(level * (1.0 + vivid * (hue - 1.0)), 0.03, 0.97)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Finish:
    """What is printed on a thing, or woven into it."""

    colors: Array  # [2, 3] square roots
    kind: Array  # [] int32: plain, stripes, checks, dots, print, picture
    step: Array  # [], pixels between stripes
    share: Array  # [], of a stripe's width in its step
    wear: Array  # [], strength of stains
    picture: Array  # [H, W, 3]
    noise: Array  # [2, H, W]

    @classmethod
    def draw(cls, draw: Numbers, picture: Float[Array, "h w 3"]) -> Finish:
        """Draw a finish; takes 14 numbers and `MOTTLE`."""
        chances = jnp.array([0.4, 0.14, 0.1, 0.08, 0.2, 0.08])
        return cls(
            colors=jnp.stack([plain_color(draw), plain_color(draw)]),
            kind=draw.choice(chances),
            step=jnp.exp(draw.uniform(low=1.6, high=3.2)),
            share=draw.uniform(low=-0.6, high=0.6),
            wear=0.05 * draw.uniform() ** 3 + 0.006,
            picture=picture,
            noise=mottle(draw),
        )

    def on(self, solid: Solid) -> Float[Array, "h w 3"]:
        """Return the colours of a solid with this finish."""
        return mixed(solid.color, self._at(solid.place[..., 0], solid.place[..., 1]), solid.printed)

    def _at(self, u: Array, v: Array) -> Float[Array, "h w 3"]:
        turn = 2.0 * jnp.pi / self.step
        along, across = jnp.cos(turn * u), jnp.cos(turn * v)
        soft = 0.25
        checks = 0.5 * smooth(along, -soft, soft) + 0.5 * smooth(across, -soft, soft)
        light = self.picture.mean(axis=-1)
        prints = [
            jnp.zeros_like(light),
            smooth(along + self.share, -soft, soft),
            checks,
            smooth(along + across, 1.1, 1.1 + soft),
            smooth(light + 0.1 * self.noise[0], 0.4, 0.55),
            jnp.zeros_like(light),
        ]
        second = jnp.select([self.kind == k for k in range(len(prints))], prints)
        color = mixed(self.colors[0], self.colors[1], second)
        color = jnp.where(self.kind == len(prints) - 1, self.picture, color)
        return color * (1.0 + self.wear * (self.noise[0] + self.noise[1]))[..., None]
