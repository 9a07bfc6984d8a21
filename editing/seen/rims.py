"""The rims of glasses: closed curves around the eyes, also where they cross a brow.

Around each eye colours are read along rays. A rim is the closed curve, one radius for each
direction, along which most is a thin line: darker, brighter or of another colour than the skin on
both of its sides. A brow or a fold is such a line, too, but does not go around the eye, so that the
curve as a whole is found where no piece of it could be told. What of it is no line is left out: not
every lens has a rim all around.

References:
    L. D. Cohen and R. Kimmel, "Global Minimum for Active Contour Models: A Minimal Path Approach",
    1997, in polar coordinates, by dynamic programming.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp
from ...core.geometry.sampling import sample_bilinear
from ...core.geometry.texels import texel_uv
from ..colour import lab_from_rgb
from .features import brow_area

__all__ = ["Rims", "find_rims"]

_DIRECTIONS = 120
_NEAREST, _FARTHEST = 12, 84  # texels of 256 from the middle of the eye
_WIDTHS = (2, 3)  # texels of 256 from a line's middle to the skin on either side of it
_CHROMA = 3.0  # share of the lightness that an Oklab unit of chroma counts as
_BLACK = 0.05  # Oklab L
_COVERED = 0.5  # contrast that the network's word counts as
_CLEAR = 0.12  # contrast from which on a line is as good as any other
_BROW = 0.75  # what dark and bright lines count for where brows grow, which are lines themselves
_STEP = 4  # texels of 256 at most from one direction to the next
_BENT = 0.006  # times the square of such a step: what it costs
_BEYOND = 0.2  # cm beyond the middle of the face
_LINE = (0.045, 0.075)  # mean contrast of a piece of the curve: from folds of skin to rims
_PIECE = 8  # directions on either side that are averaged for it
_HALF_WIDTH = (2.6, 1.6)  # texels of 256
_INSIDE = (2.6, 4.6)  # texels of 256 from the curve, towards the eye
_SEEN = 0.5


class Rims(NamedTuple):
    """Where rims were found, ``[S, S]``."""

    share: Array  # 1 at them
    lens: Array  # 1 below the eyes where a rim lies farther down: nothing there is frame


def find_rims(
    texture: Float[Array, "texels texels 3"],
    covered: Float[Array, "size size"],
    self_visibility: Float[Array, "size size"],
    zone: Float[Array, "size size"],
    layout: UVLayout,
) -> Rims:
    """Find the rims of glasses; of a face that wears none, some folds.

    Args:
        texture: RGB in [0, 1], at least 256 texels along a side: rims are thin.
        covered: 1 where the network says that something covers the face.
        self_visibility: 1 where the face does not hide the texel itself.
        zone: 1 where rims may lie.
        layout: UV layout; it names eyeballs.
    """
    eyes = _eye_centres(layout)
    angle = 2 * jnp.pi * jnp.arange(_DIRECTIONS, dtype=jnp.float32) / _DIRECTIONS
    radius = jnp.arange(_NEAREST, _FARTHEST, dtype=jnp.float32)
    ray = jnp.stack([jnp.cos(angle), jnp.sin(angle)], axis=-1)
    uv = eyes[:, None, None] + radius[:, None] * ray[:, None] / 256  # [eye, direction, radius, 2]
    beyond = layout.canonical[..., 0]
    known = _read(
        jnp.stack([covered, self_visibility, zone, beyond, brow_area(layout)], axis=-1), uv
    )
    covered, self_visibility, zone, beyond, brows = jnp.moveaxis(known, -1, 0)
    beyond = beyond * jnp.asarray([1.0, -1.0])[:, None, None]
    light, chroma = (
        jnp.where(self_visibility > _SEEN, x, 0.0) for x in _contrasts(_read(texture, uv))
    )
    light = jnp.minimum(jnp.maximum(light, _COVERED * covered), _CLEAR)
    clear = jnp.maximum(light * (1.0 - (1.0 - _BROW) * brows), jnp.minimum(chroma, _CLEAR))
    is_free = (zone > _SEEN) & (beyond < _BEYOND)
    best = _closed_curve(jnp.where(is_free, clear, -_CLEAR))
    line = jnp.take_along_axis(jnp.where(is_free, clear, 0.0), best[..., None], axis=-1)[..., 0]
    around = jnp.pad(line, ((0, 0), (_PIECE, _PIECE)), mode="wrap")
    width = 2 * _PIECE + 1
    pieces = lax.reduce_window(around, 0.0, lax.add, (1, width), (1, 1), "VALID") / width
    curve = jnp.stack([radius[best], ramp(pieces, _LINE)], axis=-1)
    return _drawn(curve, eyes, layout.size)


def _eye_centres(layout: UVLayout) -> Float[Array, "2 2"]:
    """Return the middles of both eyeballs, UV, that of the smaller x first."""
    eyeballs, is_picture_left = layout.region("eyeballs"), layout.canonical[..., 0] < 0.0
    weights = jnp.stack(
        [jnp.where(is_picture_left, eyeballs, 0.0), jnp.where(is_picture_left, 0.0, eyeballs)]
    )
    total = jnp.maximum(weights.sum(axis=(1, 2)), 1e-6)
    return jnp.einsum("eij,ijk->ek", weights, texel_uv(layout.size)) / total[:, None]


def _read(image: Array, uv: Array) -> Array:
    return sample_bilinear(image, uv * image.shape[0] - 0.5)


def _contrasts(colors: Float[Array, "2 n radii 3"]) -> tuple[Array, Array]:
    """Return by how much lines differ from the skin on both of their sides, of its lightness.

    In lightness and in chroma, ``[2, n, radii]``.
    """
    # Along the curve, too, lines are lines and hairs are not.
    before, after = jnp.roll(colors, 1, axis=1), jnp.roll(colors, -1, axis=1)
    lab = lab_from_rgb((before + 2.0 * colors + after) / 4.0)
    light = jnp.maximum(lab[..., 0], _BLACK)
    lines, colored = jnp.zeros_like(light), jnp.zeros_like(light)
    for width in _WIDTHS:
        padded = jnp.pad(lab, ((0, 0), (0, 0), (width, width), (0, 0)), mode="edge")
        sides = padded[:, :, : -2 * width], padded[:, :, 2 * width :]
        low, high = (jnp.maximum(side[..., 0], _BLACK) for side in sides)
        dark, bright = 1.0 - light / jnp.minimum(low, high), light / jnp.maximum(low, high) - 1.0
        inner, outer = (lab[..., 1:] - side[..., 1:] for side in sides)
        lines = jnp.maximum(lines, jnp.maximum(dark, bright))
        colored = jnp.maximum(colored, (inner * outer).sum(axis=-1))
    return lines, _CHROMA * jnp.sqrt(colored)


def _closed_curve(gain: Float[Array, "2 n radii"]) -> Array:
    """Return for each direction the radius at which the closed curve of the most gain passes.

    Gains are summed from either side of each direction over a whole turn and more, so that
    where a curve begins does not matter.
    """
    forward = jnp.moveaxis(gain, 1, 0)
    both = jnp.stack([forward, forward[::-1]], axis=1)  # [direction, way, eye, radius]
    steps = range(-_STEP, _STEP + 1)

    def follow(total: Array, gain: Array) -> tuple[Array, Array]:
        padded = jnp.pad(total, ((0, 0), (0, 0), (_STEP, _STEP)), constant_values=-jnp.inf)
        count = total.shape[-1]
        moved = [padded[..., _STEP + k : _STEP + k + count] - _BENT * k * k for k in steps]
        best = jnp.stack(moved).max(axis=0)
        return best + gain, best

    turned, _ = lax.scan(follow, jnp.zeros(both.shape[1:]), both)
    _, reached = lax.scan(follow, turned - turned.max(axis=-1, keepdims=True), both)
    through = reached[:, 0] + reached[::-1, 1] + forward
    return jnp.moveaxis(through.argmax(axis=-1), 1, 0)


def _drawn(curve: Float[Array, "2 n 2"], eyes: Float[Array, "2 2"], size: int) -> Rims:
    """Draw curves of radii and shares into UV."""
    offset = 256 * (texel_uv(size) - eyes[:, None, None])
    direction = jnp.arctan2(offset[..., 1], offset[..., 0]) / (2 * jnp.pi) * _DIRECTIONS
    whole = jnp.floor(direction)
    first = jnp.mod(whole.astype(jnp.int32), _DIRECTIONS)
    part = (direction - whole)[..., None]
    eye = jnp.arange(2)[:, None, None]
    at, after = curve[eye, first], curve[eye, (first + 1) % _DIRECTIONS]
    radius, share = jnp.moveaxis(at * (1.0 - part) + after * part, -1, 0)
    depth = radius - jnp.linalg.norm(offset, axis=-1)
    is_below = offset[..., 1] > 0.0
    return Rims(
        share=(share * ramp(jnp.abs(depth), _HALF_WIDTH)).max(axis=0),
        lens=jnp.where(is_below, share * ramp(depth, _INSIDE), 0.0).max(axis=0),
    )
