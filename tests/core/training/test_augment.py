import dataclasses

import cv2
import numpy as np
import pytest

from uvface.core.geometry.landmarks import MIRROR_68
from uvface.core.training.augment import augment, central_crop, random_affine, transform_labels
from uvface.core.training.config import AugmentConfig
from uvface.core.training.loss import make_reading
from uvface.core.training.pool import Pool, Sample
from uvface.core.training.spoil import spoil

MOVE_ONLY = AugmentConfig(
    p_gray=0.0, p_colour=0.0, p_shade=0.0, p_occluder=0.0, p_blur=0.0, p_low_resolution=0.0,
    p_noise=0.0, p_jpeg=0.0, p_frame=0.0, p_any_roll=0.5,
)  # fmt: skip


def _dot_sample(k: int, rng: np.random.Generator) -> Sample:
    """A black picture with one white dot at landmark k."""
    landmarks = rng.uniform(110, 210, (68, 3)).astype(np.float32)
    image = np.zeros((320, 320, 3), np.uint8)
    x, y = landmarks[k, :2]
    cv2.circle(image, (round(x * 16), round(y * 16)), 5 * 16, (255, 255, 255), -1, cv2.LINE_AA, 4)
    control = np.zeros((64, 64, 3), np.float32)
    return Sample(image=image, control=control, landmarks=landmarks, angles=np.zeros(3))


def _centre(image: np.ndarray) -> np.ndarray:
    weight = image[..., 0].astype(np.float64)
    y, x = np.mgrid[: weight.shape[0], : weight.shape[1]]
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


@pytest.mark.parametrize("p_mirror", [0.0, 1.0])
@pytest.mark.parametrize("k", [0, 8, 36, 54])
def test_labels_follow_the_picture(k, p_mirror):
    config = dataclasses.replace(MOVE_ONLY, p_mirror=p_mirror)
    sample = _dot_sample(k, np.random.default_rng(k))
    for seed in range(4):
        crop = augment(np.random.default_rng(seed), sample, config)
        place = MIRROR_68[k] if p_mirror else k
        np.testing.assert_allclose(_centre(crop.image), crop.landmarks[place, :2], atol=0.1)


def test_control_maps_and_landmarks_move_together(toy_pool, layout):
    """Also when mirrored: landmarks read from the moved map are the moved landmarks."""
    matrix = np.asarray(make_reading(layout).landmark_matrix)
    pool = Pool(toy_pool)
    for seed in range(6):
        crop = augment(np.random.default_rng(seed), pool.sample(seed), MOVE_ONLY)
        read = matrix @ crop.control.reshape(-1, 3)
        assert np.abs(read - crop.landmarks).mean() < 0.3
        assert np.abs(read - crop.landmarks).max() < 2.0


def test_central_crop_is_the_middle_of_the_picture(toy_pool):
    sample = Pool(toy_pool).sample(2)
    crop = central_crop(sample)
    np.testing.assert_array_equal(crop.image, sample.image[32:-32, 32:-32])
    np.testing.assert_allclose(crop.landmarks[:, :2], sample.landmarks[:, :2] - 32, atol=1e-4)


def test_mirroring_twice_is_the_identity():
    rng = np.random.default_rng(0)
    control = rng.normal(size=(64, 64, 3)).astype(np.float32)
    landmarks = rng.normal(size=(68, 3)).astype(np.float32)
    mirror = np.array([[-1.0, 0.0, 255.0], [0.0, 1.0, 0.0]])
    back = transform_labels(*transform_labels(control, landmarks, mirror), mirror)
    np.testing.assert_allclose(back[0], control, atol=1e-4)
    np.testing.assert_allclose(back[1], landmarks, atol=1e-4)


def test_affine_is_a_similarity_within_limits():
    for seed in range(50):
        affine = random_affine(np.random.default_rng(seed), 320, AugmentConfig())
        linear = affine[:, :2]
        scale = abs(np.linalg.det(linear)) ** 0.5
        np.testing.assert_allclose(linear @ linear.T, scale**2 * np.eye(2), atol=1e-9)
        assert 0.83 <= scale <= 1.22


def test_spoiling_is_repeatable_and_keeps_shape():
    image = np.random.default_rng(0).integers(0, 256, (256, 256, 3)).astype(np.uint8)
    always = AugmentConfig(**{f"p_{n}": 1.0 for n in (
        "gray", "colour", "shade", "occluder", "blur", "low_resolution", "noise", "jpeg", "frame",
    )})  # fmt: skip
    for seed in range(5):
        first = spoil(np.random.default_rng(seed), image, always)
        second = spoil(np.random.default_rng(seed), image, always)
        np.testing.assert_array_equal(first, second)
        assert first.shape == image.shape and first.dtype == np.uint8
        assert first.flags["C_CONTIGUOUS"]
