"""The colours of a whole face, of which one photo shows a part.

What is not seen is taken from the other side, in the light of this one, or continued smoothly.
"""

from __future__ import annotations

import cv2
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..geometry.layout import UVLayout
from .skin_texture import filled

__all__ = ["complete_colors"]

_MIRROR_TRUST = 0.7  # of the other side's colours
_RATIO_BLUR = 10.0  # texels of 256: what light changes over
_MOST_RATIO = 1.2  # of the light on both sides, as a logarithm
_DARK = 0.05  # of the colours' range: darker colours tell little of light
_LEAST_TRUST = 0.3  # from which on colours are continued where nothing is seen


def complete_colors(
    image: Float[np.ndarray, "n n 3"],
    position_map: Float[np.ndarray, "s s 3"],
    trust: Float[np.ndarray, "s s"],
    layout: UVLayout,
) -> Float[np.ndarray, "s s 3"]:
    """Return colours of all texels of a face.

    Args:
        image: RGB in [0, 1].
        position_map: of the face, pixels of the image.
        trust: 1 where the image shows the texel.
        layout: UV layout of the map.
    """
    x, y = np.moveaxis(position_map[..., :2].astype(np.float32), -1, 0)
    colors = cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    colors = np.clip(colors, 0.0, 1.0)  # cubic curves overshoot; a ratio needs what is not negative
    both = np.concatenate([colors, trust[..., None]], axis=-1)
    other = np.asarray(layout.mirror(jnp.asarray(both, jnp.float32)))
    share = _MIRROR_TRUST * (1.0 - trust) * other[..., 3]
    weight = trust + share
    beside = other[..., :3] * _light_ratio(colors, other[..., :3], trust * other[..., 3])
    mixed = trust[..., None] * colors + share[..., None] * beside
    mixed = mixed / np.maximum(weight, 1e-6)[..., None]
    # What is hardly trusted may show the wall: it must not spread.
    known = np.clip((weight - _LEAST_TRUST) / (1.0 - _LEAST_TRUST), 1e-6, 1.0)
    return np.clip(filled(mixed.astype(np.float32), known.astype(np.float32)), 0.0, 1.0)


def _light_ratio(
    colors: Float[np.ndarray, "s s 3"],
    other: Float[np.ndarray, "s s 3"],
    weight: Float[np.ndarray, "s s"],
) -> Float[np.ndarray, "s s 3"]:
    """Return the light on one side of the face over that on the other, smooth, where unseen too.

    Args:
        colors: of one side.
        other: of the other side, mirrored.
        weight: 1 where both are seen.
    """
    ratio = np.log((colors + _DARK) / (other + _DARK)).astype(np.float32)
    ratio = np.clip(ratio, -_MOST_RATIO, _MOST_RATIO) * weight[..., None]
    both = np.concatenate([ratio, weight[..., None]], axis=-1).astype(np.float32)
    blurred = np.asarray(cv2.GaussianBlur(both, (0, 0), _RATIO_BLUR * len(colors) / 256))
    near = blurred[..., 3]
    smooth = blurred[..., :3] / np.maximum(near, 1e-4)[..., None]
    return np.exp(filled(smooth, np.clip(2.0 * near, 1e-6, 1.0).astype(np.float32)))
