"""PRNet's layout and the outputs of the original for 40 photos, read by our code.

Where the original was wrong, the test says how; its outputs are compared only where it was right.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.errors import AssetError
from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.geometry.pose import angles_from_rotation
from uvface.core.geometry.prnet_layout import grid_triangles, read_prnet_layout
from uvface.core.geometry.rasterize import rasterize
from uvface.core.geometry.sampling import sample_texture
from uvface.core.geometry.visibility import normals, visibility
from uvface.core.upright import fit_camera

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not (DATA / "prnet_uv").is_dir(), reason="needs the data pack in ../shared"),
]
FACES = (0, 7, 21)


@pytest.fixture(scope="module")
def layout():
    return read_prnet_layout(DATA / "prnet_uv")


@pytest.fixture(scope="module")
def original():
    with np.load(DATA / "eval_public" / "prnet_original_outputs_aflw40.npz") as stored:
        return dict(stored)


def _position_map(layout, vertices):
    """Return the original's position map: its vertices are its masked texels, row by row."""
    flat = np.zeros((layout.size**2, 3), np.float32)
    flat[np.asarray(layout.mask).ravel() > 0.5] = vertices
    return jnp.asarray(flat.reshape(layout.size, layout.size, 3))


def _inside(points, corners):
    """Return barycentrics ``[n, 3]`` of points in one triangle each, NaN for degenerate ones."""
    (x1, y1), (x2, y2), (x3, y3) = (corners[:, k, :2].T for k in range(3))
    area = (x2 - x1) * (y3 - y1) - (x3 - x1) * (y2 - y1)
    area = np.where(np.abs(area) < 1e-9, np.nan, area)
    x, y = points[..., 0:1], points[..., 1:2]
    second = ((x - x1) * (y3 - y1) - (x3 - x1) * (y - y1)) / area
    third = ((x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)) / area
    return np.stack([1.0 - second - third, second, third], axis=-1)


def _nearest_depth(points, vertices, triangles):
    """Return the greatest z of the surface over points ``[n, 2]``, every triangle tried."""
    corners = vertices[triangles].astype(np.float64)
    best = np.full(len(points), -np.inf)
    for start in range(0, len(points), 50):
        weights = _inside(points[start : start + 50], corners)
        z = (weights * corners[None, :, :, 2]).sum(axis=-1)
        z = np.where((weights >= -1e-9).all(axis=-1), z, -np.inf)
        best[start : start + 50] = np.nanmax(z, axis=1)
    return best


def test_triangles_are_the_original_s(layout, original):
    mask = np.asarray(layout.mask) > 0.5
    np.testing.assert_array_equal(grid_triangles(mask), original["triangles"])
    assert layout.triangles.shape == (86906, 3)


def test_triangles_face_the_camera_as_ours_do(layout):
    """In the canonical frame with y down, triangles seen from the front have negative area."""
    corners = np.asarray(layout.canonical).reshape(-1, 3)[np.asarray(layout.triangles)]
    edge, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = edge[:, 0] * other[:, 1] - edge[:, 1] * other[:, 0]
    assert (area < 0).mean() > 0.8  # nostrils and the rim behind the ears are turned away


def test_landmarks_and_vertices_are_the_original_s(layout, original):
    is_face = np.asarray(layout.mask).ravel() > 0.5
    for vertices, landmarks in zip(original["vertices"], original["kpt68"], strict=True):
        position_map = _position_map(layout, vertices)
        found = read_landmarks(position_map, layout.landmark_uv)
        np.testing.assert_array_equal(found, landmarks)
        mesh = layout.mesh(position_map, position_map)
        np.testing.assert_array_equal(np.asarray(mesh.vertices)[is_face], vertices)


def test_canonical_face_lies_on_ours_in_centimetres(layout):
    from uvface.core.geometry.layout import load_layout

    ours = load_layout()
    goal = np.asarray(read_landmarks(ours.canonical, ours.landmark_uv))
    found = np.asarray(read_landmarks(layout.canonical, layout.landmark_uv))
    assert np.linalg.norm(found - goal, axis=1).mean() < 0.6
    eyes = np.asarray(layout.region("eyes_left")) > 0.5
    assert 0.002 < eyes.mean() < 0.05
    u = (np.nonzero(eyes)[1] + 0.5) / layout.size
    assert u.min() > 0.5  # the subject's left is at the right


@pytest.mark.parametrize("number", FACES)
def test_pose_is_that_of_a_procrustes_fit(layout, original, number):
    """The original's angles come from an affine fit whose shear it leaves in, and its test for
    gimbal lock is always true; so the reference here is a similarity, solved by SVD."""
    position_map = _position_map(layout, original["vertices"][number])
    rigid = np.asarray(layout.region("rigid")).ravel() > 0.5
    a = np.asarray(layout.canonical).reshape(-1, 3)[rigid].astype(np.float64)
    b = np.asarray(position_map).reshape(-1, 3)[rigid].astype(np.float64)
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    u, _, vt = np.linalg.svd(b.T @ a)
    rotation = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
    found = np.asarray(fit_camera(position_map, layout).rotation)
    angle = np.degrees(np.arccos(np.clip((np.trace(found.T @ rotation) - 1) / 2, -1, 1)))
    assert angle < 3.0
    ours = np.array(angles_from_rotation(jnp.asarray(found)))
    theirs = np.array(angles_from_rotation(jnp.asarray(rotation, jnp.float32)))
    np.testing.assert_allclose(ours, theirs, atol=3.0)


@pytest.mark.parametrize("number", FACES)
def test_depth_is_that_of_the_nearest_triangle_over_each_pixel(layout, original, number):
    """The original fills each triangle's bounding box: it leaves out the point-in-triangle test."""
    vertices = original["vertices"][number]
    position_map = np.asarray(_position_map(layout, vertices)).reshape(-1, 3)
    draw = jax.jit(lambda p: rasterize(p, layout.triangles, height=450, width=450))
    found = draw(jnp.asarray(position_map))
    rng = np.random.default_rng(number)
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    pixels = rng.integers(np.maximum(low[:2], 0), np.minimum(high[:2], 449), (300, 2))
    expected = _nearest_depth(pixels.astype(np.float64), vertices, original["triangles"])
    covered = np.asarray(found.is_covered)[pixels[:, 1], pixels[:, 0]]
    depth = np.asarray(found.depth)[pixels[:, 1], pixels[:, 0]]
    assert (covered == np.isfinite(expected)).mean() >= 0.995
    both = covered & np.isfinite(expected)
    assert (np.abs(depth[both] - expected[both]) < 0.05).mean() >= 0.995


@pytest.mark.parametrize("number", FACES)
def test_visibility_is_that_of_a_ray_to_the_camera(layout, original, number):
    """Tried at texels that face the camera well; grazing ones fade out by design."""
    vertices = original["vertices"][number]
    position_map = _position_map(layout, vertices)
    see = jax.jit(lambda p: (visibility(p, layout), normals(p, layout)))
    seen, normal = (np.asarray(a) for a in see(position_map))
    is_facing = (normal[..., 2] > 0.4) & (np.asarray(layout.mask) > 0.5)
    chosen = np.random.default_rng(number).permutation(np.argwhere(is_facing))[:300]
    points = np.asarray(position_map)[chosen[:, 0], chosen[:, 1]].astype(np.float64)
    nearest = _nearest_depth(points[:, :2], vertices, original["triangles"])
    is_seen = points[:, 2] > nearest - 0.02 * np.ptp(vertices[:, 0])
    agrees = (seen[chosen[:, 0], chosen[:, 1]] > 0.5) == is_seen
    assert agrees.mean() >= 0.97
    turned_away = normal[..., 2] < 0.0
    assert seen[turned_away].max(initial=0.0) == 0.0


def test_textures_are_read_at_texel_centres(layout, original):
    """The original reads its texture at u / 256, half a texel off; a picture of coordinates
    read through our position map is the position map."""
    position_map = _position_map(layout, original["vertices"][0])
    y, x = np.mgrid[:450, :450].astype(np.float32)
    picture = jnp.asarray(np.stack([x, y, 0 * x], axis=-1))
    texture = np.asarray(sample_texture(picture, position_map))
    inside = np.asarray(layout.mask) > 0.5
    np.testing.assert_allclose(texture[inside][:, :2], position_map[inside][:, :2], atol=1e-3)


def test_folder_without_uv_data_is_one_line(tmp_path):
    with pytest.raises(AssetError, match=r"face_ind\.txt"):
        read_prnet_layout(tmp_path)
    (tmp_path / "face_ind.txt").write_text("1\n2\n")
    with pytest.raises(AssetError, match=r"uv_kpt_ind\.txt"):
        read_prnet_layout(tmp_path)
