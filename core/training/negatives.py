"""Crops that show no whole face, for the confidence: they carry no labels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from ..errors import InputError

__all__ = ["FACELESS", "faceless_crop", "read_pictures"]

FACELESS = {  # what the pictures add to the data of weights
    "data": "pictures without faces",
    "licences": {"pictures given to uvface train --negatives": "not stated"},
}
SIZE = 256
_SUFFIXES = {".jpg", ".jpeg"}
_LEAST = 64  # pixels of a picture's shorter side: less is blown up to nothing but a blur
Image = UInt8[np.ndarray, "h w 3"]
Crop = UInt8[np.ndarray, "256 256 3"]


def read_pictures(folder: Path) -> list[np.ndarray]:
    """Return the JPEG pictures of a folder, ``[H, W, 3]`` uint8 RGB; they must show no face.

    All are kept in memory, and so shrunk until the shorter side has 1,024 pixels: the smallest
    piece that is shown is a quarter of it, a crop's size. Those below 64 pixels are left out.
    """
    files = sorted(f for f in Path(folder).glob("*") if f.suffix.lower() in _SUFFIXES)
    pictures = [picture for file in files if (picture := _read(file)) is not None]
    if not pictures:
        raise InputError(
            f"no JPEG picture of {_LEAST} pixels or more in {folder}; "
            "give a folder of pictures without faces"
        )
    return pictures


def _read(path: Path) -> Image | None:
    """Return a picture, shrunk; None where it cannot be read or is too small to be cut."""
    picture = cv2.imread(str(path))
    if picture is None or min(picture.shape[:2]) < _LEAST:
        return None
    scale = 4 * SIZE / min(picture.shape[:2])
    if scale < 1.0:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(picture[..., ::-1], np.uint8)


def faceless_crop(rng: np.random.Generator, image: Image, pictures: list[np.ndarray]) -> Crop:
    """Return a crop without a whole face.

    Args:
        rng: random numbers.
        image: a picture whose middle shows a face: pieces of it show hair, skin, one eye, cloth.
        pictures: pictures without faces; may be empty.
    """
    kind = rng.random()
    if pictures and kind < 0.4:
        return _patch(rng, pictures[int(rng.integers(len(pictures)))], 0.25, 1.0)
    if kind < 0.65:
        return _patch(rng, image, 0.1, 0.3)
    if kind < 0.85:
        return _corner(rng, image)
    if kind < 0.95:
        return _shuffled(rng, image)
    return _plain(rng)


def _patch(rng: np.random.Generator, image: Image, low: float, high: float) -> Crop:
    """Return a square piece, blown up; ``low`` and ``high`` are shares of the picture's side."""
    side = int(min(image.shape[:2]) * rng.uniform(low, high))
    top = int(rng.integers(0, image.shape[0] - side + 1))
    left = int(rng.integers(0, image.shape[1] - side + 1))
    piece = np.ascontiguousarray(image[top : top + side, left : left + side])
    return np.asarray(cv2.resize(piece, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR))


def _corner(rng: np.random.Generator, image: Image) -> Crop:
    """Return a crop of usual size that is shifted so far that at most a quarter shows the face."""
    size = image.shape[0]
    angle, far = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(0.5, 0.75) * size
    shift = far * np.array([np.cos(angle), np.sin(angle)])
    scale = float(np.exp(rng.normal(0.0, 0.2)))
    offset = (SIZE - 1) / 2 + shift - scale * (size - 1) / 2
    affine = np.array([[scale, 0.0, offset[0]], [0.0, scale, offset[1]]])
    # Never reflected: a mirrored face must not come in from the other side.
    mode = cv2.BORDER_REPLICATE if rng.random() < 0.5 else cv2.BORDER_CONSTANT
    return np.asarray(
        cv2.warpAffine(image, affine, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=mode)
    )


def _shuffled(rng: np.random.Generator, image: Image) -> Crop:
    """Return the middle of the picture cut into squares that are laid out anew."""
    count = int(rng.integers(3, 6))
    middle = cv2.resize(image, (count * 64, count * 64), interpolation=cv2.INTER_AREA)
    cells = middle.reshape(count, 64, count, 64, 3).swapaxes(1, 2).reshape(-1, 64, 64, 3)
    cells = rng.permutation(cells).reshape(count, count, 64, 64, 3)
    mixed = np.ascontiguousarray(cells.swapaxes(1, 2).reshape(count * 64, count * 64, 3))
    return np.asarray(cv2.resize(mixed, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR))


def _plain(rng: np.random.Generator) -> Crop:
    """Return noise of some grain, or one colour."""
    cells = int(rng.integers(1, 40))
    noise = rng.integers(0, 256, (cells, cells, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(noise, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR))
