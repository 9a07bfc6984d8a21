"""Photos as arrays: what counts as one."""

import numpy as np
import pytest
from toy_models import ToyModel

from uvface.core.errors import InputError
from uvface.editing.result import open_photo
from uvface.editing.texture import texture


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_whole_numbers_are_photos(kind):
    top = np.iinfo(kind).max
    pixels = np.random.default_rng(0).integers(0, top, (4, 5, 3), dtype=kind, endpoint=True)
    image = open_photo(pixels).image
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, pixels.astype(np.float32) / np.float32(top))


def test_floats_beyond_the_unit_range_are_refused():
    for scale, offset in [(255.0, 0.0), (2.0, -1.0)]:
        pixels = scale * np.random.default_rng(0).random((4, 5, 3)) + offset
        with pytest.raises(InputError, match=r"floats from .* is no photo; divide it by its white"):
            open_photo(pixels)


def test_floats_a_rounding_error_beyond_are_kept():
    pixels = np.full((4, 5, 3), np.nextafter(np.float32(1), np.float32(2)), np.float32)
    np.testing.assert_array_equal(open_photo(pixels).image, pixels)


def test_a_texture_of_no_photos_is_an_input_error():
    with pytest.raises(InputError, match="no photos; give one or more"):
        texture([], model=ToyModel())
