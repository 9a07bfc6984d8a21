"""Bank of source pictures: skins, brows, eyes, teeth, backgrounds, light; read once on the host.

The folder has the layout of the data pack (``skins/``, ``parts/``, ``hdri/``, ``backgrounds/``).
What is missing is replaced by something procedural, so that a head model alone is enough.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..errors import InputError
from ..geometry.harmonics import CONSTANT
from ..io.arrays import open_arrays
from .atlas import FACE_SIZE, HEAD_SIZE, SMALL_SIZE
from .photo_bank import complete_photo_skins, mean_colors

__all__ = ["Bank", "load_bank"]

BACKDROP_SIZE = 400


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Bank:
    """Source pictures, uint8 sRGB in planes (what is drawn on one atlas) unless said otherwise."""

    faces: Array  # [N, 3, 384, 384] skins, tile of the face
    heads: Array  # [N, 3, 192, 192] skins, tile of the back of the head
    face_means: Array  # [N, 3] float, squared values: mean colour of the cheeks
    photo_faces: Array  # [P, 3, 384, 384] skins taken from photos, completed
    photo_means: Array  # [P, 3] float
    photo_bases: Array  # [P] int32, the skin that completes each
    photo_rims: Array  # [P, 3] float, gain of that skin's squared colours at the tile's rim
    brows: Array  # [K, 384, 384] alpha
    eyes: Array  # [K, 3, 96, 96]
    eye_weights: Array  # [2, K] float: probabilities with light and with dark skin
    teeth: Array  # [3, 96, 96]
    gums: Array  # [3, 96, 96]
    irradiance: Array  # [L, 9, 3] float, irradiance over pi
    backdrops: Array  # [M, 400, 400, 3], interleaved, each picture sharp and in several blurs
    noise: Array  # [4, 512, 512] float, N(0, 1): fine, medium, coarse, very coarse; tiles


def _read(path: Path, size: int) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"cannot read the picture {path}; take the file again from its source")
    mode = cv2.INTER_AREA if image.shape[0] > size else cv2.INTER_CUBIC
    resized = cv2.resize(image, (size, size), interpolation=mode)
    return np.ascontiguousarray(resized[..., ::-1])


def _stack(paths: list[Path], size: int, default: np.ndarray) -> np.ndarray:
    return np.stack([_read(path, size) for path in paths] or [default])


def _plain(size: int, color: tuple[int, int, int]) -> np.ndarray:
    return np.broadcast_to(np.array(color, np.uint8), (size, size, 3)).copy()


def _plain_eye() -> np.ndarray:
    row, column = np.mgrid[:SMALL_SIZE, :SMALL_SIZE] / SMALL_SIZE - 0.5
    radius = np.hypot(row, column)[..., None]
    white, iris, pupil = np.array([225, 218, 212]), np.array([90, 60, 40]), np.array([10, 8, 8])
    eye = np.where(radius < 0.13, iris, white)
    return np.where(radius < 0.05, pupil, eye).astype(np.uint8)


def _eye_weights(eyes: np.ndarray) -> np.ndarray:
    """Return how probable each eye is: brown ones everywhere, light ones with light skin."""
    radius = np.hypot(*(np.mgrid[:SMALL_SIZE, :SMALL_SIZE] / SMALL_SIZE - 0.5))
    iris = eyes[:, (radius > 0.07) & (radius < 0.12)].astype(np.float32).mean(axis=1)
    is_brown = iris[:, 0] > iris[:, 2] + 15
    is_violet = iris[:, 2] > iris[:, 1] + 25
    light = np.where(is_brown, 1.0, np.where(is_violet, 0.05, 0.35))
    dark = np.where(is_brown, 1.0, 0.02)
    weights = np.stack([light, dark])
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _noise(seed: int = 7, size: int = 512) -> np.ndarray:
    generator = np.random.default_rng(seed)
    layers = []
    for blur in (0.0, 2.0, 10.0, 40.0):
        white = np.asarray(generator.standard_normal((size, size)), np.float32)
        if blur:
            wrapped = np.pad(white, 128, mode="wrap")
            blurred = cv2.GaussianBlur(wrapped, (0, 0), blur)
            white = np.asarray(blurred[128:-128, 128:-128], np.float32)
        layers.append(white / white.std())
    return np.stack(layers)


def _brows(folder: Path) -> np.ndarray:
    index = folder / "brows.json"
    if not index.is_file():
        return np.zeros((1, FACE_SIZE, FACE_SIZE), np.uint8)
    try:
        where = json.loads(index.read_text())
        (top, bottom), (left, right) = where["rect_rows"], where["rect_cols"]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"cannot read where the brows lie, {index} ({error}); take it again from its source"
        ) from error
    stack = []
    for path in sorted(folder.glob("*.png")):
        rgba = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if rgba is None:
            raise InputError(f"cannot read the brows {path}; take the file again from its source")
        full = np.zeros((1024, 1024), np.uint8)
        full[top:bottom, left:right] = rgba[..., 3]
        stack.append(cv2.resize(full, (FACE_SIZE, FACE_SIZE), interpolation=cv2.INTER_AREA))
    return np.stack(stack)


def _irradiance(folder: Path) -> np.ndarray:
    path = folder / "hdri_sh9.npz"
    if path.is_file():
        with open_arrays(path) as stored:
            return (stored["irradiance_sh"] / np.pi).astype(np.float32)
    generator = np.random.default_rng(11)
    light = 0.25 * generator.standard_normal((32, 9, 1)) * np.array([1.0] * 4 + [0.4] * 5)[:, None]
    light = light * np.ones(3) + 0.03 * generator.standard_normal((32, 9, 3))
    light[:, 0] = 1 / CONSTANT
    light[:, 1] += 0.4
    return light.astype(np.float32)


def _blur(picture: np.ndarray, shrink: int) -> np.ndarray:
    """Blur by about ``shrink`` pixels: a small picture, smoothly enlarged."""
    side = picture.shape[0]
    small = cv2.resize(picture, (side // shrink,) * 2, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 0.8)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)


def _backdrops(folder: Path) -> np.ndarray:
    paths = sorted((folder / "images").glob("*.jpg")) or sorted(folder.glob("*.jpg"))
    if paths:
        sharp = [_read(path, BACKDROP_SIZE) for path in paths]
        blurred = [_blur(picture, shrink) for shrink in (2, 5, 12) for picture in sharp]
        return np.stack([*sharp, *blurred])
    generator = np.random.default_rng(13)
    small = generator.integers(0, 255, (16, 5, 5, 3)).astype(np.uint8)
    shape = (BACKDROP_SIZE, BACKDROP_SIZE)
    return np.stack([cv2.resize(s, shape, interpolation=cv2.INTER_CUBIC) for s in small])


def load_bank(folder: Path | None, *, photo_skins: Path | None = None) -> Bank:
    """Read the source pictures.

    Args:
        folder: data-pack folder, or None for procedural stand-ins only.
        photo_skins: folder with ``skins.npz`` made from photos, or None.
    """
    folder = folder or Path("/nonexistent")
    skins, parts = folder / "skins", folder / "parts"
    names = sorted(path.name.removesuffix("_face.jpg") for path in skins.glob("*_face.jpg"))
    skin = _plain(FACE_SIZE, (205, 160, 135))
    faces = _stack([skins / f"{name}_face.jpg" for name in names], FACE_SIZE, skin)
    heads = _stack(
        [skins / f"{name}_head.jpg" for name in names], HEAD_SIZE, skin[:HEAD_SIZE, :HEAD_SIZE]
    )
    teeth, gums = parts / "mouth" / "ict_teeth.jpg", parts / "mouth" / "ict_gums_tongue.jpg"
    small = SMALL_SIZE
    eyes = _stack(sorted((parts / "eyes").glob("*.jpg")), small, _plain_eye())
    photos = complete_photo_skins(photo_skins, faces)
    arrays = {
        "faces": faces,
        "heads": heads,
        "face_means": mean_colors(faces),
        "photo_faces": photos.faces,
        "photo_means": mean_colors(photos.faces),
        "photo_bases": photos.bases,
        "photo_rims": photos.rims,
        "brows": _brows(parts / "brows"),
        "eyes": eyes,
        "eye_weights": _eye_weights(eyes),
        "teeth": _read(teeth, small) if teeth.is_file() else _plain(small, (215, 205, 190)),
        "gums": _read(gums, small) if gums.is_file() else _plain(small, (150, 70, 70)),
        "irradiance": _irradiance(folder / "hdri"),
        "backdrops": _backdrops(folder / "backgrounds"),
        "noise": _noise(),
    }
    for name in ("faces", "heads", "photo_faces", "eyes", "teeth", "gums"):
        arrays[name] = np.ascontiguousarray(np.moveaxis(arrays[name], -1, -3))
    return Bank(**{name: jnp.asarray(value) for name, value in arrays.items()})
