"""Flicker taken off changed faces: what changes in UV, even over neighbouring frames.

Each frame is swapped or edited by itself, and decides anew what is shade, what covers the face, and
which colours at the mask's edge are skin. What such decisions change is smooth over the face; as an
image in UV it can be compared from frame to frame however the head moves. Here the smooth part of
the change is brought to its mean over the frames around; what is fine stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ...core.geometry.coarse import coarse_layout
from ...core.geometry.layout import UVLayout
from ...core.geometry.render import render_texture
from ...core.geometry.scales import pool
from ...core.reconstruct import read_texture
from ...core.types import Face
from ..regions import soften
from ..windows import Window, cut_edit_window, paste_window
from .steady import mean_weights

__all__ = ["Change", "change_of", "even_out"]

_TEXELS = 128
_SMOOTH = 6.0  # texels of 256: what is finer is detail, and does not flicker by decisions
_LEAST = 1e-3  # weight of texels around, below which nothing is known

Change = tuple[Array, Array]  # [n, n, 3] smooth change of colour at the texels; [n, n] its weight


def change_of(
    image: Float[np.ndarray, "height width 3"],
    changed: Float[np.ndarray, "height width 3"],
    face: Face,
    mask: Float[Array, "size size"],
) -> Change:
    """Return what a swap or an edit changed of a frame, smooth, at the texels of the face.

    Args:
        image: the frame, RGB in [0, 1].
        changed: the same with the face changed.
        face: this face.
        mask: what may change, in UV.
    """
    return _smooth(read_texture(changed - image, face.position_map), face.visibility * mask)


@jax.jit
def _smooth(change: Array, weight: Array) -> Change:
    weighted = jnp.concatenate([change * weight[..., None], weight[..., None]], axis=-1)
    blurred = soften(pool(weighted, _TEXELS), _SMOOTH * _TEXELS / 256)
    return blurred[..., :3] / jnp.maximum(blurred[..., 3:], _LEAST), blurred[..., 3]


def even_out(
    image: Float[np.ndarray, "height width 3"],
    changed: Float[np.ndarray, "height width 3"],
    changes: Sequence[Change],
    seconds: Sequence[float],
    middle: int,
    face: Face,
    mask: Float[Array, "size size"],
    layout: UVLayout,
) -> Float[np.ndarray, "height width 3"]:
    """Return a changed frame without what sets it off from its neighbours.

    Args:
        image: the frame, RGB in [0, 1].
        changed: the same with the face changed.
        changes: of consecutive frames, up to `steady.REACH` before and after this one.
        seconds: when these frames are shown.
        middle: which of them is this frame's.
        face: the face.
        mask: what may change, in UV.
        layout: UV layout of the face.
    """
    weights = mean_weights(seconds, middle)
    filled = [changes[0]] * (len(weights) // 2 - middle) + [*changes]
    filled += [changes[-1]] * (len(weights) - len(filled))
    window = cut_edit_window(changed, face, np.asarray(mask))
    # A pixel among changed ones, of which a channel happens to be as it was, is one of them.
    is_other = (changed != image).any(axis=-1).astype(np.uint8)
    closed = cv2.morphologyEx(is_other, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    free = np.repeat(closed[..., None].astype(np.float32), 3, axis=-1)
    is_free = cut_edit_window(free, face, np.asarray(mask)).image
    edited = _evened(window, is_free, filled, weights, face.position_map, layout)
    return paste_window(changed, window, edited)


@jax.jit
def _evened(
    window: Window,
    is_free: Array,
    changes: list[Change],
    weights: Float[Array, " frames"],
    position_map: Array,
    layout: UVLayout,
) -> Float[Array, "rows columns 3"]:
    shares = [weights[k] * weight for k, (_, weight) in enumerate(changes)]
    total = sum(shares, jnp.full_like(shares[0], _LEAST))
    mean = sum(
        (share[..., None] * change for share, (change, _) in zip(shares, changes, strict=True)),
        jnp.zeros_like(changes[0][0]),
    )
    own, weight = changes[len(changes) // 2]
    step = weight[..., None] * (mean / total[..., None] - own)
    coarse = coarse_layout(layout, _TEXELS)
    height, width = window.image.shape[:2]
    drawn, _ = render_texture(
        step,
        pool(position_map, _TEXELS),
        coarse,
        height=height,
        width=width,
        origin=window.origin,
    )
    return jnp.clip(window.image + is_free * drawn, 0.0, 1.0)
