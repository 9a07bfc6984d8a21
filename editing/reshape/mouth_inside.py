"""The inside of a mouth that opens, where the photo shows nothing of it: teeth, tongue, the dark.

Upper teeth belong to the skull: they stay while the lower lip goes down, and more of them shows
where a smile lifts the upper one. The tongue lies behind the lower lip.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ...core.geometry.landmarks import INNER_LIPS, pair_distance, read_landmarks
from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp, smooth_step
from ...core.types import Face
from ..colour import colourfulness, lab_from_rgb, luma
from ..regions import soften
from .teeth import Whites, find_whites, tooth_color

__all__ = ["DEPTH", "inside_mouth", "lip_gap"]

# This share of the colour of lips is that of the inside of a mouth at its rim, and in its depth.
_AT_RIM, DEPTH = (0.55, 0.32, 0.32), (0.2, 0.08, 0.08)
_SHADE_BLUR, _DEEP = 4.0, (0.4, 1.0)  # texels of 256; share of the mouth around a texel
_TONGUE = (0.7, 0.48, 0.5)  # the same of the tongue
_TONGUE_HEIGHT, _TONGUE_WIDTH = 0.42, 1.5  # of the gap between the lips; cm to either side
_TONGUE_EDGE = 0.7  # of its height
_GROOVE, _GROOVE_WIDTH = 0.12, 0.12  # how much darker its middle is; cm
# Widths of upper teeth from the middle, as seen from the front, and how far they reach below the
# edge of the upper lip; cm.
_WIDTHS = (0.82, 0.62, 0.62, 0.45, 0.4, 0.35)
_HEIGHTS = (0.48, 0.42, 0.46, 0.38, 0.33, 0.27)
_ROUND = 0.05  # cm by which the corners of a tooth are shorter
_SHARP = 0.11  # cm
_BETWEEN, _BETWEEN_WIDTH = 0.25, 0.07  # how much darker it is between teeth; cm
_SHADOW = (0.1, 0.35)  # cm below the lip, whose shadow lies on them
_LEAST_LIT, _SHADED = 0.65, 0.6  # light beneath the lip; how much less of it there is at the sides
_ASIDE, _FADE = 1.9, 0.6  # cm to the side, where no tooth is seen, and over which they vanish
# cm between landmarks of the lips, which lie a little outside: an open mouth shows its own teeth.
_WAS_OPEN = (0.35, 0.5)


def inside_mouth(
    face: Face,
    old: Float[Array, "size size 3"],
    new: Float[Array, "size size 3"],
    layout: UVLayout,
    whites: Whites | None = None,
) -> Float[Array, "size size 3"]:
    """Return the colours, sRGB, of what lies between the lips.

    Args:
        face: in the photo, as it was.
        old: its position map, from any origin; depth may have another one than that of `new`.
        new: the same after it has moved.
        layout: UV layout.
        whites: what is known of the eyes' whites; None: what the photo shows of them.
    """
    mouth = layout.regions.get("mouth_interior", jnp.zeros_like(layout.mask))
    lips = layout.regions.get("lips", layout.mask)[..., None]
    color = (face.texture * lips).sum(axis=(0, 1)) / lips.sum()
    skin = layout.regions.get("skin", layout.mask) * face.visibility
    colored = colourfulness(lab_from_rgb(face.texture), skin)
    colors = color * _shade(mouth, colored)
    if not {"mouth_interior", "eyeballs", "skin"} <= set(layout.regions):
        return colors
    scale = face.camera.scale
    upper, lower = (_rim(new, mouth, is_upper=way) for way in (True, False))
    below, above = (jnp.linalg.norm(new - edge, axis=-1) / scale for edge in (upper, lower))
    aside = _rim(layout.canonical, mouth, is_upper=True)[..., 0]
    tongue, light = _tongue(above, above + below, aside)
    colors += (tongue * light)[..., None] * (color * _tinted(_TONGUE, colored) - colors)
    lifted = _lifted(old, new, layout) / scale
    teeth, light = _teeth(below - lifted, below, aside)
    was_closed = 1.0 - ramp(lip_gap(old, layout) / scale, _WAS_OPEN)
    shown = (was_closed * teeth)[..., None]
    tooth = tooth_color(find_whites(face, layout) if whites is None else whites)
    return colors + shown * (tooth * light[..., None] - colors)


def _tinted(share: tuple[float, float, float], colored: Array) -> Float[Array, " 3"]:
    """Return a share of lips' colour, grey as far as the photo is without colours."""
    grey = luma(jnp.asarray(share))
    return grey + colored * (jnp.asarray(share) - grey)


def _shade(mouth: Array, colored: Array) -> Float[Array, "size size 3"]:
    """Return the share of the lips' colour that is left inside a mouth."""
    deep = ramp(soften(mouth[..., None], _SHADE_BLUR * mouth.shape[0] / 256), _DEEP)
    rim, depth = (_tinted(share, colored) for share in (_AT_RIM, DEPTH))
    return rim + deep * (depth - rim)


def lip_gap(position_map: Float[Array, "size size 3"], layout: UVLayout) -> Float[Array, ""]:
    """Return the mean distance between the lips, photo pixels."""
    return pair_distance(read_landmarks(position_map, layout.landmark_uv), INNER_LIPS)


def _lifted(old: Array, new: Array, layout: UVLayout) -> Float[Array, ""]:
    """Return how far the upper lip moves up, photo pixels."""
    upper, lower = INNER_LIPS.T
    before, after = (read_landmarks(at, layout.landmark_uv)[:, :2] for at in (old, new))
    down = (after[lower] - after[upper]).mean(axis=0)
    down = down / jnp.maximum(jnp.linalg.norm(down), 1e-6)
    return -((after - before)[upper] @ down).mean()


def _rim(values: Array, mouth: Array, *, is_upper: bool) -> Float[Array, "1 size c"]:
    """Return the values at the upper or lower end of the mouth in each column."""
    inside = mouth > 0.5
    rows = jnp.arange(mouth.shape[0])[:, None]
    if is_upper:
        row = jnp.where(inside, rows, mouth.shape[0] - 1).min(axis=0)
    else:
        row = jnp.where(inside, rows, 0).max(axis=0)
    return jnp.take_along_axis(values, row[None, :, None], axis=0)


def _tongue(above: Array, gap: Array, aside: Array) -> tuple[Array, Array]:
    """Return how much of a tongue is seen, and its light: at a height above the lower lip, cm."""
    top = _TONGUE_HEIGHT * gap * (1.0 - (aside / _TONGUE_WIDTH) ** 2)
    depth = above / jnp.maximum(top, 1e-3)  # 0 in front, 1 where it ends
    groove = 1.0 - _GROOVE * jnp.exp(-((aside / _GROOVE_WIDTH) ** 2))
    return smooth_step((1.0 - depth) / _TONGUE_EDGE), groove * jnp.clip(1.0 - 0.5 * depth, 0.0, 1.0)


def _teeth(reach: Array, below: Array, aside: Array) -> tuple[Array, Array]:
    """Return how much of upper teeth is seen, and their light.

    Args:
        reach: cm below the edge of the lip at rest.
        below: cm below the edge of the lip.
        aside: cm from the middle of the face.
    """
    ends = np.cumsum(_WIDTHS)
    x = jnp.abs(aside)
    number = jnp.searchsorted(jnp.asarray(ends, jnp.float32), x)
    last = len(_WIDTHS) - 1
    width, end, height = (
        jnp.asarray(values, jnp.float32)[jnp.minimum(number, last)]
        for values in (_WIDTHS, ends, _HEIGHTS)
    )
    off = 2.0 * jnp.abs((end - x) / width - 0.5)  # 0 in the middle of a tooth, 1 between two
    share = smooth_step(0.5 + (height - _ROUND * off**4 - reach) / _SHARP)
    gap = 0.5 * width * (1.0 - off)  # cm to the next tooth
    between = 1.0 - _BETWEEN * jnp.exp(-((gap / _BETWEEN_WIDTH) ** 2))
    lip = _LEAST_LIT + (1.0 - _LEAST_LIT) * ramp(below, _SHADOW)
    share = share * smooth_step((_ASIDE - x) / _FADE)
    return share, between * lip * (1.0 - _SHADED * jnp.minimum(x / _ASIDE, 1.0) ** 2)
