"""Convolutions by tiles equal convolutions."""

import functools

import jax
import numpy as np
import pytest

from uvface.core.network.winograd import convolve_tiles, transform_kernel


@pytest.mark.parametrize(
    ("tile", "taps", "rows", "columns", "strides", "size"),
    [
        (4, 4, (2, 1), (2, 1), (1, 1), (16, 8)),
        (5, 4, (2, 1), (2, 1), (1, 1), (16, 8)),
        (4, 4, (1, 2), (1, 2), (1, 1), (11, 7)),  # sizes that are no multiples of the tile
        (2, 4, (2, 1), (2, 1), (1, 1), (8, 8)),
        (3, 2, (1, 1), (1, 1), (1, 1), (8, 16)),
        (4, 2, (0, 1), (1, 0), (1, 1), (8, 8)),  # a phase of a transposed convolution
        (2, 3, (0, 1), (0, 1), (1, 1), (9, 5)),
        (1, 4, (2, 1), (2, 1), (1, 1), (6, 6)),  # no tiles at all
        (5, 4, (2, 1), (2, 1), (1, 2), (12, 8)),  # pixels of a row left out
        (3, 4, (1, 1), (1, 1), (2, 2), (16, 16)),
        (4, 4, (1, 1), (1, 1), (2, 2), (12, 10)),
    ],
)
def test_equals_a_convolution(tile, taps, rows, columns, strides, size):
    rng = np.random.default_rng(tile + taps)
    x = rng.normal(size=(2, *size, 6)).astype(np.float32)
    kernel = rng.normal(size=(taps, taps, 6, 5)).astype(np.float32)
    run = jax.jit(
        functools.partial(convolve_tiles, tile=tile, padding=(rows, columns), stride=strides[1])
    )
    found = run(x, transform_kernel(kernel, tile, strides[0]))
    expected = jax.lax.conv_general_dilated(
        x, kernel, strides, (rows, columns), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    assert found.shape == expected.shape
    error = np.abs(found - expected) / expected.std()
    assert error.max() < 2e-5 and np.sqrt(np.mean(error**2)) < 3e-6


def test_a_tile_that_needs_more_points_than_there_are_is_an_error():
    with pytest.raises(ValueError, match="tiles of 6 outputs of 4 taps; need at most 8 points"):
        transform_kernel(np.ones((4, 4, 1, 1), np.float32), 6)
