"""What a user's mask says of a face: which of its texels are free, and where its colours count."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float

from ..core.geometry.window import cut_window
from ..core.types import Face

__all__ = ["counted_texels", "free_texels"]

_RIM = 2  # texels beside what is left out, whose colours are mixed with its
_ENOUGH = 0.1  # of the skin: a mask of lips or eyes alone does not say that the rest is covered


def free_texels(
    allowed: Float[np.ndarray, "height width"], places: Float[np.ndarray, "size size 2"]
) -> Float[np.ndarray, "size size"]:
    """Return a photo's mask at texels.

    Args:
        allowed: photo pixels that may change, in [0, 1].
        places: where the texels lie, photo pixels.
    """
    window, (left, top) = cut_window(allowed, places)
    x, y = np.moveaxis(places.astype(np.float32) - np.array([left, top], np.float32), -1, 0)
    free = cv2.remap(
        np.ascontiguousarray(window, np.float32),
        np.ascontiguousarray(x),
        np.ascontiguousarray(y),
        interpolation=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(free)


def counted_texels(
    allowed: Float[np.ndarray, "height width"], face: Face, skin: Float[np.ndarray, "size size"]
) -> Float[np.ndarray, "size size"]:
    """Return 1 where a face's skin tells its colours and its light.

    What a user's mask leaves out may be a hand, hair or a microphone. Where it leaves next to
    nothing, all the skin counts.

    Args:
        allowed: photo pixels that may change, in [0, 1].
        face: a face of the photo.
        skin: texels whose colours are compared, in [0, 1].
    """
    free = free_texels(allowed, np.asarray(face.position_map)[..., :2])
    rim = 2 * _RIM + 1
    free = cv2.erode(free, np.ones((rim, rim), np.uint8), borderType=cv2.BORDER_REPLICATE)
    seen = skin * np.asarray(face.self_visibility)
    share = (free * seen).sum() / np.maximum(seen.sum(), 1e-6)
    enough = np.clip(share / _ENOUGH, 0.0, 1.0)
    return np.asarray(1.0 - enough * (1.0 - free), np.float32)
