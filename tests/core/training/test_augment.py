import dataclasses

import cv2
import numpy as np
import pytest

from uvface.core.geometry.landmarks import MIRROR_68
from uvface.core.training.augment import augment, random_affine, transform_labels, upright_crop
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
    mask = cv2.resize(image[..., 0], (160, 160), interpolation=cv2.INTER_AREA)
    return Sample(
        image=image,
        control=control,
        landmarks=landmarks,
        mask=mask,
        angles=np.zeros(3),
        roll=0.0,
    )


def _centre(image: np.ndarray) -> np.ndarray:
    weight = (image[..., 0] if image.ndim == 3 else image).astype(np.float64)
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
        in_mask = 2.0 * (_centre(crop.mask) + 0.5) - 0.5
        np.testing.assert_allclose(in_mask, crop.landmarks[place, :2], atol=0.15)


def test_control_maps_and_landmarks_move_together(toy_pool, layout):
    """Also when mirrored: landmarks read from the moved map are the moved landmarks."""
    matrix = np.asarray(make_reading(layout).landmark_matrix)
    pool = Pool(toy_pool)
    for seed in range(6):
        crop = augment(np.random.default_rng(seed), pool.sample(seed), MOVE_ONLY)
        read = matrix @ crop.control.reshape(-1, 3)
        assert np.abs(read - crop.landmarks).mean() < 0.3
        assert np.abs(read - crop.landmarks).max() < 2.0


def test_upright_crop_of_an_upright_head_is_the_middle_of_the_picture(toy_pool):
    sample = dataclasses.replace(Pool(toy_pool).sample(2), roll=0.0)
    crop = upright_crop(sample)
    np.testing.assert_array_equal(crop.image, sample.image[32:-32, 32:-32])
    np.testing.assert_allclose(crop.landmarks[:, :2], sample.landmarks[:, :2] - 32, atol=1e-4)


@pytest.mark.parametrize("roll", [-130.0, -20.0, 65.0])
def test_upright_crop_turns_a_head_upright(roll):
    upright = _dot_sample(30, np.random.default_rng(0))
    cos, sin = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    turn = np.array([[cos, -sin], [sin, cos]], np.float32)
    landmarks = upright.landmarks.copy()
    landmarks[:, :2] = (landmarks[:, :2] - 159.5) @ turn.T + 159.5
    tilted = dataclasses.replace(upright, landmarks=landmarks, roll=roll)
    expected = upright.landmarks[:, :2] - 32
    np.testing.assert_allclose(upright_crop(tilted).landmarks[:, :2], expected, atol=1e-3)


@pytest.mark.parametrize("p_mirror", [0.0, 1.0])
def test_crops_are_turned_about_upright_whatever_the_roll_of_the_picture(p_mirror):
    config = dataclasses.replace(
        AugmentConfig(), p_any_roll=0.0, p_tilted=0.0, roll_sigma=0.0, p_mirror=p_mirror
    )
    for roll in (-70.0, 0.0, 25.0):
        affine = random_affine(np.random.default_rng(1), 320, config, roll=roll)
        up = np.array([np.sin(np.radians(roll)), -np.cos(np.radians(roll))])  # crown of the head
        turned = affine[:, :2] @ up
        np.testing.assert_allclose(turned / np.linalg.norm(turned), [0.0, -1.0], atol=1e-6)


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
        affine = random_affine(np.random.default_rng(seed), 320, AugmentConfig(), roll=0.0)
        linear = affine[:, :2]
        scale = abs(np.linalg.det(linear)) ** 0.5
        np.testing.assert_allclose(linear @ linear.T, scale**2 * np.eye(2), atol=1e-9)
        assert 0.83 <= scale <= 1.22


def test_spoiling_is_repeatable_and_keeps_shape():
    image = np.random.default_rng(0).integers(0, 256, (256, 256, 3)).astype(np.uint8)
    always = AugmentConfig(**{f"p_{n}": 1.0 for n in (
        "gray", "colour", "shade", "occluder", "blur", "low_resolution", "noise", "jpeg", "frame",
    )})  # fmt: skip
    mask = np.full((128, 128), 255, np.uint8)
    for seed in range(5):
        first, seen = spoil(np.random.default_rng(seed), image, mask, always)
        second, again = spoil(np.random.default_rng(seed), image, mask, always)
        np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(seen, again)
        assert first.shape == image.shape and first.dtype == np.uint8
        assert first.flags["C_CONTIGUOUS"]
        assert 0.05 < (seen == 0).mean() < 0.95  # what is in front, and what is cut off


def test_what_lies_before_the_head_leaves_the_mask_where_it_leaves_the_picture():
    only = {f.name: 0.0 for f in dataclasses.fields(AugmentConfig) if f.name.startswith("p_")}
    image = np.full((256, 256, 3), 7, np.uint8)
    mask = np.full((128, 128), 255, np.uint8)
    for name in ("p_occluder", "p_frame"):
        config = AugmentConfig(**{**only, name: 1.0})
        for seed in range(8):
            changed, seen = spoil(np.random.default_rng(seed), image, mask, config)
            is_changed = cv2.resize((changed != 7).any(axis=-1).astype(np.uint8) * 255, (128, 128),
                                    interpolation=cv2.INTER_AREA)  # fmt: skip
            if name == "p_occluder":  # of see-through shapes 0.4 or more covers (test_spoil.py)
                assert (seen[is_changed == 255] <= 153).all()
                continue
            assert (seen[is_changed == 255] == 0).all()
            assert (seen == 0).mean() >= 0.04
