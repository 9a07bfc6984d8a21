"""The pose comes from the rigid part of the face and stays when the face moves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.pose import angles_from_rotation, rotation_from_angles
from uvface.core.synthesis.head import canonical_from_ict, head_vertices
from uvface.core.synthesis.shape import sample_expression, sample_identity
from uvface.core.synthesis.surface import bind_texels, load_surface, position_map, surface_vertices
from uvface.core.types import Camera
from uvface.core.upright import fit_camera

pytestmark = pytest.mark.shared
POSES = [(0.0, 0.0, 0.0), (25.0, -10.0, 8.0), (-70.0, 15.0, -20.0)]


@pytest.fixture(scope="module")
def pose_of(head):
    """Return a function: identity, expression, true pose -> found angles (degrees) and scale."""
    surface, layout = load_surface(), load_layout()
    binding = bind_texels(surface, layout.size)

    @jax.jit
    def find(head, surface, binding, identity, expression, rotation):
        camera = Camera(
            scale=jnp.float32(12.0), rotation=rotation, translation=jnp.array([200.0, 180.0, 0.0])
        )
        vertices = canonical_from_ict(head_vertices(head, identity, expression))
        map_ = position_map(binding, surface_vertices(surface, vertices))
        found = fit_camera(camera.project(map_), layout)
        return jnp.stack(angles_from_rotation(found.rotation)), found.scale

    def pose(identity, expression, angles):
        found, scale = find(
            head, surface, binding, identity, expression, rotation_from_angles(*angles)
        )
        return np.asarray(found), float(scale)

    return head, pose


@pytest.mark.parametrize("angles", POSES)
def test_pose_stays_when_the_face_moves(pose_of, angles):
    head, pose = pose_of
    for seed in range(3):
        person = sample_identity(jax.random.key(seed), head.identity.shape[0])
        still, size = pose(person, jnp.zeros(head.expression.shape[0]), angles)
        assert np.abs(still - angles).max() < 5.0  # nobody is the mean face
        for k in range(6):
            expression = sample_expression(jax.random.key(100 * seed + k), head)
            moved, moved_size = pose(person, expression, angles)
            assert np.abs(moved - still).max() < 1.5
            assert moved_size == pytest.approx(size, rel=0.015)


def test_open_mouth_does_not_count_and_the_temples_do(shared_data):
    layout = load_layout()
    weight = np.asarray(layout.region("rigid"))
    assert 0.2 < weight.mean() < 0.5
    lips = np.asarray(layout.region("lips")) > 0.9
    assert weight[lips].max() < 0.1
    u, v = np.asarray(layout.landmark_uv)[[27, 0, 16, 57]].T  # nose's root, temples, lower lip
    root, left, right, lip = weight[(v * layout.size).astype(int), (u * layout.size).astype(int)]
    assert min(root, left, right) > 0.5 > lip
