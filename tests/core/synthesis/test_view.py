import jax
import jax.numpy as jnp
import numpy as np

from uvface.core.synthesis.view import View, frame_from_landmarks, project, sample_view

place = jax.jit(project)
frame_of = jax.jit(frame_from_landmarks)


def _view(distance: float) -> View:
    return View(
        angles=jnp.zeros(3),
        rotation=jnp.eye(3),
        body_rotation=jnp.eye(3),
        distance=jnp.asarray(distance, dtype=jnp.float32),
    )


def test_frame_makes_the_landmark_box_fill_the_crop():
    landmarks = jax.random.normal(jax.random.key(0), (68, 3)) * 5.0
    for distance in (30.0, 300.0):
        view = _view(distance)
        points = np.asarray(place(landmarks, view, frame_of(landmarks, view)))
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        np.testing.assert_allclose((high - low).mean(), 160.0, rtol=1e-4)
        np.testing.assert_allclose((high + low) / 2, 159.5, atol=1e-2)


def test_far_camera_is_weak_perspective():
    landmarks = jax.random.normal(jax.random.key(0), (68, 3)) * 5.0
    view = _view(1e6)
    frame = frame_of(landmarks, view)
    points = place(landmarks, view, frame)
    flat = frame.scale * landmarks[:, :2] + frame.offset
    np.testing.assert_allclose(points[:, :2], flat, atol=0.02)
    np.testing.assert_allclose(points[:, 2], frame.scale * landmarks[:, 2], rtol=1e-6)


def test_near_things_look_larger():
    view = _view(30.0)
    landmarks = jax.random.normal(jax.random.key(0), (68, 3)) * 5.0
    frame = frame_of(landmarks, view)
    pair = jnp.array([[[1.0, 0, 8], [-1.0, 0, 8]], [[1.0, 0, -8], [-1.0, 0, -8]]])
    points = np.asarray(place(pair, view, frame))
    widths = points[:, 0, 0] - points[:, 1, 0]
    assert widths[0] > 1.5 * widths[1]


def test_poses_reach_profiles_and_any_roll():
    views = jax.jit(jax.vmap(sample_view))(jax.random.split(jax.random.key(2), 600))
    turns = np.asarray(views.rotation)
    np.testing.assert_allclose(np.linalg.det(turns), 1.0, atol=1e-4)
    facing = turns[:, 2, 2]
    assert 0.15 < (facing < 0.5).mean() < 0.6
    assert facing.min() < 0.1
    roll = np.degrees(np.arctan2(turns[:, 1, 0] - turns[:, 0, 1], turns[:, 0, 0] + turns[:, 1, 1]))
    assert np.std(roll) > 18
    assert np.abs(roll).max() > 120
