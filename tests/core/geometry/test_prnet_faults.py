"""Where PRNet's released code was wrong: each test repeats its arithmetic, and shows ours.

Its depth, textures and triangles stand in ``test_prnet_layout.py``; outputs that crash alone in
``tests/core/io/test_results.py``; pre-cropped pictures that are divided by 255 twice in
``tests/core/test_batch.py``.
"""

from pathlib import Path

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import skimage.data
from jax.extend.core import jaxprs_in_params
from mean_faces import mean_face
from toys import toy_camera, toy_layout, toy_position_map

from uvface.core.drawing.layers import depth_map
from uvface.core.geometry.pose import angles_from_rotation, rotation_from_angles
from uvface.core.geometry.prnet_layout import read_prnet_layout
from uvface.core.geometry.render import render_texture
from uvface.core.geometry.sampling import sample_texture
from uvface.core.geometry.visibility import visibility
from uvface.core.io.exports import canonical_map, frontal_map
from uvface.core.io.images import Photo
from uvface.core.reconstruct import load
from uvface.core.upright import fit_camera

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


def _original_angles(r):
    """Return what ``utils/estimate_pose.py`` computes: its ``or`` makes the test always true."""
    if r[2, 0] != 1 or r[2, 0] != -1:
        x = np.arcsin(r[2, 0])
        y = np.arctan2(r[2, 1] / np.cos(x), r[2, 2] / np.cos(x))
        return x, y, np.arctan2(r[1, 0] / np.cos(x), r[0, 0] / np.cos(x))
    raise AssertionError("nothing comes here")


def _rebuilt(x, y, z):
    """Return the matrix that has the original's angles: about z, then y by -x, then x by y."""
    sx, cx, sy, cy, sz, cz = np.sin(x), np.cos(x), np.sin(y), np.cos(y), np.sin(z), np.cos(z)
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    about_y = np.array([[cx, 0, -sx], [0, 1, 0], [sx, 0, cx]])
    about_x = np.array([[1, 0, 0], [0, cy, -sy], [0, sy, cy]])
    return about_z @ about_y @ about_x


def test_angles_in_gimbal_lock():
    """Where the axes of two angles coincide, the original divides zero by zero's rounding."""
    easy = _rebuilt(0.3, -0.2, 0.5)
    np.testing.assert_allclose(_rebuilt(*_original_angles(easy)), easy, atol=1e-12)
    locked = np.array([[0.0, -0.6, -0.8], [0.0, 0.8, -0.6], [1.0, 0.0, 0.0]])  # asin(1) = 90
    assert np.abs(_rebuilt(*_original_angles(locked)) - locked).max() > 0.5
    for yaw in (90.0, -90.0):
        for pitch, roll in ((0.0, 0.0), (30.0, -50.0)):
            ours = rotation_from_angles(yaw, pitch, roll)
            again = rotation_from_angles(*angles_from_rotation(ours))
            np.testing.assert_allclose(again, ours, atol=1e-3)


@pytest.mark.shared
@pytest.mark.skipif(not (DATA / "prnet_uv").is_dir(), reason="needs the data pack in ../shared")
def test_frontal_meshes_are_not_sheared():
    """The original maps onto its canonical face by an affine fit: it stretches the 40 faces."""
    layout = read_prnet_layout(DATA / "prnet_uv")
    is_face = np.asarray(layout.mask).ravel() > 0.5
    canonical = np.asarray(layout.canonical, np.float64).reshape(-1, 3)[is_face]
    with np.load(DATA / "eval_public" / "prnet_original_outputs_aflw40.npz") as stored:
        vertices = stored["vertices"]
    stretched, ours = [], []
    for points in vertices[::5]:
        stretched.append(_stretch(points, canonical))
        flat = np.zeros((layout.size**2, 3), np.float32)
        flat[is_face] = points
        position_map = jnp.asarray(flat.reshape(layout.size, layout.size, 3))
        face = _face_of(layout, position_map)
        for turned in (canonical_map(face), frontal_map(face, layout)):
            ours.append(_stretch(points, np.asarray(turned).reshape(-1, 3)[is_face]))
    assert np.median(stretched) > 1.03 and np.max(ours) < 1.001


def _stretch(source, target):
    """Return how many times more the best affine map stretches one direction than another."""
    ones = np.concatenate([source.astype(np.float64), np.ones((len(source), 1))], axis=1)
    values = np.linalg.svd(np.linalg.lstsq(ones, target, rcond=None)[0][:3])[1]
    return values[0] / values[-1]


def _face_of(layout, position_map):
    import dataclasses

    face = mean_face(layout, centre=(0.0, 0.0), scale=1.0)
    camera = fit_camera(position_map, layout)
    return dataclasses.replace(face, position_map=position_map, camera=camera)


@pytest.mark.weights
def test_large_photos_keep_their_own_pixels():
    """The original scales photos beyond 1000 px down but has taken ``h, w`` before: its depth and
    landmarks are of one size, its pictures of another."""
    small = skimage.data.astronaut().astype(np.float32) / 255
    large = cv2.resize(small, (1536, 1536), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    box = np.array([177.0, 71.0, 271.0, 188.0])
    model = load()
    (one,) = model.reconstruct(small, boxes=[box.tolist()])
    (three,) = model.reconstruct(large, boxes=[(3 * box + 1).tolist()])
    expected = 3 * np.asarray(one.landmarks)[:, :2] + 1  # pixel centres
    far = np.linalg.norm(np.asarray(three.landmarks)[:, :2] - expected, axis=1)
    assert far.mean() < 2.0  # of 300 pixels
    photo = Photo(image=large)
    depth, coverage = depth_map(three, model.layout, height=photo.height, width=photo.width)
    assert depth.shape == (1536, 1536)
    x, y, z = np.asarray(three.landmarks)[30]
    assert coverage[round(float(y)), round(float(x))] == 1
    assert abs(depth[round(float(y)), round(float(x))] - z) < 4


def _steps(jaxpr):
    """Return the number of a traced program's operations, those of its own programs included."""
    return sum(1 + sum(map(_steps, jaxprs_in_params(step.params))) for step in jaxpr.eqns)


def test_no_loop_of_python_goes_over_pixels_texels_or_triangles():
    """Such a loop, traced, would be as many operations as it has turns."""

    def steps(size, side):
        layout = toy_layout(size)
        positions = toy_position_map(layout, toy_camera(size=side))

        def draw(image, positions):
            texture = sample_texture(image, positions)
            seen = visibility(positions, layout)
            return render_texture(texture, positions, layout, height=side, width=side), seen

        return _steps(jax.make_jaxpr(draw)(jnp.zeros((side, side, 3)), positions).jaxpr)

    assert steps(64, 120) == steps(128, 120) == steps(64, 480)
