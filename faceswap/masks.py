"""A user's masks: pictures of a photo's size, white where the swap may change pixels."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from jax import Array
from jaxtyping import Bool, Float, UInt8, UInt16
from PIL import Image

from ..core.errors import InputError
from ..core.io.encoding import FORMATS
from ..core.io.images import Photo
from ..core.io.photos import PhotoLike, open_photo
from ..core.levels import quantise

__all__ = ["MaskLike", "as_mask", "masks_in", "read_mask"]

_Levels = UInt8[np.ndarray, "_ _"] | UInt16[np.ndarray, "_ _"]
_Numpy = Float[np.ndarray, "_ _"] | Bool[np.ndarray, "_ _"] | _Levels
_Jax = Float[Array, "_ _"] | Bool[Array, "_ _"]
MaskLike = PhotoLike | _Numpy | _Jax
_ROUNDING = 1e-3  # by which blurred weights may lie beyond 0 and 1


def as_mask(mask: MaskLike) -> PhotoLike:
    """Return a mask as a photo, which records tell by what was given; files and RGB as they are.

    Weights ``[H, W]`` in [0, 1], bools, or levels of 8 or 16 bits become grey. Of pictures alpha
    counts, too.

    Raises:
        InputError: it is no such array, or a damaged picture.
    """
    if isinstance(mask, Image.Image) or (isinstance(mask, Photo) and mask.path is None):
        return _with_alpha_told(open_photo(mask))
    if not isinstance(mask, np.ndarray | Array) or mask.ndim != 2:
        return mask
    weights = np.asarray(mask)
    if not _is_mask(weights):
        need = "need bools, weights [H, W] in [0, 1], or uint8 or uint16 with its white"
        raise InputError(f"a mask of type {weights.dtype}{_span(weights)}; {need}")
    weights = weights.astype(np.float32) if weights.dtype == np.float64 else weights
    grey = np.repeat(weights[..., None], 3, axis=-1)
    photo = open_photo(grey.astype(np.float32) if weights.dtype.kind == "b" else grey)
    return dataclasses.replace(photo, dtype=weights.dtype.name, given=weights)


def _is_mask(weights: np.ndarray) -> bool:
    if weights.dtype.kind != "f":
        return weights.dtype.kind == "b" or weights.dtype in (np.uint8, np.uint16)
    return bool(((weights >= -_ROUNDING) & (weights <= 1.0 + _ROUNDING)).all())


def _span(weights: np.ndarray) -> str:
    is_number = weights.dtype.kind in "iuf" and weights.size
    return f", from {weights.min()} to {weights.max()}" if is_number else ""


def _with_alpha_told(photo: Photo) -> Photo:
    if photo.alpha is None:
        return photo
    values = np.dstack([photo.image, photo.alpha])
    kind = np.dtype(photo.dtype)
    is_exact = kind.kind == "f"
    given = values.astype(kind) if is_exact else quantise(values, bit_depth=8 * kind.itemsize)
    return dataclasses.replace(photo, given=given)


def read_mask(mask: PhotoLike, photo: Photo) -> Float[np.ndarray, "height width"]:
    """Return a mask for a photo, in [0, 1]: white may change, black stays.

    Args:
        mask: file or array; the mean of its RGB counts. Where it has an alpha that varies, what
            is transparent stays, too: RGB times alpha, or alpha alone if RGB is one colour.
        photo: the photo.

    Raises:
        InputError: it cannot be read, or is of another size than the photo.
    """
    opened = open_photo(mask)
    if opened.image.shape != photo.image.shape:
        sizes = f"{opened.width} x {opened.height}, the photo {photo.width} x {photo.height}"
        name = opened.path or "given"
        raise InputError(f"the mask {name} measures {sizes}; make it as large as the photo")
    white, alpha = opened.image.mean(axis=-1), opened.alpha
    if alpha is None or not np.ptp(alpha):
        return white
    return white * alpha if np.ptp(opened.image, axis=(0, 1)).any() else alpha


def masks_in(folder: Path) -> dict[str, Path]:
    """Return stem -> mask of a folder's pictures; of those of one stem the first by name."""
    pictures = [path for path in folder.iterdir() if path.suffix.lower() in FORMATS]
    return {path.stem: path for path in sorted(pictures, reverse=True)}
