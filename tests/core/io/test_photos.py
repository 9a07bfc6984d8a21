"""Photos as arrays and as pictures of Pillow: what counts as one."""

import io

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from uvface.core.errors import InputError
from uvface.core.io.images import read_photo
from uvface.core.io.photos import as_rgb, open_photo


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


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_whole_numbers_are_divided_by_the_largest_of_their_type(dtype):
    image = np.full((4, 5, 3), np.iinfo(dtype).max, dtype)
    np.testing.assert_array_equal(as_rgb(image), np.ones((4, 5, 3), np.float32))


@pytest.mark.parametrize("image", [np.zeros((4, 5)), np.zeros((4, 5, 4)), np.ones((4, 5, 3), bool)])
def test_an_array_that_is_no_photo_is_refused(image):
    with pytest.raises(InputError, match="is no photo"):
        as_rgb(image)


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.int16, np.uint32])
def test_whole_numbers_whose_white_nobody_knows_are_refused(dtype):
    image = np.random.default_rng(0).integers(0, 256, (4, 5, 3)).astype(dtype)
    name = np.dtype(dtype).name
    with pytest.raises(
        InputError, match=rf"\(4, 5, 3\) and type {name} is no photo; need RGB .*uint8"
    ):
        as_rgb(image)


def test_floats_that_are_not_divided_by_their_white_are_refused():
    with pytest.raises(InputError, match=r"floats from 0 to 255 is no photo; divide it"):
        as_rgb(np.linspace(0.0, 255.0, 60, dtype=np.float32).reshape(4, 5, 3))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_array_that_is_not_finite_is_an_error(value):
    image = np.full((40, 50, 3), 0.5, np.float32)
    image[20, 30, 1] = value
    with pytest.raises(InputError, match="not finite everywhere"):
        as_rgb(image)


def _saved(path, mode, **options):
    """Return a noisy picture of a mode that was written to a file."""
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, len(mode)), np.uint8)
    picture = Image.fromarray(pixels.squeeze(), mode)
    picture.save(path, **options)
    return path


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize(("name", "mode"), [("a.png", "RGBA"), ("a.jpg", "CMYK"), ("a.png", "L")])
def test_an_opened_picture_is_what_its_file_is(tmp_path, name, mode, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = _saved(tmp_path / name, mode, exif=exif)
    with Image.open(path) as picture:
        given = open_photo(picture)
    read = read_photo(path)
    np.testing.assert_array_equal(given.image, read.image)
    assert given.image.shape == ((4, 6, 3) if orientation == 1 else (6, 4, 3))
    assert given.exif == read.exif and (given.alpha is None) == (mode != "RGBA")
    assert given.path is None


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif"])
def test_a_picture_is_left_as_it_is_and_can_be_used_again(tmp_path, name):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    exif.get_ifd(0x8769)[0x9003] = "2020:02:02 02:02:02"
    with Image.open(_saved(tmp_path / name, "RGB", exif=exif)) as picture:
        first, second = open_photo(picture), open_photo(picture)
        assert first.image.shape == second.image.shape == (6, 4, 3)
        assert first.exif == second.exif
        if name != "a.tif":  # Pillow turns it itself, and drops the tag
            assert picture.getexif()[0x0112] == 6


def test_a_picture_of_16_bits_keeps_them():
    grey = np.arange(24, dtype=np.uint16).reshape(4, 6) * 2700
    image = open_photo(Image.fromarray(grey)).image
    np.testing.assert_array_equal(image, np.repeat(grey[..., None] / np.float32(65535), 3, axis=2))


def test_a_picture_that_cannot_be_decoded_is_one_line(tmp_path):
    whole = _saved(tmp_path / "a.png", "RGB").read_bytes()
    for picture in (Image.open(io.BytesIO(whole[:80])), Image.new("F", (4, 4))):
        with pytest.raises(InputError) as caught:
            open_photo(picture)
        assert "\n" not in str(caught.value)


def test_arrays_of_jax_are_photos():
    pixels = np.random.default_rng(0).random((4, 5, 3), np.float32)
    np.testing.assert_array_equal(open_photo(jnp.asarray(pixels)).image, pixels)
