"""Pictures of 16 bits: TIFF, PNG and PGM, grey, with alpha, by planes or interleaved."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from uvface.core.errors import InputError
from uvface.core.io.images import photo_from_picture, read_photo, write_image


@pytest.mark.parametrize("alpha", [None, np.full((16, 16), 0.25, np.float32)])
def test_levels_of_8_bits_are_as_bright_in_16(tmp_path, alpha):
    """Beside an alpha of 16 bits they were left as they are: a 257th, nearly black."""
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=-1)
    write_image(tmp_path / "a.png", levels, alpha=alpha, bit_depth=16)
    photo = read_photo(tmp_path / "a.png")
    assert photo.bit_depth == 16
    np.testing.assert_allclose(photo.image, levels / np.float32(255), atol=1e-6)
    assert alpha is None or np.abs(photo.alpha - alpha).max() < 1e-4


def test_16_bit_grey_and_grey_alpha(tmp_path):
    grey = np.arange(0, 60000, 500, dtype=np.uint16).reshape(10, 12)
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    tifffile.imwrite(tmp_path / "grey.tif", grey)
    for name in ("grey.png", "grey.tif"):
        photo = read_photo(tmp_path / name)
        assert photo.bit_depth == 16
        np.testing.assert_array_equal(np.rint(photo.image[..., 2] * 65535), grey)


def test_16_bit_tiff_of_others(tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (20, 30, 3), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "plain.tif", values, photometric="rgb")
    done, encoded = cv2.imencode(".tif", values[..., ::-1])  # LZW
    assert done
    (tmp_path / "lzw.tif").write_bytes(encoded.tobytes())
    for name in ("plain.tif", "lzw.tif"):
        np.testing.assert_array_equal(np.rint(read_photo(tmp_path / name).image * 65535), values)


@pytest.mark.parametrize("is_opened", [False, True])
def test_16_bit_pgm_is_a_photo(tmp_path, is_opened):
    """It was taken for 32 bits."""
    path, grey = tmp_path / "a.pgm", np.arange(12).reshape(3, 4) * 300
    path.write_bytes(b"P5 4 3 4095\n" + grey.astype(">u2").tobytes())
    with Image.open(path) as picture:
        photo = photo_from_picture(picture) if is_opened else read_photo(path)
    assert photo.bit_depth == 16
    np.testing.assert_allclose(photo.image, np.repeat(grey[..., None] / 4095, 3, 2), atol=1e-5)


@pytest.mark.parametrize("is_opened", [False, True])
def test_16_bit_grey_keeps_what_is_transparent(tmp_path, is_opened):
    path, grey = tmp_path / "a.png", np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    Image.fromarray(grey).save(path, transparency=15000)
    with Image.open(path) as picture:
        photo = photo_from_picture(picture) if is_opened else read_photo(path)
    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha, np.where(grey == 15000, 0, 1))
    np.testing.assert_allclose(photo.image, np.repeat(grey[..., None] / 65535, 3, 2), atol=1e-6)


def test_32_bit_values_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "f.tif", np.zeros((4, 4), np.float32))
    with pytest.raises(InputError, match="32 bits"):
        read_photo(tmp_path / "f.tif")


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_16_bit_tiff_with_separate_planes(tmp_path, orientation, compression):
    values = np.random.default_rng(0).integers(0, 65536, (20, 30, 3), dtype=np.uint16)
    planes = np.ascontiguousarray(values.transpose(2, 0, 1))
    kinds = {"photometric": "rgb", "planarconfig": "separate", "compression": compression}
    tag = (0x0112, "H", 1, orientation, True)
    tifffile.imwrite(tmp_path / "a.tif", planes, extratags=[tag], **kinds)
    photo = read_photo(tmp_path / "a.tif")
    expected = values if orientation == 1 else np.rot90(values, -1)
    assert photo.bit_depth == 16 and photo.alpha is None
    np.testing.assert_array_equal(np.rint(photo.image * 65535), expected)


def test_16_bit_tiff_with_separate_planes_and_alpha(tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (4, 20, 30), dtype=np.uint16)
    kinds = {"photometric": "rgb", "planarconfig": "separate", "extrasamples": ["unassalpha"]}
    tifffile.imwrite(tmp_path / "a.tif", values, **kinds)
    photo = read_photo(tmp_path / "a.tif")
    np.testing.assert_array_equal(np.rint(photo.image * 65535), values[:3].transpose(1, 2, 0))
    np.testing.assert_array_equal(np.rint(photo.alpha * 65535), values[3])


@pytest.mark.parametrize("bits", [8, 16])
def test_a_fourth_channel_of_unknown_meaning_is_no_alpha(tmp_path, bits):
    """A film scanner's infrared made photos of 16 bits transparent."""
    kind = np.uint16 if bits == 16 else np.uint8
    values = np.random.default_rng(0).integers(0, 2**bits, (20, 30, 4)).astype(kind)
    kinds = {"photometric": "rgb", "extrasamples": ["unspecified"]}
    tifffile.imwrite(tmp_path / "a.tif", values, **kinds)
    photo = read_photo(tmp_path / "a.tif")
    assert photo.alpha is None and photo.bit_depth == bits
    np.testing.assert_array_equal(np.rint(photo.image * (2**bits - 1)), values[..., :3])


def test_16_bit_tiff_with_separate_planes_of_a_compression_we_lack(tmp_path, monkeypatch):
    planes = np.zeros((3, 20, 30), np.uint16)
    kinds = {"photometric": "rgb", "planarconfig": "separate", "compression": "zlib"}
    tifffile.imwrite(tmp_path / "a.tif", planes, **kinds)
    monkeypatch.setattr(tifffile.TIFF, "DECOMPRESSORS", {1: bytes})
    with pytest.raises(InputError, match=r"compressed by ADOBE_DEFLATE; save it with interleaved"):
        read_photo(tmp_path / "a.tif")


def test_16_bit_grey_tiff_whose_zero_is_white(tmp_path):
    grey = np.arange(0, 60000, 500, dtype=np.uint16).reshape(10, 12)
    tifffile.imwrite(tmp_path / "a.tif", 65535 - grey, photometric="miniswhite")
    photo = read_photo(tmp_path / "a.tif")
    np.testing.assert_array_equal(np.rint(photo.image[..., 1] * 65535), grey)


def test_16_bit_tiff_whose_colours_were_multiplied_by_alpha(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 65536, (20, 30, 3), dtype=np.uint16)
    alpha = rng.integers(20000, 65536, (20, 30, 1), dtype=np.uint16)
    alpha[:5] = 0
    stored = np.concatenate([np.rint(values * (alpha / 65535)).astype(np.uint16), alpha], axis=2)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", extrasamples=["assocalpha"])
    photo = read_photo(tmp_path / "a.tif")
    np.testing.assert_array_equal(np.rint(photo.alpha * 65535), alpha[..., 0])
    assert np.abs(photo.image[5:] * 65535 - values[5:]).max() < 3.0
    assert not photo.image[:5].any()


def test_16_bit_cmyk_is_refused_by_its_name(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((9, 9, 4), np.uint16), photometric="separated")
    with pytest.raises(InputError, match="16-bit TIFF in CMYK; save it as RGB"):
        read_photo(tmp_path / "a.tif")
