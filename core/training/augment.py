"""Random crops of pool samples: labels follow the picture exactly.

Everything works on 8-bit pictures with OpenCV, which lets go of Python's lock, so that a few
threads keep a training step fed. Randomness is one `numpy.random.Generator` per sample.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from ..geometry.landmarks import MIRROR_68
from ..network.inference import HEAD_SIZE
from .config import AugmentConfig
from .pool import Sample
from .spoil import spoil

__all__ = ["Crop", "augment", "random_affine", "transform_labels", "upright_crop"]

SIZE = 256
_BORDERS = (cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101, cv2.BORDER_CONSTANT)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Crop:
    """A 256 x 256 network input with its labels, in crop pixels."""

    image: np.ndarray  # [256, 256, 3] uint8 RGB
    control: np.ndarray  # [n, n, 3] float32
    landmarks: np.ndarray  # [68, 3] float32
    mask: np.ndarray  # [128, 128] uint8 over the crop: 255 where the head itself is seen


def _affine(
    size: int, roll: float, scale: float, shift: np.ndarray, is_mirrored: bool
) -> np.ndarray:
    """Return ``[2, 3]``: picture pixel -> crop pixel; both middles are pixel centres."""
    cos, sin = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    linear = scale * np.array([[cos, -sin], [sin, cos]])
    if is_mirrored:
        linear = linear @ np.diag([-1.0, 1.0])
    middle = np.full(2, (size - 1) / 2)
    offset = (SIZE - 1) / 2 + shift - linear @ middle
    return np.concatenate([linear, offset[:, None]], axis=1)


def _random_roll(rng: np.random.Generator, config: AugmentConfig) -> float:
    """Draw how far the head is turned in the crop, degrees clockwise."""
    kind = rng.random()
    if kind < config.p_any_roll:
        return float(rng.uniform(-180.0, 180.0))
    is_tilted = kind < config.p_any_roll + config.p_tilted
    return float(rng.normal(0.0, config.tilted_sigma if is_tilted else config.roll_sigma))


def random_affine(
    rng: np.random.Generator, size: int, config: AugmentConfig, *, roll: float
) -> Float[np.ndarray, "2 3"]:
    """Draw a similarity, possibly mirrored: pool picture pixels to crop pixels.

    Args:
        rng: random numbers.
        size: side of the picture, pixels.
        config: how far crops are moved.
        roll: of the head in the picture, degrees clockwise.
    """
    is_mirrored = bool(rng.random() < config.p_mirror)
    turn = _random_roll(rng, config) + (roll if is_mirrored else -roll)
    scale = float(np.clip(np.exp(rng.normal(0.0, config.scale_sigma)), 0.83, 1.22))
    shift = np.clip(rng.normal(0.0, config.shift_sigma, 2), -0.1, 0.1) * SIZE
    return _affine(size, turn, scale, shift, is_mirrored)


def transform_labels(
    control: Float[np.ndarray, "n n 3"],
    landmarks: Float[np.ndarray, "68 3"],
    affine: Float[np.ndarray, "2 3"],
) -> tuple[Float[np.ndarray, "n n 3"], Float[np.ndarray, "68 3"]]:
    """Carry labels along with the picture; a mirrored face exchanges its sides.

    Splines are affine invariant, so that control points move like any other points; z is scaled.
    """
    determinant = float(np.linalg.det(affine[:, :2]))
    scale = abs(determinant) ** 0.5

    def move(points: np.ndarray) -> np.ndarray:
        linear = np.diag([0.0, 0.0, scale]).astype(np.float32)
        linear[:2, :2] = affine[:, :2]
        offset = np.array([*affine[:, 2], 0.0], np.float32)
        return (points.reshape(-1, 3) @ linear.T + offset).reshape(points.shape)

    control, landmarks = move(control), move(landmarks)
    if determinant < 0.0:
        control, landmarks = control[:, ::-1].copy(), landmarks[MIRROR_68]
    return control, landmarks


def _warp(
    rng: np.random.Generator | None, image: UInt8[np.ndarray, "h w 3"], affine: np.ndarray
) -> UInt8[np.ndarray, "256 256 3"]:
    border, colour = cv2.BORDER_REPLICATE, (0.0, 0.0, 0.0)
    if rng is not None:
        border = _BORDERS[rng.choice(3, p=[0.45, 0.4, 0.15])]
        grey = float(rng.integers(0, 256)) if rng.random() < 0.3 else 0.0
        colour = (grey, grey, grey)
    return cv2.warpAffine(
        image, affine, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=colour
    )


def _warp_mask(
    mask: UInt8[np.ndarray, "m m"], affine: np.ndarray, size: int
) -> UInt8[np.ndarray, "128 128"]:
    """Carry a mask of a picture of ``size`` pixels along; both have other resolutions."""
    times, share = size / mask.shape[0], HEAD_SIZE / SIZE
    linear = affine[:, :2] * times * share
    # Pixel centres: picture = times (m + 0.5) - 0.5, mask of the crop = share (c + 0.5) - 0.5.
    middle = affine[:, :2] @ np.full(2, 0.5 * times - 0.5) + affine[:, 2]
    offset = share * (middle + 0.5) - 0.5
    moved = np.concatenate([linear, offset[:, None]], axis=1)
    return cv2.warpAffine(mask, moved, (HEAD_SIZE, HEAD_SIZE), flags=cv2.INTER_LINEAR)


def _place(
    rng: np.random.Generator | None, sample: Sample, affine: Float[np.ndarray, "2 3"]
) -> Crop:
    """Return the crop that a similarity cuts, with its labels."""
    control, landmarks = transform_labels(sample.control, sample.landmarks, affine)
    return Crop(
        image=_warp(rng, sample.image, affine),
        control=control,
        landmarks=landmarks,
        mask=_warp_mask(sample.mask, affine, sample.image.shape[0]),
    )


def augment(rng: np.random.Generator, sample: Sample, config: AugmentConfig) -> Crop:
    """Return a moved, recoloured and spoilt crop of a sample, with its labels."""
    crop = _place(rng, sample, random_affine(rng, sample.image.shape[0], config, roll=sample.roll))
    image, mask = spoil(rng, crop.image, crop.mask, config)
    return dataclasses.replace(crop, image=image, mask=mask)


def upright_crop(sample: Sample) -> Crop:
    """Return the ideal crop of a sample, for validation: its head turned upright."""
    affine = _affine(sample.image.shape[0], -sample.roll, 1.0, np.zeros(2), False)
    return _place(None, sample, affine)
