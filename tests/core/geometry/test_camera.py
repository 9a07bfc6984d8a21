import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import toy_camera, toy_layout

from uvface.core.geometry.camera import closest_rotation, estimate_camera
from uvface.core.geometry.crop import crop_box
from uvface.core.geometry.pose import angles_from_rotation

fit = jax.jit(estimate_camera, static_argnames="iterations")
POSES = [(0.0, 0.0, 0.0), (35.0, -20.0, 15.0), (90.0, 0.0, 0.0), (-85.0, 30.0, 170.0)]


def face(yaw, pitch, roll):
    layout = toy_layout(24)
    camera = toy_camera(yaw=yaw, pitch=pitch, roll=roll, size=200)
    canonical = layout.canonical.reshape(-1, 3)
    return canonical, camera.project(canonical), layout.mask.reshape(-1), camera


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("iterations", [0, 10])
def test_recovers_a_known_camera(pose, iterations):
    canonical, photo, weights, camera = face(*pose)
    found = fit(canonical, photo, weights, iterations=iterations)
    np.testing.assert_allclose(found.rotation, camera.rotation, atol=1e-4)
    assert found.scale == pytest.approx(float(camera.scale), rel=1e-4)
    np.testing.assert_allclose(found.translation, camera.translation, atol=1e-2)


@pytest.mark.parametrize("pose", POSES)
def test_unproject_undoes_project(pose):
    canonical, photo, _, camera = face(*pose)
    np.testing.assert_allclose(camera.unproject(photo), canonical, atol=1e-4)


@pytest.mark.parametrize("pose", POSES)
def test_outliers_move_it_little(pose):
    canonical, photo, weights, camera = face(*pose)
    key, other = jax.random.split(jax.random.key(0))
    is_wrong = jax.random.uniform(key, weights.shape) < 0.25
    wrong = photo + 60.0 * jax.random.normal(other, photo.shape) + 20.0
    found = fit(canonical, jnp.where(is_wrong[:, None], wrong, photo), weights)
    np.testing.assert_allclose(found.rotation, camera.rotation, atol=5e-3)


def test_points_without_weight_do_not_count():
    canonical, photo, weights, camera = face(40.0, 0.0, 0.0)
    photo = jnp.where(weights[:, None] > 0, photo, 1e4)
    np.testing.assert_allclose(fit(canonical, photo, weights).rotation, camera.rotation, atol=1e-4)


def test_rotation_is_proper_even_for_a_mirrored_or_flat_photo():
    canonical, photo, weights, _ = face(20.0, 10.0, 0.0)
    for factor in ([-1.0, 1.0, 1.0], [1.0, 1.0, 0.0]):
        rotation = fit(canonical, photo * jnp.array(factor), weights).rotation
        assert jnp.linalg.det(rotation) == pytest.approx(1.0, abs=1e-4)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-4)


def test_a_flat_photo_still_gives_the_pose():
    canonical, photo, weights, camera = face(20.0, 10.0, -5.0)
    found = fit(canonical, photo * jnp.array([1.0, 1.0, 0.0]), weights).rotation
    # Which way the head turns is known from the two rows that the picture shows.
    np.testing.assert_allclose(angles_from_rotation(found)[2], -5.0, atol=5.0)
    assert jnp.trace(found.T @ camera.rotation) > 2.5


def test_closest_rotation_leaves_rotations_alone():
    rotation = toy_camera(yaw=70.0, pitch=-40.0, roll=100.0).rotation
    np.testing.assert_allclose(closest_rotation(3.0 * rotation), rotation, atol=1e-5)


def test_vmap_agrees_with_loop():
    faces = [face(*pose) for pose in POSES[:2]]
    stacks = [jnp.stack(part) for part in list(zip(*faces, strict=True))[:3]]
    batch = jax.vmap(estimate_camera)(*stacks)
    for k, (canonical, photo, weights, _) in enumerate(faces):
        single = fit(canonical, photo, weights)
        np.testing.assert_allclose(batch.rotation[k], single.rotation, atol=1e-4)


def test_a_camera_to_a_crop_seen_through_it_is_one_to_the_photo():
    canonical, in_crop, _, camera = face(35.0, -20.0, 15.0)
    photo_from_crop = crop_box(jnp.array([40.0, 60.0, 180.0, 170.0]), roll=33.0)
    found = camera.seen_through(photo_from_crop)
    expected = photo_from_crop.apply(in_crop)
    np.testing.assert_allclose(found.project(canonical), expected, atol=1e-3)
    assert np.linalg.det(found.rotation) == pytest.approx(1.0, abs=1e-5)
