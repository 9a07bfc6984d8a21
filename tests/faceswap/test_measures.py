"""Measures of a swapped picture against the true one."""

import numpy as np
import pytest

from uvface.faceswap.measures import ciede2000, gradient_similarity, psnr


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
