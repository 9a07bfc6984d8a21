"""Convolutions by tiles equal convolutions."""

import functools

import jax
import numpy as np
import pytest

from uvface.core.network.winograd import convolve_tiles, transform_kernel


@pytest.mark.parametrize(
    ("tile", "taps", "padding", "size"),
    [
        (4, 4, (2, 1), (16, 8)),
        (5, 4, (2, 1), (16, 8)),
        (4, 4, (1, 2), (11, 7)),  # sizes that are no multiples of the tile
        (2, 4, (2, 1), (8, 8)),
        (3, 2, (1, 1), (8, 16)),
        (2, 3, (0, 1), (9, 5)),
        (1, 4, (2, 1), (6, 6)),  # no tiles at all
    ],
)
def test_equals_a_convolution(tile, taps, padding, size):
    rng = np.random.default_rng(tile + taps)
    x = rng.normal(size=(2, *size, 6)).astype(np.float32)
    kernel = rng.normal(size=(taps, taps, 6, 5)).astype(np.float32)
    run = jax.jit(functools.partial(convolve_tiles, tile=tile, padding=padding))
    found = run(x, transform_kernel(kernel, tile))
    expected = jax.lax.conv_general_dilated(
        x, kernel, (1, 1), (padding, padding), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    assert found.shape == expected.shape
    error = np.abs(found - expected) / expected.std()
    assert error.max() < 2e-5 and np.sqrt(np.mean(error**2)) < 3e-6


def test_a_tile_that_needs_more_points_than_there_are_is_an_error():
    with pytest.raises(ValueError, match="tiles of 6 outputs of 4 taps; need at most 8 points"):
        transform_kernel(np.ones((4, 4, 1, 1), np.float32), 6)
