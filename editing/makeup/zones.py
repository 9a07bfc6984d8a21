"""Where make-up goes: zones in UV, by strokes over the face in cm and by the layout's regions.

A stroke is a soft line over the surface. Its points are given from landmarks, on the subject's
left; the right is its mirror image.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float

from ...core.geometry.landmarks import EYE_CORNERS
from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp
from ...core.traced import blank, keep_traced
from ...core.types import Face
from ..colour import DARK, lab_from_rgb
from ..regions import SEEN, soften

__all__ = ["Zones", "makeup_zones"]

_Stroke = tuple[tuple[float, float, float, float], ...]  # x, y, z in cm, and how strong there

_CORNER = int(EYE_CORNERS[1, 0])
# From the inner corner of the eye to the outer: upper lid, and below it the lower.
_EYE, _OTHER = ((42, 43, 44, 45), (42, 47, 46, 45)), ((39, 38, 37, 36), (39, 40, 41, 36))
_EYEBALLS = ("eyeballs_left", "eyeballs_right")
_BRIDGE, _TIP, _BOW = 27, 30, 51
# From the outer corner of the eye: x to the side, y down, z to the front.
_BLUSH: _Stroke = ((-0.4, 3.9, 1.0, 0.6), (0.8, 3.0, 0.3, 1.0), (1.9, 1.7, -1.3, 0.5))
_HOLLOW: _Stroke = ((2.4, 3.6, -2.6, 0.7), (1.5, 5.0, -1.1, 1.0), (0.4, 6.0, -0.2, 0.15))
_CHEEKBONE: _Stroke = ((0.1, 2.1, 0.6, 0.6), (1.0, 1.5, -0.1, 1.0), (1.8, 0.6, -1.4, 0.4))
_BLUSH_WIDTH, _HOLLOW_WIDTH, _CHEEKBONE_WIDTH = 0.9, 0.6, 0.42  # cm, of their Gaussians
_BRIDGE_WIDTH, _BOW_WIDTH = 0.22, 0.2
_BESIDE_FEATURES = (0.4, 0.1)  # of the blurred features: where skin ends
_BESIDE_BLUR = 1.5  # texels of 256
_RIM, _AT_RIM = 1.5, (0.05, 0.35)  # beside eyeballs, where lashes grow: texels of 256
_SHADOW_BLUR, _BROW_BLUR = 2.0, 2.0
_LINE = (0.04, 0.085)  # cm: thickness of a line at the inner corner and at the outer
_BEGINS, _LEAVES = (0.02, 0.35), 0.72  # of a lid's width: where it begins, and leaves for the wing
_WING = (0.3, 0.02)  # cm: to the side and up, of its tip from the outer corner
_CLOSED = (0.19, 0.14)  # relative deviation of lightness: from an eye to a lid before it
_SHOWN = (0.2, 0.5)  # share of an eye, or a brow, that is seen: less has no make-up
_NEAR_LIDS, _NO_LINE = (0.9, 0.6), (-0.2, 0.0)  # cm


class Zones(NamedTuple):
    """Weights in [0, 1], of what is seen, ``[S, S]`` in UV, or ``[h, w]`` at pixels."""

    skin: Array
    blush: Array
    contour: Array
    highlight: Array
    eye_shadow: Array
    brows: Array
    eyes: Array  # eyeballs that no lid covers
    lashes: Array  # along their upper lids
    height: Array  # cm above the edge of these
    line: Array  # cm, thickness of a line along that edge; may be negative where there is none


@partial(keep_traced, key="zones of make-up", like=blank(Zones))
def makeup_zones(face: Face, texture: Float[Array, "size size 3"], layout: UVLayout) -> Zones:
    """Return where each item of make-up goes on a face.

    Args:
        face: whose visibility counts.
        texture: what the photo shows there, sRGB: it tells whether eyes are closed.
        layout: UV layout of the face; regions that it lacks are empty.
    """
    seen = ramp(face.visibility, SEEN) * layout.mask
    skin = seen * _bare(layout)
    landmarks = layout.landmarks()
    corner = landmarks[_CORNER]

    def sides(stroke: _Stroke, width: float) -> Array:
        points = jnp.asarray(stroke) + jnp.append(corner, 0.0)
        mirrored = points * jnp.array([-1.0, 1.0, 1.0, 1.0])
        return jnp.maximum(*(_stroked(layout.canonical, p, width) for p in (points, mirrored)))

    def middle(*points: Array, width: float) -> Array:
        strength = jnp.ones((len(points), 1))
        return _stroked(layout.canonical, jnp.hstack([jnp.stack(points), strength]), width)

    bright = [
        sides(_CHEEKBONE, _CHEEKBONE_WIDTH),
        middle(landmarks[_BRIDGE], landmarks[_TIP], width=_BRIDGE_WIDTH),
        0.7 * middle(landmarks[_BOW] - jnp.array([0.0, 0.2, 0.0]), width=_BOW_WIDTH),
    ]
    light = lab_from_rgb(texture)[..., 0]
    eyes, brows = [_region(layout, eye) for eye in _EYEBALLS], _region(layout, "brows")
    closed = [_closed(light, seen, eye) for eye in eyes]
    is_left = _is_left(layout)
    height, line = _beside_lids(layout, closed)
    left, right = (_shown(seen, eye) for eye in eyes)
    near = seen * jnp.where(is_left, left, right)
    left, right = (_shown(seen, jnp.where(side, brows, 0.0)) for side in (is_left, ~is_left))
    brows_seen = seen * jnp.where(is_left, left, right)
    return Zones(
        skin=skin,
        blush=skin * sides(_BLUSH, _BLUSH_WIDTH),
        contour=skin * sides(_HOLLOW, _HOLLOW_WIDTH),
        highlight=skin * jnp.stack(bright).max(axis=0),
        eye_shadow=near * _shadow(layout, closed),
        brows=brows_seen * _blurred(layout, "brows", _BROW_BLUR),
        eyes=seen * _open_eyes(layout, closed),
        lashes=near * ramp(jnp.abs(height), _NEAR_LIDS) * ramp(line, _NO_LINE),
        height=height,
        line=line,
    )


def _region(layout: UVLayout, name: str) -> Float[Array, "size size"]:
    return layout.regions.get(name, jnp.zeros_like(layout.mask))


def _blurred(layout: UVLayout, name: str, width: float) -> Float[Array, "size size"]:
    return soften(_region(layout, name)[..., None], width * layout.size / 256)[..., 0]


def _closed(light: Array, seen: Array, eyeball: Array) -> Array:
    """Return 1 for an eye that is closed, else 0.

    One that is as even as a lid is closed, whatever the position map says.
    """
    weight = seen * eyeball / jnp.maximum((seen * eyeball).sum(), 1e-3)
    mean = (weight * light).sum()
    deviation = jnp.sqrt((weight * (light - mean) ** 2).sum()) / jnp.maximum(mean, DARK)
    return ramp(deviation, _CLOSED)


def _shown(seen: Array, region: Array) -> Array:
    """Return 1 for an eye or a brow of which enough is seen to be made up, else 0."""
    return ramp((seen * region).sum() / jnp.maximum(region.sum(), 1e-3), _SHOWN)


def _is_left(layout: UVLayout) -> Bool[Array, "size size"]:
    """Return whether texels are on the subject's left."""
    return layout.canonical[..., 0] > layout.landmarks()[_TIP, 0]


def _bare(layout: UVLayout) -> Float[Array, "size size"]:
    """Return 1 on the skin of the face, 0 on and beside what has colours of its own."""
    names = ("brows", "eyeballs", "lips", "mouth_interior")
    features = jnp.stack([_blurred(layout, name, _BESIDE_BLUR) for name in names]).max(axis=0)
    return layout.region("skin") * ramp(features, _BESIDE_FEATURES)


def _shadow(layout: UVLayout, closed: Sequence[Array]) -> Float[Array, "size size"]:
    """Return 1 on the upper lids at the lashes, fading out before the brows."""
    lids = jnp.maximum(
        _blurred(layout, "lids_upper", _SHADOW_BLUR),
        ramp(_blurred(layout, "eyeballs", _RIM), _AT_RIM),
    )
    return lids * (1.0 - _open_eyes(layout, closed))


def _open_eyes(layout: UVLayout, closed: Sequence[Array]) -> Float[Array, "size size"]:
    """Return 1 on eyeballs and at their rims, 0 where a lid covers them."""
    eyes = [
        (1.0 - is_closed) * ramp(_blurred(layout, eye, _RIM), _AT_RIM)
        for is_closed, eye in zip(closed, _EYEBALLS, strict=True)
    ]
    return jnp.maximum(*eyes)


def _stroked(
    places: Float[Array, "size size 3"], points: Float[Array, "points 4"], width: float
) -> Float[Array, "size size"]:
    """Return the weights of a soft line; a single point is a dot.

    Args:
        places: of the texels, cm.
        points: of the line, cm, and its strength there.
        width: standard deviation of its cross-section, cm.
    """
    found = jnp.zeros(places.shape[:2])
    for start, end in zip(points, points[1:] if len(points) > 1 else points, strict=False):
        way = end[:3] - start[:3]
        share = ((places - start[:3]) @ way) / jnp.maximum((way**2).sum(), 1e-6)
        share = jnp.clip(share, 0.0, 1.0)[..., None]
        distance = jnp.linalg.norm(places - start[:3] - share * way, axis=-1)
        strength = start[3] + share[..., 0] * (end[3] - start[3])
        found = jnp.maximum(found, strength * jnp.exp(-0.5 * (distance / width) ** 2))
    return found


def _beside_lids(layout: UVLayout, closed: Sequence[Array]) -> tuple[Array, Array]:
    """Return how far above the edge of the nearer upper lid texels are, and a line's thickness, cm.

    The edge is the cubic through the four landmarks of a lid; of the lower one where the eye is
    closed. Beyond the outer corner it runs on
    to the tip of a small wing, up to which the line leaves the lid.
    """
    landmarks, places = layout.landmarks(), layout.canonical
    eyes = [landmarks[jnp.array(eye)] for eye in (_EYE, _OTHER)]
    eyes = [up + c * (down - up) for (up, down), c in zip(eyes, closed, strict=True)]
    sides = [_beside_lid(places, eye) for eye in eyes]
    is_left = _is_left(layout)
    height, line = (jnp.where(is_left, left, right) for left, right in zip(*sides, strict=True))
    return height, line


def _beside_lid(places: Array, lid: Float[Array, "4 3"]) -> tuple[Array, Array]:
    side = jnp.sign(lid[3, 0] - lid[0, 0])
    out = side * (places[..., 0] - lid[0, 0])  # cm from the inner corner
    nodes, heights = side * (lid[:, 0] - lid[0, 0]), -lid[:, 1]
    curve = jnp.linalg.solve(
        jnp.vander(nodes, increasing=True), heights
    )  # cubic, lowest power first
    end, tip = nodes[3], nodes[3] + _WING[0]
    edge, slope = _on_curve(curve, jnp.clip(out, 0.0, end))
    fallen = jnp.maximum(out - end, 0.0) / _WING[0]
    edge += fallen * _WING[1]
    thin, thick = _LINE
    share = out / end
    line = (thin + (thick - thin) * share) * jnp.hypot(1.0, slope)
    # The upper side of the wing: a parabola that goes on from the line and ends at the tip.
    start = _LEAVES * end
    value, rise = _on_curve(curve, start)
    value += (thin + (thick - thin) * _LEAVES) * jnp.hypot(1.0, rise)
    bend = (heights[3] + _WING[1] - value - rise * (tip - start)) / (tip - start) ** 2
    upper = value + rise * (out - start) + bend * (out - start) ** 2
    line = jnp.where(out < start, line * ramp(share, _BEGINS), upper - edge)
    return -places[..., 1] - edge, jnp.where((out < 0.0) | (out > tip), -0.2, line)


def _on_curve(curve: Float[Array, " 4"], x: Array) -> tuple[Array, Array]:
    """Return a cubic's values and its slopes."""
    value = curve[0] + x * (curve[1] + x * (curve[2] + x * curve[3]))
    return value, curve[1] + x * (2.0 * curve[2] + 3.0 * x * curve[3])
