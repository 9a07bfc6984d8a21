import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import toy_camera, toy_layout, toy_position_map

from uvface.core.geometry.spline import evaluate_control, fit_control


def affine_map(size):
    line = (np.arange(size) + 0.5) / size
    u, v = np.meshgrid(line, line)
    return jnp.asarray(np.stack([200 * u - 40 * v, 9 + 200 * v, u + v], -1), jnp.float32)


def test_constant_control_gives_a_constant_map():
    np.testing.assert_allclose(evaluate_control(jnp.full((12, 12, 2), 7.0), 40), 7.0, atol=1e-5)


@pytest.mark.parametrize(("size", "n"), [(256, 64), (64, 16), (100, 30)])
def test_affine_maps_are_reproduced_at_every_size(size, n):
    control = fit_control(affine_map(size), n)
    np.testing.assert_allclose(evaluate_control(control, size), affine_map(size), atol=1e-3)
    np.testing.assert_allclose(evaluate_control(control, 77), affine_map(77), atol=1e-3)


def test_a_camera_may_be_applied_to_the_control_points():
    control = jax.random.normal(jax.random.key(0), (16, 16, 3))
    camera = toy_camera(yaw=30.0, pitch=10.0, roll=50.0)
    first = evaluate_control(camera.project(control), 64)
    np.testing.assert_allclose(first, camera.project(evaluate_control(control, 64)), atol=1e-4)


def test_mirrored_control_gives_the_mirrored_map():
    control = jax.random.normal(jax.random.key(1), (20, 20, 3))
    mirrored = evaluate_control(control[:, ::-1], 64)
    np.testing.assert_allclose(mirrored, evaluate_control(control, 64)[:, ::-1], atol=1e-5)


def test_fit_undoes_evaluate():
    control = jax.random.normal(jax.random.key(2), (32, 32, 3))
    np.testing.assert_allclose(fit_control(evaluate_control(control, 128), 32), control, atol=1e-3)


def test_a_smooth_face_survives_the_control_map():
    layout = toy_layout(128)
    positions = toy_position_map(layout, toy_camera(yaw=40.0, size=256))
    error = evaluate_control(fit_control(positions, 64), 128) - positions
    assert jnp.abs(error).max() < 0.02


def test_vmap_agrees_with_loop():
    controls = jax.random.normal(jax.random.key(3), (3, 10, 10, 3))
    batch = jax.vmap(lambda c: evaluate_control(c, 32))(controls)
    for k in range(3):
        np.testing.assert_allclose(batch[k], evaluate_control(controls[k], 32), atol=1e-5)
