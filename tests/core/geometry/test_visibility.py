import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import toy_camera, toy_layout, toy_position_map

from uvface.core.geometry import visibility as module

LAYOUT = toy_layout(64)
see = jax.jit(module.visibility)
normals = jax.jit(module.normals)


def seen(**angles):
    return np.asarray(see(toy_position_map(LAYOUT, toy_camera(**angles)), LAYOUT))


def ellipsoid(yaw):
    """A convex face (no nose): what is seen is what faces the camera."""
    line = (np.arange(64) + 0.5) / 64
    u, v = np.meshgrid(line, line)
    a, b = (u - 0.5) * 3.0, (v - 0.5) * 2.6
    points = [7 * np.sin(a) * np.cos(b), 10 * np.sin(b), 8 * np.cos(a) * np.cos(b)]
    shape = jnp.asarray(np.stack(points, -1), jnp.float32)
    return toy_camera(yaw=yaw).project(shape)


def test_normals_are_unit_and_point_out_of_the_face():
    normal = normals(toy_position_map(LAYOUT, toy_camera()), LAYOUT)
    length = jnp.linalg.norm(normal, axis=-1)
    np.testing.assert_allclose(length[LAYOUT.mask > 0], 1.0, atol=1e-5)
    assert (normal[..., 2][LAYOUT.mask > 0] > 0).mean() > 0.99
    right, left = normal[32, 58], normal[32, 5]
    assert right[0] > 0.5 and left[0] < -0.5


def test_normals_turn_with_the_camera():
    camera = toy_camera(yaw=30.0, pitch=20.0, roll=10.0)
    turned = normals(toy_position_map(LAYOUT, camera), LAYOUT)
    straight = normals(LAYOUT.canonical, LAYOUT)
    np.testing.assert_allclose(turned, straight @ camera.rotation.T, atol=2e-3)


@pytest.mark.parametrize("yaw", [0.0, 45.0, 80.0])
def test_no_speckle_on_a_convex_face(yaw):
    shape = ellipsoid(yaw)
    found = np.asarray(see(shape, LAYOUT))
    facing = np.asarray(normals(shape, LAYOUT)[..., 2])
    on_face = np.asarray(LAYOUT.mask) > 0
    assert found[on_face & (facing > 0.35)].min() > 0.99
    assert found[on_face & (facing < 0.05)].max(initial=0.0) < 0.01
    ramp = found[on_face & (facing > 0.12) & (facing < 0.26)]
    assert ((ramp > 0) & (ramp < 1)).mean() > 0.9 if ramp.size else True


def test_the_nose_hides_the_cheek_behind_it():
    straight, turned = seen(), seen(yaw=50.0)
    mask = np.asarray(LAYOUT.mask) > 0
    assert straight[mask].mean() > 0.93
    near, far = LAYOUT.region("cheeks_left") > 0.9, LAYOUT.region("cheeks_right") > 0.9
    assert turned[near].mean() > 0.99  # positive yaw shows the subject's left
    assert turned[far].mean() < 0.5
    hidden = turned[30:38, 24:31]
    assert hidden.min() < 0.05


def test_a_sheet_in_front_hides_what_is_behind_it():
    line = (np.arange(64) + 0.5) / 64
    u, v = np.meshgrid(line, line)
    x = 100 * np.where(u < 0.5, u, 0.5 + 0.6 * (u - 0.5))
    fold = np.stack([x, 100 * v, np.zeros_like(u)], -1)
    front = (u - 0.25) ** 2 + (v - 0.5) ** 2 < 0.01
    fold[u > 0.7] += [-50, 0, -30]  # the right third slides behind the left half
    found = np.asarray(see(jnp.asarray(fold, jnp.float32), LAYOUT))
    assert found[front].min() > 0.99
    behind = (u > 0.75) & (np.abs(v - 0.5) < 0.2) & (np.asarray(LAYOUT.mask) > 0)
    assert found[behind].max() < 0.01


def test_nothing_is_seen_off_the_face_or_from_behind():
    assert seen()[np.asarray(LAYOUT.mask) == 0].max() == 0
    assert seen(yaw=180.0).mean() < 0.02


def test_mirrored_pose_gives_mirrored_visibility():
    difference = np.abs(seen(yaw=35.0) - seen(yaw=-35.0)[:, ::-1])
    assert (difference > 0.15).mean() < 2e-3
    assert difference.mean() < 2e-3


def test_scale_and_place_do_not_matter():
    shape = toy_position_map(LAYOUT, toy_camera(yaw=40.0))
    for scale, shift in ((0.1, 0.0), (20.0, 3000.0)):
        again = see(shape * scale + shift, LAYOUT)
        assert np.abs(np.asarray(again) - np.asarray(see(shape, LAYOUT))).mean() < 2e-3
