"""Textures of a face at any resolution, read from the photo itself."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float

from ..arguments import as_number
from ..geometry.layout import UVLayout
from ..geometry.window import cut_shown_window
from ..types import Face

__all__ = ["as_texture_size", "photo_texture", "resized_visibility"]

_SIZES = (64, 8192)  # texels along one side
_BAND = 512  # rows at a time: bounds the memory of large textures
_FINEST = 1.5  # photo pixels between reads, at most, where a texel spans more: no aliasing
_MARGIN = 16  # pixels around the face: bicubic reads, also where interpolated places overshoot
_MOST = 6  # reads per texel along each side


def as_texture_size(texels: int | None) -> int | None:
    """Return texels along each side of a texture; None stands for those of the layout.

    Raises:
        InputError: it is no whole number, or too small or large.
    """
    if texels is None:
        return None
    return int(as_number("texture size", texels, *_SIZES, is_whole=True))


def photo_texture(
    image: Float[np.ndarray, "height width 3"], face: Face, size: int
) -> Float[np.ndarray, "{size} {size} 3"]:
    """Return the texture of a face, bicubic reads of the photo at ``size`` x ``size`` texels.

    Where a texel spans several photo pixels, several reads are averaged.

    Args:
        image: the photo, RGB in [0, 1]; beyond its border the edge pixels continue.
        face: its position map says where each texel lies; between texels it is interpolated.
        size: texels along each side.
    """
    places = np.ascontiguousarray(np.asarray(face.position_map)[..., :2], dtype=np.float32)
    # OpenCV's remap refuses pictures of 32,767 px or more on a side
    image, origin = cut_shown_window(image, places, margin=_MARGIN)
    places = places - np.asarray(origin, dtype=np.float32)
    reads = _reads_per_texel(places, size)
    fine = cv2.resize(places, (reads * size, reads * size), interpolation=cv2.INTER_CUBIC)
    x, y = fine[..., 0], fine[..., 1]
    bands = []
    for top in range(0, size, _BAND):
        rows = slice(reads * top, reads * (top + _BAND))
        maps = np.ascontiguousarray(x[rows]), np.ascontiguousarray(y[rows])
        band = cv2.remap(image, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        if reads > 1:
            band = cv2.resize(band, (size, len(band) // reads), interpolation=cv2.INTER_AREA)
        bands.append(band)
    return np.clip(np.concatenate(bands), 0.0, 1.0)


def _reads_per_texel(places: Float[np.ndarray, "old old 2"], size: int) -> int:
    """Return how many reads along each side of a texel meet every photo pixel, on the whole."""
    span = float(np.median(np.linalg.norm(np.diff(places, axis=0), axis=-1)))
    return int(np.clip(np.ceil(span * len(places) / size / _FINEST), 1, _MOST))


def resized_visibility(
    face: Face, layout: UVLayout, size: int
) -> Float[np.ndarray, "{size} {size}"]:
    """Return the visibility at ``size`` x ``size`` texels, 0 off the face."""
    seen = np.asarray(face.visibility * layout.mask, dtype=np.float32)
    return np.clip(cv2.resize(seen, (size, size), interpolation=cv2.INTER_LINEAR), 0.0, 1.0)
