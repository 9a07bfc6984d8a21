"""The shell behind a person: smooth, closed, and as deep as a head."""

import numpy as np
import pytest

from uvface.core.synthesis.person_back import back_shell, shell_triangles, without_ears

_SCALE = 5.0  # small pixels per cm


def _disc(center, radius, size=160):
    rows, columns = np.mgrid[:size, :size]
    return np.hypot(columns - center[0], rows - center[1]) < radius


def _shell(person, depth=0.0):
    stage = 4 * len(person)
    front = np.full(person.shape, depth, np.float32)
    return back_shell(person, front, middle=80.0, scale=4 * _SCALE, side=stage)


def test_the_back_is_as_deep_as_a_head_and_closed():
    vertices, places = _shell(_disc((70, 80), 40), depth=12.0)
    rings = vertices.reshape(12, -1, 3)
    assert np.isfinite(vertices).all() and vertices.shape[0] == len(places)
    assert vertices[:, 2].max() <= 12.0 + 1e-3
    assert vertices[:, 2].min() == pytest.approx(12.0 - 9.5 * 4 * _SCALE, rel=0.02)
    np.testing.assert_allclose(rings[-1, :, 0], 4 * 70.5 - 0.5, atol=3.0)  # left and right meet
    assert shell_triangles().max() == len(vertices) - 1


def test_steps_of_the_mask_do_not_show_in_the_outline():
    ring = _shell(_disc((80, 80), 40))[0].reshape(12, -1, 3)[0, :, :2]
    radius = np.linalg.norm(ring - (4 * 80.5 - 0.5), axis=-1)
    assert np.ptp(radius) < 4.0  # one small pixel


def test_ears_are_cut_off_but_not_the_hair_over_them():
    head = _disc((80, 80), 40)
    ears = _disc((121, 80), 8)
    bare = without_ears(head | ears, head | ears, ears, scale=_SCALE)
    assert not bare[80, 125] and bare[80, 110]
    hair = np.zeros_like(head)
    hair[50:110, 112:134] = True
    covered = without_ears(head | ears | hair, head | ears, ears, scale=_SCALE)
    assert covered[80, 125]
