"""Where glasses hide a face, as far as their frames show.

What the network says of a thin or clear frame is patchy, but nothing else covers the bridge of a
nose without covering half of the face. Where something does, whatever is a thin line around the
eyes, darker or brighter than the skin on both of its sides, belongs to the glasses, and so does the
border of it, where frame and skin are mixed. Where brows and bags are lines, too, only what goes on
around the eye does (`rims.py`).
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from ...core.geometry.landmarks import EYES
from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp, smooth_step
from ..regions import soften
from .rims import Rims, find_rims

__all__ = ["frame_trust", "whole_brows"]

_BRIDGE = (1.2, -1.0, 1.7)  # cm: beside the middle of the eyes, from above them to below
_WORN = (0.01, 0.018)  # share of the bridge that is covered: nothing without glasses
_ABOVE = (4.1, 3.3)  # cm above the eyes: no frame is higher
_BESIDE = (7.4, 6.8)  # cm beside the nose
# cm below the eyes that frames reach, by the distance from the middle: pads lie on the bridge.
_BELOW = ((0.0, 1.2, 2.4), (1.9, 2.8, 4.4))
_FADING = 0.4  # cm
_EYE_LINES = 6.0  # texels of 256 around eyeballs, where lids and lashes are lines, too
_BROWS = 3.0  # the same around brows
_LINE = 10  # texels of 256: wider than frames that the network does not find
_CONTRAST = (0.09, 0.16)  # of the lightness: from wrinkles to frames
_RIM = 1.0  # texels of 256, where frame and skin are mixed
_OUTLINE = 4.0  # texels of 256, blur: at a profile's outline the network's mask is uncertain
_INNER = (0.85, 0.95)  # of what is so blurred
_TORN = (0.25, 0.5)  # share of a brow that is missing
_SEEN = 0.5  # visibility as far as the face's own shape is in question
_BLACK = 0.05  # Oklab L


def frame_trust(
    texture: Float[Array, "texels texels 3"],
    lab: Float[Array, "size size 3"],
    visible: Float[Array, "size size"],
    self_visibility: Float[Array, "size size"],
    layout: UVLayout,
) -> Float[Array, "size size"]:
    """Return 0 at the frames of glasses and some texels beside them, 1 elsewhere.

    1 everywhere where no glasses are worn, and for a layout that names no eyeballs.

    Args:
        texture: RGB in [0, 1] of the photo's colours, as fine as they are known.
        lab: Oklab of them at the texels.
        visible: 1 where the texel is seen, as the network says.
        self_visibility: 1 where the face does not hide it itself.
        layout: UV layout.
    """
    if "eyeballs" not in layout.regions:
        return jnp.ones_like(visible)
    scale = layout.size / 256
    uncovered = jnp.clip(visible / jnp.maximum(self_visibility, _SEEN), 0.0, 1.0)
    covered = self_visibility * (1.0 - uncovered)
    x, down = _from_eyes(layout)
    bridge = _bridge(x, down) * ramp(
        soften(self_visibility[..., None], _OUTLINE * scale)[..., 0], _INNER
    )
    share = (bridge * covered).sum() / jnp.maximum(bridge.sum(), 1e-6)
    zone = _zone(x, down)
    free = zone * (1.0 - _near(layout.region("eyeballs"), _EYE_LINES * scale))
    judged = free * (1.0 - _near(layout.region("brows"), _BROWS * scale))
    lines = jnp.where(
        self_visibility > _SEEN, _lines(lab[..., 0], 2 * round(_LINE * scale / 2) + 1), 0.0
    )
    none = jnp.zeros_like(self_visibility)
    rims = lax.cond(  # few faces wear glasses: the others need not wait
        share > _WORN[0],
        lambda: find_rims(texture, covered, self_visibility, free, layout),
        lambda: Rims(share=none, lens=none),
    )
    judged *= 1.0 - rims.lens
    frame = jnp.maximum(jnp.maximum(judged * lines, rims.share), zone * covered)
    rimmed = smooth_step(2.0 * soften(frame[..., None], _RIM * scale)[..., 0])
    return 1.0 - ramp(share, _WORN) * rimmed


def whole_brows(
    trust: Float[Array, "size size"], wanted: Float[Array, "size size"], layout: UVLayout
) -> Float[Array, "size size"]:
    """Return a trust that is 0 on both brows if frames hide a part of one: no brow is torn.

    Both, since a brow of one person beside that of another is seen at a glance.

    Args:
        trust: from `frame_trust`.
        wanted: how well the texels will be seen where they are put: what is hidden there as well
            tears no brow.
        layout: UV layout.
    """
    brows, is_picture_left = layout.region("brows"), layout.canonical[..., 0] < 0.0
    sides = jnp.stack(
        [jnp.where(is_picture_left, brows, 0.0), jnp.where(is_picture_left, 0.0, brows)]
    )
    missing = (sides * jnp.maximum(wanted - trust, 0.0)).sum(axis=(1, 2))
    torn = ramp((missing / jnp.maximum(sides.sum(axis=(1, 2)), 1e-6)).max(), _TORN)
    return jnp.minimum(trust, 1.0 - _near(brows, _BROWS * layout.size / 256) * torn)


def _from_eyes(layout: UVLayout) -> tuple[Array, Array]:
    """Return the distance of the texels from the middle of the face, and how far below the eyes."""
    eyes = layout.landmarks()[EYES]
    return jnp.abs(layout.canonical[..., 0]), layout.canonical[..., 1] - eyes[:, 1].mean()


def _bridge(x: Array, down: Array) -> Array:
    width, above, below = _BRIDGE
    return ((x < width) & (down > above) & (down < below)).astype(x.dtype)


def _zone(x: Array, down: Array) -> Array:
    """Return where frames may lie."""
    low = down - jnp.interp(x, *(jnp.asarray(values) for values in _BELOW))
    return ramp(-down, _ABOVE) * ramp(low, (_FADING, -_FADING)) * ramp(x, _BESIDE)


def _near(mask: Array, width: float) -> Array:
    return smooth_step(3.0 * soften(mask[..., None], width)[..., 0])


def _lines(light: Array, width: int) -> Array:
    """Return 1 at lines that are darker or brighter than what lies on both sides of them.

    Closing and opening by a square of ``width``, odd, fill what is narrower (top-hat transforms).
    """
    closed = -_highest(-_highest(light, width), width)
    opened = _highest(-_highest(-light, width), width)
    dark = 1.0 - light / jnp.maximum(closed, _BLACK)
    bright = light / jnp.maximum(opened, _BLACK) - 1.0
    return ramp(jnp.maximum(dark, bright), _CONTRAST)


def _highest(x: Array, width: int) -> Array:
    rows = lax.reduce_window(x, -jnp.inf, lax.max, (width, 1), (1, 1), "SAME")
    return lax.reduce_window(rows, -jnp.inf, lax.max, (1, width), (1, 1), "SAME")
