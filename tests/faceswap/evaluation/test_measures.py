"""Measures of a swapped picture against the true one."""

import numpy as np
import pytest

from uvface.faceswap.evaluation.measures import (
    ciede2000,
    color_distance,
    edge_step,
    gradient_similarity,
    largest_change,
    psnr,
    sharpness_ratio,
)


def test_measures_look_only_inside_the_mask():
    truth = np.random.default_rng(0).random((16, 16, 3))
    mask = np.zeros((16, 16), bool)
    mask[4:12, 4:12] = True
    result = truth.copy()
    result[0, 0] = 9.0
    assert psnr(result, truth, mask) == float("inf")
    assert gradient_similarity(result, truth, mask) == pytest.approx(1.0)
    assert ciede2000(result, truth, mask) == pytest.approx(0.0, abs=1e-9)
    assert ciede2000(truth * 0.5, truth, mask) > 5.0
    assert psnr(truth + 0.1, truth, mask) == pytest.approx(20.0)
    assert gradient_similarity(np.full_like(truth, 0.5), truth, mask) < 0.5


def _disc(size=48):
    y, x = np.mgrid[:size, :size] - size / 2
    return np.hypot(x, y) < size / 4


def test_colors_are_compared_by_their_means():
    random, mask = np.random.default_rng(1), _disc()
    target = np.full((48, 48, 3), 0.5)
    noisy = target + 0.02 * random.choice([-1.0, 1.0], target.shape)
    assert color_distance(noisy, target, mask) < 0.5
    assert color_distance(target + 0.1, target, mask) == pytest.approx(9.9, abs=1.0)


def test_the_largest_change_is_looked_for_outside_the_mask():
    target, mask = np.zeros((48, 48, 3)), _disc()
    result = target.copy()
    result[24, 24] = 1.0
    assert largest_change(result, target, mask) == 0.0
    result[0, 0, 1] = 0.1
    assert largest_change(result, target, mask) == pytest.approx(25.5)


def test_a_step_at_the_mask_s_edge_shows():
    random, mask = np.random.default_rng(2), _disc()
    target = 0.5 + 0.02 * random.normal(size=(48, 48, 3))
    assert edge_step(target, target, mask) == pytest.approx(1.0)
    inside = target + 0.1 * mask[..., None]
    assert edge_step(inside, target, mask, width=2) > 1.5
    assert edge_step(inside, target, mask, width=2) > edge_step(inside, target, mask, width=6)


def test_blur_lowers_the_sharpness():
    random, mask = np.random.default_rng(3), _disc()
    target = random.random((48, 48, 3))
    blurred = (target + np.roll(target, 1, 0) + np.roll(target, 1, 1)) / 3
    assert sharpness_ratio(target, target, mask) == pytest.approx(1.0)
    assert sharpness_ratio(blurred, target, mask) < 0.9
    assert sharpness_ratio(0.5 * target, target, mask) == pytest.approx(0.5)
