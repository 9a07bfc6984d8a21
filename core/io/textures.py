"""Textures of a face at any resolution, read from the photo itself."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float

from ..geometry.layout import UVLayout
from ..types import Face

__all__ = ["photo_texture", "resized_visibility"]

_BAND = 512  # rows at a time: bounds the memory of large textures


def photo_texture(
    image: Float[np.ndarray, "height width 3"], face: Face, size: int
) -> Float[np.ndarray, "{size} {size} 3"]:
    """Return the texture of a face, bicubic reads of the photo at ``size`` x ``size`` texels.

    Args:
        image: the photo, RGB in [0, 1]; beyond its border the edge pixels continue.
        face: its position map says where each texel lies; between texels it is interpolated.
        size: texels along each side.
    """
    places = np.ascontiguousarray(np.asarray(face.position_map)[..., :2], dtype=np.float32)
    fine = cv2.resize(places, (size, size), interpolation=cv2.INTER_CUBIC)
    x, y = fine[..., 0], fine[..., 1]
    bands = []
    for top in range(0, size, _BAND):
        rows = slice(top, top + _BAND)
        maps = np.ascontiguousarray(x[rows]), np.ascontiguousarray(y[rows])
        bands.append(cv2.remap(image, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
    return np.clip(np.concatenate(bands), 0.0, 1.0)


def resized_visibility(
    face: Face, layout: UVLayout, size: int
) -> Float[np.ndarray, "{size} {size}"]:
    """Return the visibility at ``size`` x ``size`` texels, 0 off the face."""
    seen = np.asarray(face.visibility * layout.mask, dtype=np.float32)
    return np.clip(cv2.resize(seen, (size, size), interpolation=cv2.INTER_LINEAR), 0.0, 1.0)
