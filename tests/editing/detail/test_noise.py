"""Noise that light lifts out of the dark is taken off, and nothing else."""

import cv2
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.editing.detail.noise import lightness_gain, quieted

SIZE = 256
WEIGHT = np.pad(np.ones((SIZE - 48, SIZE - 48), np.float32), 24)
INNER = np.s_[40:-40, 40:-40]
NOISE = 0.007


def _skin(light):
    """Return smooth Oklab colours of this mean lightness."""
    random = np.random.default_rng(2)
    coarse = random.uniform(-0.02, 0.02, (6, 6, 3)) + np.array([light, 0.05, 0.05])
    return cv2.resize(coarse.astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)


def _grain(strength, width, seed=5):
    """Return noise of this standard deviation, blurred by so many pixels."""
    noise = np.random.default_rng(seed).standard_normal((SIZE, SIZE, 3)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), width)
    return strength * noise / noise.std()


def _quiet(lab, gain, step=1.0):
    gains = np.full((SIZE, SIZE), gain, np.float32)
    lab = lab.astype(np.float32)
    given = [jnp.asarray(x) for x in (lab, gains, WEIGHT)]
    return np.asarray(quieted(*given, step=jnp.float32(step)))


@pytest.mark.parametrize("width", [0.5, 1.0])
def test_noise_that_light_lifted_is_taken_off(width):
    skin, noise = _skin(0.7), _grain(2.5 * NOISE, width)
    left = (_quiet(skin + noise, 2.5) - skin)[INNER]
    assert left.std() < 0.4 * noise.std()


def test_what_gains_no_light_stays_as_it_is():
    noisy = _skin(0.7) + _grain(0.02, 1.0)
    np.testing.assert_allclose(_quiet(noisy, 1.0), noisy, atol=1e-5)


def test_marks_that_are_stronger_than_noise_stay():
    skin, discs = _skin(0.7), np.zeros((SIZE, SIZE), np.float32)
    for y in range(60, 200, 24):
        for x in range(60, 200, 24):
            cv2.circle(discs, (x, y), 4, -0.2, -1, cv2.LINE_AA)
    marked = skin.copy()
    marked[..., 0] += discs
    change = (_quiet(marked, 2.0) - marked)[INNER]
    assert np.abs(change).max() < 0.15 * 0.2


def test_detail_coarser_than_the_blocks_of_the_source_stays():
    """Where one pixel is ten of the source, noise was averaged off when it was read."""
    marked = _skin(0.7) + _grain(0.01, 2.0)
    np.testing.assert_allclose(_quiet(marked, 2.5, step=10.0), marked, atol=1e-5)


def test_what_is_not_drawn_is_not_changed():
    noisy = _skin(0.7) + _grain(0.01, 1.0)
    result = _quiet(noisy, 2.5)
    assert (result[WEIGHT == 0.0] == noisy[WEIGHT == 0.0].astype(np.float32)).all()
    other = np.where(WEIGHT[..., None] > 0.0, noisy, 1.0)
    np.testing.assert_allclose(_quiet(other, 2.5)[WEIGHT > 0], result[WEIGHT > 0], atol=1e-5)


def test_the_gain_is_what_light_multiplies_by_beyond_what_is_free():
    before = _skin(0.3)[..., 0]
    times = np.where(np.arange(SIZE) < SIZE // 2, 1.0, 3.2).astype(np.float32)
    lab = np.stack([before * times, 0.0 * before, 0.0 * before], axis=-1)
    gain = np.asarray(lightness_gain(*(jnp.asarray(x) for x in (lab, before, WEIGHT))))
    assert (gain[WEIGHT == 0.0] == 1.0).all()
    np.testing.assert_allclose(gain[40:-40, 40:110], 1.0, atol=1e-3)
    np.testing.assert_allclose(gain[40:-40, 150:-40], 2.0, atol=0.02)
