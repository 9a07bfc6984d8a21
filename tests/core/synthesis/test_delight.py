"""Light is found and divided out; the transfer curves undo each other."""

import numpy as np

from uvface.core.synthesis.delight import (
    harmonics,
    linear_from_srgb,
    shading,
    shading_sums,
    solve_light,
    srgb_from_linear,
)


def _normals(count: int) -> np.ndarray:
    direction = np.random.default_rng(0).normal(size=(count, 3))
    direction[:, 2] = np.abs(direction[:, 2]) + 0.5
    return direction / np.linalg.norm(direction, axis=1, keepdims=True)


def test_division_by_the_fitted_light_leaves_the_albedo():
    normals = _normals(4000)
    light = np.array([0.7, 0.05, -0.1, 0.3, 0.0, 0.02, 0.0, 0.0, 0.0])
    albedo = np.array([0.6, 0.4, 0.3])
    color = albedo * (harmonics(normals) @ light)[:, None]
    color[::15] *= 0.2  # moles and stubble do not count
    found = solve_light([shading_sums(color, normals)])[0]
    flat = color / shading(found, normals)[:, None]
    flat = np.delete(flat, np.s_[::15], axis=0)
    assert (flat.std(axis=0) / flat.mean(axis=0)).max() < 0.02


def test_shading_is_one_towards_the_camera():
    light = np.array([1.0, 0.1, 0.2, 0.3, 0.0, 0.0, 0.0, 0.0, 0.1])
    np.testing.assert_allclose(shading(light, np.array([0.0, 0.0, 1.0])), 1.0)


def test_a_strong_common_light_is_everybodys_light():
    normals = _normals(2000)
    sums = []
    for slope in (0.2, 0.6):
        luminance = harmonics(normals) @ np.array([0.5, slope, 0, 0.3, 0, 0, 0, 0, 0])
        sums.append(shading_sums(luminance[:, None] * np.ones(3), normals))
    own, common = solve_light(sums, common=0.0), solve_light(sums, common=1e4)
    assert np.abs(own[0] - own[1]).max() > 0.2
    np.testing.assert_allclose(common[0], common[1], atol=1e-3)


def test_transfer_curves_undo_each_other():
    values = np.linspace(0.0, 1.0, 50)
    np.testing.assert_allclose(srgb_from_linear(linear_from_srgb(values)), values, atol=1e-6)
