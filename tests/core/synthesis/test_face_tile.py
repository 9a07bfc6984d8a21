"""Texels of the face tile know their surface point."""

import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.synthesis.face_tile import bind_face_tile, point_uv, vertex_normals
from uvface.core.synthesis.head import HeadModel


@pytest.fixture(scope="module")
def sheet() -> HeadModel:
    """A flat 5 x 5 sheet that fills the tile and faces +z."""
    u, v = (a.ravel() for a in np.meshgrid(*[np.linspace(0.0, 1.0, 5)] * 2))
    corner = np.arange(25).reshape(5, 5)
    quads = [corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]]
    faces = jnp.asarray(np.stack([q.ravel() for q in quads], axis=1), jnp.int32)
    return HeadModel(
        neutral=jnp.asarray(np.stack([u, v, 0 * u], axis=1), jnp.float32),
        identity=jnp.zeros((1, 25, 3)),
        expression=jnp.zeros((1, 25, 3)),
        uv=jnp.asarray(np.stack([u, v], axis=1), jnp.float32),
        faces=faces,
        faces_uv=faces,
        vertex_part=jnp.zeros(25, jnp.int32),
        face_part=jnp.zeros(16, jnp.int32),
        expression_names=("a",),
        part_names=("face",),
    )


def test_texels_interpolate_to_their_own_uv(sheet):
    tile = bind_face_tile(sheet, 16)
    assert tile.mask.all()
    uv = tile.interpolate(np.asarray(sheet.uv))
    centre = (np.arange(16) + 0.5) / 16
    np.testing.assert_allclose(uv[..., 0], np.broadcast_to(centre, (16, 16)), atol=2e-4)
    np.testing.assert_allclose(
        uv[..., 1], np.broadcast_to(1 - centre[:, None], (16, 16)), atol=2e-4
    )


def test_point_uv_runs_down(sheet):
    uv = point_uv(sheet, np.array([[0, 0, 0], [20, 20, 20]]), np.array([[1.0, 0, 0]] * 2))
    np.testing.assert_allclose(uv, [[0.0, 1.0], [0.0, 0.0]])


def test_normals_point_to_the_camera_in_the_photo_frame(sheet):
    photo = np.asarray(sheet.neutral) * np.array([10.0, -10.0, 10.0], np.float32)
    normals = vertex_normals(photo, sheet)
    np.testing.assert_allclose(normals, np.tile([[0.0, 0.0, 1.0]], (25, 1)), atol=1e-6)
