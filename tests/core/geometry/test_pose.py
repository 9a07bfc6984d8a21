import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.geometry.camera import estimate_camera
from uvface.core.geometry.pose import (
    angles_from_rotation,
    inplane_roll,
    inplane_rotation,
    rotation_from_angles,
)


@pytest.mark.parametrize("yaw", [-89.0, -30.0, 0.0, 12.0, 89.0])
@pytest.mark.parametrize(("pitch", "roll"), [(0.0, 0.0), (-40.0, 170.0), (80.0, -60.0)])
def test_angles_undo_the_rotation(yaw, pitch, roll):
    rotation = rotation_from_angles(yaw, pitch, roll)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-6)
    assert jnp.linalg.det(rotation) == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(angles_from_rotation(rotation), (yaw, pitch, roll), atol=0.02)


def test_random_rotations_take_the_angles_nearest_to_upright():
    random = np.random.default_rng(0)
    for _ in range(200):
        rotation, _ = np.linalg.qr(random.normal(size=(3, 3)))
        rotation = jnp.asarray(rotation * np.sign(np.linalg.det(rotation)), jnp.float32)
        angles = np.array(angles_from_rotation(rotation))
        np.testing.assert_allclose(rotation_from_angles(*angles), rotation, atol=1e-4)
        yaw, pitch, roll = np.abs(angles)
        assert yaw <= 90.0 or max(pitch, roll) <= 90.0
        assert yaw > 90.0 or min(pitch, roll) <= 90.0


@pytest.mark.parametrize("yaw", [-179.0, -100.0, 91.0, 130.0, 180.0])
@pytest.mark.parametrize(("pitch", "roll"), [(0.0, 0.0), (-40.0, 70.0), (25.0, -10.0)])
def test_heads_turned_beyond_profile_keep_their_pitch_and_roll(yaw, pitch, roll):
    found = np.array(angles_from_rotation(rotation_from_angles(yaw, pitch, roll)))
    away = (found - (yaw, pitch, roll) + 180.0) % 360.0 - 180.0  # -180 is 180
    np.testing.assert_allclose(away, 0.0, atol=0.02)


def test_signs():
    nose, left = jnp.array([0.0, 0, 1]), jnp.array([1.0, 0, 0])
    assert (rotation_from_angles(30.0, 0.0, 0.0) @ nose)[0] < 0  # to the left of the picture
    assert (rotation_from_angles(0.0, 30.0, 0.0) @ nose)[1] < 0  # up
    assert (rotation_from_angles(0.0, 0.0, 30.0) @ left)[1] > 0  # clockwise


@pytest.mark.parametrize("yaw", [90.0, -90.0])
def test_a_locked_gimbal_keeps_the_rotation(yaw):
    rotation = rotation_from_angles(yaw, 20.0, 10.0)
    again = rotation_from_angles(*angles_from_rotation(rotation))
    np.testing.assert_allclose(again, rotation, atol=2e-3)


def test_inplane_roll_is_what_an_upright_crop_undoes():
    for yaw, roll in ((0.0, 25.0), (60.0, -100.0), (90.0, 40.0)):
        turned = jnp.eye(3).at[:2, :2].set(inplane_rotation(roll)) @ rotation_from_angles(yaw, 0, 0)
        assert inplane_roll(turned) == pytest.approx(roll, abs=0.01)


@pytest.mark.shared
def test_convention_is_that_of_aflw2000(shared_data):
    """The stored poses agree with cameras fitted to the stored landmarks."""
    loadmat = pytest.importorskip("scipy.io").loadmat
    model = np.load(shared_data / "face_model" / "ict_facekit_light_compact.npz")
    chosen = json.loads((shared_data / "face_model" / "landmarks68_300wlp.json").read_text())
    canonical = model["vertices"][chosen["vertices"]] * np.array([1, -1, 1])
    differences, fit = [], jax.jit(estimate_camera)
    for path in sorted((shared_data / "eval_public" / "aflw40_images").glob("*.mat")):
        stored = loadmat(path)
        photo = jnp.asarray(stored["pt3d_68"].T, jnp.float32)
        camera = fit(jnp.asarray(canonical, jnp.float32), photo, jnp.ones(68))
        pitch, yaw, roll = np.degrees(stored["Pose_Para"][0, :3])
        truth = rotation_from_angles(float(yaw), float(pitch), float(roll))
        cosine = (np.trace(truth.T @ camera.rotation) - 1) / 2
        differences.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    assert np.median(differences) < 3.0
    assert np.max(differences) < 15.0
