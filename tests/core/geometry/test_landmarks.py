import json

import jax.numpy as jnp
import numpy as np
import pytest
from toys import mirror_landmarks, toy_camera, toy_layout, toy_position_map

from uvface.core.geometry import landmarks as lm


def test_groups_are_a_partition():
    groups = [lm.JAW, lm.BROWS, lm.NOSE, lm.EYES, lm.MOUTH]
    np.testing.assert_array_equal(np.concatenate(groups), np.arange(68))


def test_mirror_is_its_own_inverse_and_stays_within_groups():
    np.testing.assert_array_equal(lm.MIRROR_68[lm.MIRROR_68], np.arange(68))
    for group in (lm.JAW, lm.BROWS, lm.NOSE, lm.EYES, lm.MOUTH):
        assert set(lm.MIRROR_68[group]) == set(group)
    middle = [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]
    np.testing.assert_array_equal(lm.MIRROR_68[middle], middle)


@pytest.mark.shared
def test_mirror_order_fits_a_symmetric_head(shared_data):
    model = np.load(shared_data / "face_model" / "ict_facekit_light_compact.npz")
    chosen = json.loads((shared_data / "face_model" / "landmarks68_300wlp.json").read_text())
    points = model["vertices"][chosen["vertices"]]
    np.testing.assert_allclose(points[lm.MIRROR_68] * [-1, 1, 1], points, atol=0.5)


def test_landmarks_are_read_between_texels():
    layout = toy_layout(128)
    camera = toy_camera(yaw=25.0, size=128)
    found = lm.read_landmarks(toy_position_map(layout, camera), layout.landmark_uv)
    assert found.shape == (68, 3)
    line = (np.arange(64) + 0.5) / 64
    u, v = np.meshgrid(line, line)
    affine = jnp.asarray(np.stack([100 * u, 50 * v, u - v], -1), jnp.float32)
    uv = layout.landmark_uv
    expected = jnp.stack([100 * uv[:, 0], 50 * uv[:, 1], uv[:, 0] - uv[:, 1]], axis=1)
    np.testing.assert_allclose(lm.read_landmarks(affine, uv), expected, atol=1e-4)


def test_mirrored_photo_gives_mirrored_landmarks():
    layout = toy_layout(64)
    size = 128
    there = lm.read_landmarks(
        toy_position_map(layout, toy_camera(yaw=30.0, size=size)), layout.landmark_uv
    )
    here = lm.read_landmarks(
        toy_position_map(layout, toy_camera(yaw=-30.0, size=size)), layout.landmark_uv
    )
    np.testing.assert_allclose(mirror_landmarks(there, size), here, atol=1e-3)
