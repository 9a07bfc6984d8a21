"""What callers give as a photo: a file, an array, or a picture of Pillow."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jax import Array
from jaxtyping import Float, UInt8, UInt16
from PIL import Image

from ..errors import InputError
from ..levels import quantise
from .images import Photo, photo_from_picture, read_photo

__all__ = [
    "Origin",
    "PhotoLike",
    "Photos",
    "array_record",
    "as_rgb",
    "open_photo",
    "photo_list",
    "photo_origin",
    "photo_path",
]

# Arrays: sizes of their own.
_Numpy = Float[np.ndarray, "_ _ 3"] | UInt8[np.ndarray, "_ _ 3"] | UInt16[np.ndarray, "_ _ 3"]
_Jax = Float[Array, "_ _ 3"] | UInt8[Array, "_ _ 3"] | UInt16[Array, "_ _ 3"]
PhotoLike = str | Path | Photo | Image.Image | _Numpy | _Jax
Photos = PhotoLike | Sequence[PhotoLike]
Origin = Path | Photo  # what something was made of: a file, or a photo that came from none

_KEPT_TYPES = ("uint8", "uint16", "float16", "float32")  # float32 holds all of their values
_ROUNDING = 1e-3  # by which floats may leave [0, 1]
_ONE = (str, os.PathLike, Photo, Image.Image, np.ndarray, Array)


def open_photo(photo: PhotoLike) -> Photo:
    """Read a file, or wrap RGB ``[H, W, 3]`` (floats in [0, 1], uint8, uint16) or a picture.

    A picture of Pillow is turned upright by its Exif; alpha, profile and Exif are kept.

    Raises:
        InputError: the file cannot be read, or this is no such photo.
    """
    if isinstance(photo, Photo):
        return photo
    if isinstance(photo, Image.Image):
        return photo_from_picture(photo)
    if isinstance(photo, str | os.PathLike):
        return read_photo(photo)
    if not isinstance(photo, np.ndarray | Array):
        raise InputError(_no_photo(photo))
    given = np.asarray(photo)
    dtype = given.dtype.name if given.dtype.name in _KEPT_TYPES else "float32"
    return Photo(image=as_rgb(given).astype(np.float32), dtype=dtype)


def photo_list(photos: Photos) -> tuple[PhotoLike, ...]:
    """Return one photo or several as several.

    Raises:
        InputError: it is neither.
    """
    if isinstance(photos, _ONE):
        return (photos,)
    if not isinstance(photos, Sequence):
        raise InputError(_no_photo(photos))
    return tuple(photos)


def photo_path(photo: PhotoLike) -> Path | None:
    """Return the file that a photo is, or was read from; None without one."""
    if isinstance(photo, Photo):
        return photo.path
    return Path(photo) if isinstance(photo, str | os.PathLike) else None


def photo_origin(photo: PhotoLike) -> Origin:
    """Return the file that a photo is, or was read from; without one the photo."""
    return photo_path(photo) or open_photo(photo)


def array_record(photo: Photo) -> dict[str, Any]:
    """Return what tells an array from others, for records: its size, its type and a SHA-256.

    The hash is of the bytes of RGB ``[H, W, 3]`` of that type, row by row, as the array had them
    (64-bit floats count as the float32 that they are read as; a picture of Pillow as its values,
    upright). Alpha does not count. Of what was given as something else than RGB, as masks are, it
    is of that: ``Photo.given``.
    """
    kind = np.dtype(photo.dtype)
    if photo.given is not None:
        pixels = photo.given
    elif kind.kind == "f":
        pixels = photo.image.astype(kind)
    else:
        pixels = quantise(photo.image, bit_depth=8 * kind.itemsize)
    return {
        "sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        "array": {"width": photo.width, "height": photo.height, "dtype": photo.dtype},
    }


def _no_photo(given: Any) -> str:
    need = "need one file, RGB of shape [H, W, 3], or a picture of Pillow"
    return f"a value of type {type(given).__name__} is no photo; {need}"


def as_rgb(image: np.ndarray) -> Float[np.ndarray, "height width 3"]:
    """Return an array as RGB in [0, 1].

    Args:
        image: ``[H, W, 3]``: floats in [0, 1], uint8 or uint16. Of other whole numbers nobody
            knows what white is.

    Raises:
        InputError: the array has another shape, type or range, or is not finite.
    """
    is_whole = image.dtype in (np.uint8, np.uint16)
    if image.ndim != 3 or image.shape[2] != 3 or not (is_whole or image.dtype.kind == "f"):
        raise InputError(
            f"an array of shape {image.shape} and type {image.dtype} is no photo; need RGB of "
            "shape [H, W, 3]: uint8 or uint16, or floats in [0, 1], that is divided by the white"
        )
    if is_whole:
        return image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    low, high = image.min(initial=0.0), image.max(initial=0.0)  # NaN if any number is
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError(
            "the array is not finite everywhere (NaN or inf); a photo is floats in [0, 1]"
        )
    if low < -_ROUNDING or high > 1.0 + _ROUNDING:
        raise InputError(
            f"an array of floats from {low:g} to {high:g} is no photo; divide it by its white "
            "for floats in [0, 1], or give uint8 or uint16"
        )
    return image
