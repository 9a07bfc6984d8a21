"""Floats to whole numbers: rounded, clipped, and without a copy of a large photo."""

import tracemalloc

import numpy as np
import pytest

from uvface.core.levels import largest_difference, quantise


@pytest.mark.parametrize(("bit_depth", "top"), [(8, 255), (16, 65535)])
def test_numbers_of_files_come_back(bit_depth, top):
    numbers = np.linspace(0, top, 700).round().astype(int).reshape(350, 2)
    found = quantise((numbers / np.float32(top)).astype(np.float32), bit_depth=bit_depth)
    np.testing.assert_array_equal(found, numbers)
    assert quantise(np.array([[-1.0, 2.0]])).tolist() == [[0, 255]]


def test_no_copy_of_a_large_photo_is_made():
    image = np.full((4000, 500, 3), 0.5, np.float32)
    tracemalloc.start()
    found = quantise(image)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.nbytes <= peak < 2 * found.nbytes  # as floats it has four times as many bytes


def test_the_largest_difference_is_found_without_a_copy():
    one = np.full((4000, 500, 3), 0.5, np.float32)
    other = one.copy()
    other[3999, 7, 1] = 0.25
    tracemalloc.start()
    found = largest_difference(one, other)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == 0.25 and largest_difference(one, one) == 0.0
    assert peak < one.nbytes / 4
