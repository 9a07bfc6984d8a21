"""Bands of detail mix over borders of their own width, and nothing leaves the mask."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.blending.laplacian import laplacian_blend

SIZE = 64


@pytest.fixture(scope="module")
def blend():
    return jax.jit(laplacian_blend)


def _pictures(seed):
    random = np.random.default_rng(seed)
    return (jnp.asarray(random.random((SIZE, SIZE, 3)), jnp.float32) for _ in range(2))


def _disc(radius, soft=4.0):
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    return jnp.asarray(np.clip((radius - np.hypot(x, y)) / soft + 0.5, 0, 1), jnp.float32)


def test_outside_the_mask_nothing_changes(blend):
    for seed in range(20):
        target, source = _pictures(seed)
        lines = np.arange(SIZE)[:, None] % (seed + 3) > 0
        mask = _disc(8.0 + seed) * jnp.asarray(lines, jnp.float32)
        result = blend(target, source, mask)
        outside = np.asarray(mask) == 0.0
        assert (np.asarray(result)[outside] == np.asarray(target)[outside]).all()


def test_a_picture_blended_into_itself_stays(blend):
    target, _ = _pictures(1)
    np.testing.assert_allclose(blend(target, target, _disc(20.0)), target, atol=1e-6)


def test_a_whole_mask_gives_the_source(blend):
    target, source = _pictures(2)
    result = blend(target, source, jnp.ones((SIZE, SIZE)))
    np.testing.assert_allclose(result, source, atol=1e-5)


def test_levels_mix_more_widely_than_detail(blend):
    flat, stripes = jnp.zeros((SIZE, SIZE, 3)), jnp.zeros((SIZE, SIZE, 3))
    stripes = stripes.at[:, ::2].set(0.5).at[:, 1::2].set(-0.5)
    mask = _disc(24.0, soft=1.0)
    level = np.asarray(blend(flat, flat + 1.0, mask))[SIZE // 2, :, 0]
    detail = np.abs(np.asarray(blend(flat, stripes, mask)))[SIZE // 2, :, 0]
    inner = slice(SIZE // 2 - 20, SIZE // 2 - 16)  # near the edge, inside
    assert detail[inner].min() > 0.45 and level[inner].max() < 0.95
    assert level[SIZE // 2] > 0.9
