"""Images at fewer pixels, and back."""

import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.geometry.scales import enlarge, enlarge_part, pool


@pytest.mark.parametrize(
    "height,width,size,block", [(64, 64, 16, 4), (48, 36, 8, 6), (48, 36, 9, 4)]
)
def test_pool_averages_the_largest_blocks_that_fit(height, width, size, block):
    image = np.random.default_rng(0).random((height, width, 3)).astype(np.float32)
    blocks = image.reshape(height // block, block, width // block, block, 3)
    np.testing.assert_allclose(pool(jnp.asarray(image), size), blocks.mean(axis=(1, 3)), rtol=1e-5)


@pytest.mark.parametrize("height,width,size", [(37, 41, 5), (12, 9, 16), (9, 9, 5)])
def test_pool_leaves_what_no_block_divides(height, width, size):
    image = jnp.ones((height, width, 1))
    assert pool(image, size).shape == image.shape


def test_enlarge_follows_a_slope_and_keeps_the_shape():
    row, column = np.mgrid[:12, :9].astype(np.float32)
    image = jnp.asarray(np.stack([row, column], axis=-1))
    large = np.asarray(enlarge(image, 48, 36))
    centres = (np.arange(48) + 0.5) / 4 - 0.5
    inner = slice(2, -2)  # beyond the outermost centres values repeat
    np.testing.assert_allclose(large[inner, 0, 0], centres[inner], atol=1e-4)
    np.testing.assert_allclose(large[0, inner, 1], centres[:36][inner], atol=1e-4)
    assert enlarge(image[:9], 27).shape == (27, 27, 2)


@pytest.mark.parametrize("corner", [(0, 0), (13, 40), (-5, 3)])
def test_a_part_that_is_enlarged_is_that_of_the_whole(corner):
    image = np.random.default_rng(1).random((9, 12, 2)).astype(np.float32)
    whole = np.asarray(enlarge(jnp.asarray(image), 63, 84))
    planes = jnp.asarray(np.moveaxis(image, -1, 0))
    part = enlarge_part(planes, jnp.float32(7.0), jnp.asarray(corner, jnp.int32), (20, 31))
    x, y = np.maximum(corner, 0)
    inner = np.moveaxis(np.asarray(part), 0, -1)[y - corner[1] :, x - corner[0] :]
    rows, columns = inner.shape[:2]
    np.testing.assert_allclose(inner, whole[y : y + rows, x : x + columns], atol=1e-5)
