"""The correction found on blocks: near the exact one, and what blending must never do."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from uvface.core.blending.coarse_poisson import coarse_poisson_blend
from uvface.core.blending.poisson import poisson_blend

HEIGHT, WIDTH = 420, 330  # no multiple of a power of two; halved once


@pytest.fixture(scope="module")
def blend():
    compiled = jax.jit(coarse_poisson_blend)

    def run(target, source, mask, *, region=None, valid=None):
        region = mask > 0.0 if region is None else region
        valid = np.ones(mask.shape, bool) if valid is None else valid
        return np.asarray(compiled(target, source, mask, region=region, valid=valid))

    return run


@pytest.fixture(scope="module")
def exact():
    compiled = jax.jit(partial(poisson_blend, tolerance=1e-4))
    return lambda *given: np.asarray(compiled(*given))


def _smooth(random, sigma, shape=(HEIGHT, WIDTH, 3)):
    noise = ndimage.gaussian_filter(random.standard_normal(shape), (sigma, sigma, 0))
    return (noise / np.abs(noise).max()).astype(np.float32)


def _ellipse(shape, ramp=4.0):
    rows, columns = np.indices(shape).astype(np.float32)
    height, width = shape
    away = np.hypot((rows / height - 0.5) / 0.4, (columns / width - 0.5) / 0.35)
    return np.clip((1.0 - away) * height / ramp, 0.0, 1.0).astype(np.float32)


def _pictures(seed):
    """Return a picture, and it in other colours, which vary slowly, and with noise."""
    random = np.random.default_rng(seed)
    target = 0.5 + 0.2 * _smooth(random, 20.0)
    source = target + 0.1 * _smooth(random, 80.0) + 0.02 * random.standard_normal(target.shape)
    return target, source.astype(np.float32)


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_the_exact_blend_where_colours_differ_slowly(blend, exact, seed):
    random = np.random.default_rng(seed)
    target = 0.5 + 0.2 * _smooth(random, 20.0)
    source = target + 0.1 * _smooth(random, 80.0)
    mask = (_smooth(random, 30.0)[..., 0] > 0.1).astype(np.float32)  # ragged, at the border, too
    assert np.abs(source - target)[mask > 0.0].max() > 10 / 255
    difference = np.abs(blend(target, source, mask) - exact(target, source, mask))
    assert difference.max() < 2 / 255
    assert difference.mean() < 0.1 / 255


def test_outside_is_bit_identical_and_a_picture_in_itself_stays(blend):
    target, source = _pictures(1)
    mask = _ellipse((HEIGHT, WIDTH))
    assert np.array_equal(blend(target, source, mask)[mask == 0.0], target[mask == 0.0])
    np.testing.assert_allclose(blend(target, target, mask), target, atol=1e-6)


@pytest.mark.parametrize("shape", [(90, 64), (200, 256), (520, 700), (1100, 640)])
def test_an_offset_has_no_effect_at_any_size(blend, shape):
    random = np.random.default_rng(2)
    target = 0.5 + 0.2 * _smooth(random, 20.0, (*shape, 3))
    mask = _ellipse(shape)
    found = blend(target, target + np.float32(0.2), mask)
    np.testing.assert_allclose(found, target, atol=1 / 255)


@pytest.mark.parametrize("size", [200, 400, 800, 1600])
def test_colours_are_taken_across_a_narrow_gap_at_any_size(blend, size):
    # A region, and a hundredth of its size beside it what is given: as a chin and the neck.
    target = np.full((size, size, 3), 0.5, np.float32)
    source = target + 0.1
    region = np.zeros((size, size), bool)
    region[size // 4 : size // 2, size // 4 : -size // 4] = True
    given = np.zeros_like(region)
    start = size // 2 + max(size // 200, 1)
    given[start : start + size // 10, size // 4 : -size // 4] = True
    found = blend(target, source, region.astype(np.float32), region=region, valid=region | given)
    np.testing.assert_allclose(found, 0.5, atol=0.01)


def test_what_lies_beyond_the_photo_does_not_matter(blend):
    target, source = _pictures(3)
    mask = _ellipse((HEIGHT, WIDTH))
    valid = np.ones((HEIGHT, WIDTH), bool)
    valid[: HEIGHT // 3] = False
    mask = mask * valid
    other = np.where(valid[..., None], source, np.float32(9.0))
    np.testing.assert_array_equal(
        blend(target, source, mask, valid=valid), blend(target, other, mask, valid=valid)
    )


def test_batches_by_vmap_agree_with_one_by_one(blend):
    mask = jnp.asarray(_ellipse((300, 280)))
    random = np.random.default_rng(4)
    targets = np.stack([0.5 + 0.2 * _smooth(random, 20.0, (300, 280, 3)) for _ in range(2)])
    sources = np.stack([0.5 + 0.2 * _smooth(random, 20.0, (300, 280, 3)) for _ in range(2)])
    one = partial(coarse_poisson_blend, region=mask > 0.0, valid=jnp.ones(mask.shape, bool))
    both = jax.jit(jax.vmap(lambda t, s: one(t, s, mask)))(targets, sources)
    for k in range(2):
        found = blend(targets[k], sources[k], mask)
        np.testing.assert_allclose(np.asarray(both)[k], found, atol=1e-3)
