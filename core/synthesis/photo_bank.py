"""Skins taken from photos, completed: what no photo shows is filled from a painted skin.

A painted skin of a similar tone is brought to the photo's colours by a smooth gain, so that no
border shows where the photo ends.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np

from ..errors import InputError
from ..io.arrays import open_arrays
from .atlas import FACE_SIZE

__all__ = ["PhotoSkins", "complete_photo_skins", "mean_colors"]

_SMALL = 96  # the gain is smooth: it is computed on a small picture
_SOFT_EDGE = 5.0  # texels: the photo fades out inside its own edge
_RIM = 4  # texels of the small picture
# Cheeks beside the nose (rows, columns of the tile): their mean colour is a skin's tone.
_CHEEKS = ((slice(140, 190), slice(100, 150)), (slice(140, 190), slice(234, 284)))


@dataclasses.dataclass(frozen=True, kw_only=True)
class PhotoSkins:
    """Completed skins of P photos."""

    faces: np.ndarray  # [P, S, S, 3] uint8
    bases: np.ndarray  # [P] int32, the painted skin that completes each
    rims: np.ndarray  # [P, 3], gain of the painted skin (squared colours) at the tile's rim


def _square(image: np.ndarray) -> np.ndarray:
    return (image.astype(np.float32) / 255) ** 2


def mean_colors(faces: np.ndarray) -> np.ndarray:
    """Return the mean squared colour of the cheeks of face tiles ``[N, S, S, 3]``: ``[N, 3]``."""
    means = [_square(faces[:, rows, columns]).mean(axis=(1, 2)) for rows, columns in _CHEEKS]
    return np.asarray((means[0] + means[1]) / 2, np.float32)


def _small(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)


def _complete(
    photo: np.ndarray, mask: np.ndarray, base: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the completed skin (uint8) and the gain at the rim ``[3]``."""
    wide = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), _SOFT_EDGE)
    share = np.minimum(mask.astype(np.float32) / 255, np.clip(2.0 * wide - 1.0, 0.0, 1.0))
    share = share[..., None]
    known, painted = _square(photo), _square(base)
    weight = _small(share)[..., None]
    above = _small(share * known)
    below = _small(share * painted)
    gain = np.zeros((_SMALL, _SMALL, 3), np.float32)
    total = np.zeros((_SMALL, _SMALL, 1), np.float32)
    # Not too near: the edge of a photo's skin is often darkened by its light or a beard.
    for sigma, trust in ((8.0, 1.0), (30.0, 0.5)):
        blurred = [cv2.GaussianBlur(values, (0, 0), sigma) for values in (above, below)]
        amount = trust * cv2.GaussianBlur(weight, (0, 0), sigma)[..., None]
        gain += amount * blurred[0] / np.maximum(blurred[1], 1e-6)
        total += amount
    gain = np.clip(gain / np.maximum(total, 1e-9), 0.1, 10.0)
    side = photo.shape[0]
    fill = painted * cv2.resize(gain, (side, side), interpolation=cv2.INTER_LINEAR)
    mixed = np.sqrt(np.clip(share * known + (1.0 - share) * fill, 0.0, 1.0))
    border = np.ones((_SMALL, _SMALL), bool)
    border[_RIM:-_RIM, _RIM:-_RIM] = False
    return np.round(mixed * 255).astype(np.uint8), gain[border].mean(axis=0)


def complete_photo_skins(folder: Path | None, painted: np.ndarray) -> PhotoSkins:
    """Read skins from photos and complete them.

    Args:
        folder: folder with ``skins.npz`` (``face`` ``[P, H, W, 3]``, ``mask`` ``[P, H, W]``
            confidence, uint8), or None for no such skins.
        painted: painted skins ``[N, S, S, 3]``.
    """
    if folder is None:
        empty = np.zeros((0, FACE_SIZE, FACE_SIZE, 3), np.uint8)
        return PhotoSkins(
            faces=empty, bases=np.zeros(0, np.int32), rims=np.zeros((0, 3), np.float32)
        )
    path = folder / "skins.npz"
    if not path.is_file():
        raise InputError(f"no skins.npz in {folder}; make it by photo fitting or leave it out")
    shape = (FACE_SIZE, FACE_SIZE)
    with open_arrays(path) as stored:
        photos = [cv2.resize(f, shape, interpolation=cv2.INTER_AREA) for f in stored["face"]]
        masks = [cv2.resize(m, shape, interpolation=cv2.INTER_AREA) for m in stored["mask"]]
    tones = np.log(mean_colors(painted) + 1e-3)
    faces, bases, rims = [], [], []
    for photo, mask in zip(photos, masks, strict=True):
        tone = np.log(mean_colors(photo[None]) + 1e-3)
        base = int(np.abs(tones - tone).sum(axis=1).argmin())
        face, rim = _complete(photo, mask, painted[base])
        faces.append(face)
        bases.append(base)
        rims.append(rim)
    return PhotoSkins(
        faces=np.stack(faces),
        bases=np.array(bases, np.int32),
        rims=np.array(rims, np.float32),
    )
