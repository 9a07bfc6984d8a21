"""Fits recover known heads, respect the prior's bounds, and meet real photos."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.errors import InputError
from uvface.core.synthesis.fitting import (
    Correspondence,
    FitConfig,
    Fits,
    fit_photos,
    fitted_points,
    fitted_vertices,
    landmark_residual,
    load_correspondence,
    pixel_centres,
)
from uvface.core.synthesis.head import HeadModel
from uvface.core.types import Camera

SIDE = 20


@pytest.fixture(scope="module")
def toy_head() -> HeadModel:
    """A bulged square of SIDE x SIDE vertices with smooth random modes."""
    rng = np.random.default_rng(0)
    u, v = (a.ravel() for a in np.meshgrid(*[np.linspace(0.0, 1.0, SIDE)] * 2))
    x, y = 16 * (u - 0.5), 20 * (v - 0.5)
    neutral = np.stack([x, y, 8 - 0.08 * (x**2 + y**2)], axis=1)
    waves = np.stack([np.sin(3 * u + k) * np.cos(2 * v * k) for k in range(1, 6)], axis=1)
    modes = np.einsum("pw,kwc->kpc", waves, rng.normal(size=(7, 5, 3))) * 0.6
    corner = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    quads = [corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]]
    faces = np.stack([q.ravel() for q in quads], axis=1).astype(np.int32)
    return HeadModel(
        neutral=jnp.asarray(neutral, jnp.float32),
        identity=jnp.asarray(modes[:4], jnp.float32),
        expression=jnp.asarray(modes[4:], jnp.float32),
        uv=jnp.asarray(np.stack([u, v], axis=1), jnp.float32),
        faces=jnp.asarray(faces),
        faces_uv=jnp.asarray(faces),
        vertex_part=jnp.zeros(SIDE * SIDE, jnp.int32),
        face_part=jnp.zeros(len(faces), jnp.int32),
        expression_names=("a", "b", "c"),
        part_names=("face",),
    )


@pytest.fixture(scope="module")
def correspondence() -> Correspondence:
    rng = np.random.default_rng(1)
    barycentric = rng.dirichlet(np.ones(3), 478)
    # Landmarks 234 and 454 measure the face width: put them on the sides.
    triangle = rng.integers(0, SIDE * SIDE, (478, 1)) + np.zeros((1, 3), int)
    triangle[234], triangle[454] = SIDE * SIDE // 2, SIDE * SIDE // 2 + SIDE - 1
    return Correspondence(
        triangle=triangle.astype(np.int32),
        barycentric=barycentric.astype(np.float32),
        weight=np.ones(478, np.float32),
    )


@pytest.fixture(scope="module")
def truth() -> Fits:
    angle = 0.2
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    return Fits(
        identity=jnp.array([[0.5, -0.8, 0.3, 0.1], [0.0, 0.4, -0.5, 0.9]]),
        expression=jnp.array([[0.3, 0.0, 0.6], [0.0, 0.5, 0.1]]),
        camera=Camera(
            scale=jnp.array([10.0, 14.0]),
            rotation=jnp.asarray(np.stack([turn, turn.T]), jnp.float32),
            translation=jnp.array([[200.0, 150.0, 0.0], [120.0, 180.0, 0.0]]),
        ),
    )


# The toy has no jaw, and a sharp likelihood makes the prior negligible.
SHARP = FitConfig(noise=0.01, contour_noise=1e6, shared_identity=0.0)


def test_fit_recovers_known_heads(toy_head, correspondence, truth):
    points = np.asarray(
        fitted_points(toy_head, truth, correspondence.triangle, correspondence.barycentric)
    )
    fits = fit_photos(toy_head, points, correspondence, config=SHARP)
    np.testing.assert_allclose(fits.identity, truth.identity, atol=0.03)
    np.testing.assert_allclose(fits.expression, truth.expression, atol=0.03)
    np.testing.assert_allclose(fits.camera.scale, truth.camera.scale, rtol=0.01)
    np.testing.assert_allclose(fits.camera.rotation, truth.camera.rotation, atol=0.01)
    assert landmark_residual(toy_head, fits, points, correspondence).max() < 1e-3


def test_outliers_hardly_move_the_fit(toy_head, correspondence, truth):
    points = np.asarray(
        fitted_points(toy_head, truth, correspondence.triangle, correspondence.barycentric)
    )
    broken = points.copy()
    broken[:, ::12, 1] += 60.0
    config = dataclasses.replace(SHARP, noise=0.1)
    fits = fit_photos(toy_head, broken, correspondence, config=config)
    assert landmark_residual(toy_head, fits, points, correspondence).max() < 0.01


def test_rotations_are_proper_and_expressions_bounded(toy_head, correspondence):
    noise = np.random.default_rng(3).normal(0, 40, (2, 478, 2)).astype(np.float32) + 200
    fits = fit_photos(toy_head, noise, correspondence, config=FitConfig(steps=6))
    rotation = np.asarray(fits.camera.rotation)
    np.testing.assert_allclose(np.linalg.det(rotation), 1.0, atol=1e-4)
    assert float(fits.expression.min()) >= 0.0 and float(fits.expression.max()) <= 1.0


def test_photos_of_one_person_share_their_identity(toy_head, correspondence, truth):
    points = np.asarray(
        fitted_points(toy_head, truth, correspondence.triangle, correspondence.barycentric)
    )
    person = np.zeros(2, np.int32)
    config = FitConfig(contour_noise=1e6, shared_identity=1e5)
    fits = fit_photos(toy_head, points, correspondence, person=person, config=config)
    np.testing.assert_allclose(fits.identity[0], fits.identity[1], atol=0.05)


def test_fitted_vertices_agree_with_fitted_points(toy_head, truth):
    vertices = np.arange(9, dtype=np.int32).reshape(3, 3)
    first = np.tile(np.array([1.0, 0.0, 0.0], np.float32), (3, 1))
    points = fitted_points(toy_head, truth, vertices, first)
    whole = fitted_vertices(toy_head, truth, 1)
    np.testing.assert_allclose(points[1], whole[vertices[:, 0]], rtol=1e-5, atol=1e-3)


def test_bad_input_is_refused(toy_head, correspondence, tmp_path):
    with pytest.raises(InputError, match="finite"):
        fit_photos(toy_head, np.full((1, 478, 2), np.nan, np.float32), correspondence)
    with pytest.raises(InputError, match="landmark table"):
        load_correspondence(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", triangle=np.zeros(3))
    with pytest.raises(InputError, match="lacks"):
        load_correspondence(tmp_path / "other.npz")


def test_pixel_centres_shift_half_a_pixel():
    shifted = pixel_centres(np.array([[0.5, 1.5, -3.0]]))
    np.testing.assert_allclose(shifted, [[0.0, 1.0, -3.0]])


@pytest.mark.shared
def test_real_photos_fit_within_one_percent(head, shared_data):
    table = load_correspondence(shared_data / "face_model" / "mediapipe_to_ict.npz")
    with np.load(shared_data / "photos_cc_by" / "landmarks.npz") as stored:
        landmarks = pixel_centres(stored["mediapipe478"][[0, 110]])
    fits = fit_photos(head, landmarks, table, config=FitConfig(steps=10))
    assert landmark_residual(head, fits, landmarks, table).max() < 0.01
    toward = np.asarray(fits.camera.rotation)[:, 2, 2]
    assert toward.min() > 0.95  # frontal photos
    assert np.isfinite(jax.tree.leaves(fits)[0]).all()
