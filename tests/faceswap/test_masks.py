"""A user's masks: white may change, and what is transparent stays."""

import hashlib

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from uvface.core.errors import InputError
from uvface.core.io.images import Photo, read_photo, write_image
from uvface.core.io.photos import photo_origin
from uvface.core.io.sidecar import origin_record
from uvface.faceswap.masks import as_mask, read_mask

RAMP = np.tile(np.linspace(0, 1, 16, dtype=np.float32), (8, 1))
PHOTO = Photo(image=np.zeros((8, 16, 3), np.float32))


@pytest.mark.parametrize("color", [0.0, 0.5, 1.0])
def test_one_colour_on_transparent_is_its_alpha(tmp_path, color):
    write_image(tmp_path / "m.png", np.full((8, 16, 3), color, np.float32), alpha=RAMP)
    np.testing.assert_allclose(read_mask(tmp_path / "m.png", PHOTO), RAMP, atol=0.5 / 255)


def test_white_and_black_on_transparent_is_their_product(tmp_path):
    white = np.zeros((8, 16, 3), np.float32)
    white[:4] = 1.0
    write_image(tmp_path / "m.png", white, alpha=RAMP)
    expected = white[..., 0] * RAMP
    np.testing.assert_allclose(read_mask(tmp_path / "m.png", PHOTO), expected, atol=0.5 / 255)


@pytest.mark.parametrize("opacity", [0.0, 1.0])
def test_an_alpha_that_does_not_vary_does_not_count(tmp_path, opacity):
    grey = np.repeat(RAMP[..., None], 3, axis=2)
    write_image(tmp_path / "m.png", grey, alpha=np.full_like(RAMP, opacity))
    expected = read_photo(tmp_path / "m.png").image[..., 0]
    np.testing.assert_allclose(read_mask(tmp_path / "m.png", PHOTO), expected, atol=1e-6)


@pytest.mark.parametrize(
    "weights",
    [RAMP, jnp.asarray(RAMP), RAMP > 0.5, RAMP.astype(float), RAMP * np.float32(1.000001)],
)
def test_a_mask_may_be_weights_of_the_photo_s_size(weights):
    """As masks are everywhere else in the library."""
    expected = np.asarray(weights, np.float32)
    np.testing.assert_allclose(read_mask(as_mask(weights), PHOTO), expected, atol=1e-6)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_mask_may_be_levels_as_a_file_has_them(kind):
    levels = np.rint(RAMP * np.iinfo(kind).max).astype(kind)
    np.testing.assert_allclose(read_mask(as_mask(levels), PHOTO), RAMP, atol=0.003)


@pytest.mark.parametrize("weights", [RAMP, RAMP > 0.5])
def test_a_mask_is_told_by_the_bytes_of_what_was_given(weights):
    told = origin_record(photo_origin(as_mask(weights)))
    assert told["sha256"] == hashlib.sha256(weights.tobytes()).hexdigest()
    assert told["array"] == {"width": 16, "height": 8, "dtype": weights.dtype.name}


def test_masks_that_differ_by_their_alpha_are_told_apart():
    values = np.full((8, 16, 4), 255, np.uint8)
    values[..., 3] = np.rint(255 * RAMP)
    opened = as_mask(Image.fromarray(values))
    told = origin_record(photo_origin(opened))
    assert told["sha256"] == hashlib.sha256(values.tobytes()).hexdigest()
    np.testing.assert_allclose(read_mask(opened, PHOTO), RAMP, atol=0.5 / 255)


def test_so_are_photos_of_floats():
    """Floats were made whole numbers of 32 bits, which nothing holds."""
    white = np.ones((8, 16, 3), np.float32)
    told = {
        origin_record(photo_origin(as_mask(Photo(image=white, alpha=alpha))))["sha256"]
        for alpha in (RAMP, 0.5 * RAMP)
    }
    values = np.dstack([white, RAMP])
    assert len(told) == 2 and hashlib.sha256(values.tobytes()).hexdigest() in told


def test_weights_of_another_size_or_range_are_refused():
    with pytest.raises(InputError, match="measures 16 x 7, the photo 16 x 8"):
        read_mask(as_mask(RAMP[1:]), PHOTO)
    with pytest.raises(InputError, match=r"a mask of type float32, from 0.0 to 255.0; need bools"):
        as_mask(255 * RAMP)
