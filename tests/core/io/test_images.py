import errno
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import tifffile
from PIL import Image, ImageCms, ImageOps

from uvface.core import whole_files
from uvface.core.errors import InputError
from uvface.core.io.images import read_photo, write_image


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return skimage.data.astronaut()[:160, 150:290]


def save(path: Path, pixels: np.ndarray, **options: object) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


def test_photo_is_float32_rgb_in_unit_range(tmp_path, astronaut):
    photo = read_photo(save(tmp_path / "a.png", astronaut))
    assert photo.image.dtype == np.float32 and photo.image.shape == astronaut.shape
    assert (photo.height, photo.width, photo.bit_depth) == (160, 140, 8)
    assert photo.alpha is None and photo.warnings == ()
    np.testing.assert_array_equal(np.rint(photo.image * 255), astronaut)


LOSSLESS = [(s, bits) for s in (".png", ".tif", ".tiff") for bits in (8, 16)] + [(".webp", 8)]


@pytest.mark.parametrize(("suffix", "bit_depth"), LOSSLESS)
def test_every_value_comes_back_unchanged(tmp_path, suffix, bit_depth):
    count = 2**bit_depth
    grey = np.arange(count, dtype=np.uint8 if bit_depth == 8 else np.uint16).reshape(-1, 16)
    values = np.stack([grey, grey[::-1], grey.T.reshape(grey.shape)], axis=-1)
    image = values.astype(np.float32) / np.float32(count - 1)
    path = tmp_path / f"out{suffix}"
    write_image(path, image, bit_depth=bit_depth, quality=100)
    photo = read_photo(path)
    assert photo.bit_depth == bit_depth
    np.testing.assert_array_equal(photo.image, image)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("bit_depth", [8, 16])
def test_alpha_survives(tmp_path, suffix, bit_depth):
    rng = np.random.default_rng(0)
    top = np.float32(2**bit_depth - 1)
    image = rng.integers(0, int(top) + 1, (9, 7, 3)).astype(np.float32) / top
    alpha = rng.integers(0, int(top) + 1, (9, 7)).astype(np.float32) / top
    path = tmp_path / f"out{suffix}"
    write_image(path, image, alpha=alpha, bit_depth=bit_depth)
    photo = read_photo(path)
    np.testing.assert_array_equal(photo.image, image)
    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha, alpha)


def test_jpeg_lays_alpha_over_white_and_rounds_16_bits(tmp_path):
    path = tmp_path / "out.jpg"
    write_image(path, np.zeros((16, 16, 3), np.float32), alpha=np.zeros((16, 16), np.float32))
    assert read_photo(path).image.min() == 1.0
    write_image(path, np.full((16, 16, 3), 0.5, np.float32), bit_depth=16)
    assert read_photo(path).bit_depth == 8


@pytest.mark.parametrize("quality", [90, 95, 100])
def test_noise_is_written_as_jpeg(tmp_path, capfd, quality):
    """It takes more bytes than Pillow's guess, which libjpeg needs to optimise its tables."""
    noise = np.random.default_rng(0).random((600, 500, 3), np.float32)
    write_image(tmp_path / "noise.jpg", noise, quality=quality, exif=b"Exif\0\0" + bytes(60_000))
    assert np.abs(read_photo(tmp_path / "noise.jpg").image - noise).mean() < 0.1
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_orientation_is_applied_once(tmp_path, astronaut, orientation, depth, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo{suffix}"
    if depth == 8:
        save(path, astronaut, exif=exif)
    elif suffix == ".tif":
        tag = (0x0112, "H", 1, orientation, True)
        pixels = astronaut.astype(np.uint16) * 257
        tifffile.imwrite(path, pixels, photometric="rgb", extratags=[tag])
    else:
        image = astronaut.astype(np.float32) / 255
        write_image(path, image, bit_depth=16, exif=exif.tobytes())
    with Image.open(path) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
    photo = read_photo(path)
    assert photo.bit_depth == depth
    np.testing.assert_array_equal(np.rint(photo.image * 255), expected)
    again = tmp_path / "again.jpg"
    write_image(again, photo.image, exif=photo.exif)
    with Image.open(again) as picture:
        assert picture.getexif().get(0x0112, 1) == 1
    assert read_photo(again).image.shape == photo.image.shape


def test_exif_keeps_the_camera_and_loses_the_thumbnail(tmp_path, astronaut):
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769)[0x9003] = "2020:02:02 02:02:02"
    photo = read_photo(save(tmp_path / "a.jpg", astronaut, exif=exif))
    kept = Image.Exif()
    kept.load(photo.exif)
    assert kept[0x010F] == "Maker" and kept.get_ifd(0x8769)[0x9003].startswith("2020")
    assert not kept.get_ifd(0x0201)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff"])
def test_profile_is_kept(tmp_path, astronaut, suffix):
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = read_photo(save(tmp_path / "a.png", astronaut, icc_profile=icc))
    assert photo.icc == icc
    path = tmp_path / f"out{suffix}"
    write_image(path, photo.image, icc=photo.icc, bit_depth=16)
    assert read_photo(path).icc == icc


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "LA", "PA", "RGBA", "YCbCr"])
def test_every_colour_mode_becomes_rgb(tmp_path, astronaut, mode):
    picture = Image.fromarray(astronaut)
    picture = picture.convert("L").convert("1") if mode == "1" else picture.convert(mode)
    suffix = {"CMYK": "jpg", "YCbCr": "jpg", "PA": "tiff"}.get(mode, "png")
    picture.save(tmp_path / f"a.{suffix}")
    photo = read_photo(tmp_path / f"a.{suffix}")
    assert photo.image.shape == astronaut.shape
    assert (photo.alpha is not None) == (mode in ("LA", "PA", "RGBA"))
    grey = astronaut.mean(axis=2) / 255
    if mode != "1":
        assert np.abs(photo.image.mean(axis=2) - grey).mean() < 0.06


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_animation_gives_first_frame_and_says_so(tmp_path, astronaut, suffix):
    first, second = Image.fromarray(astronaut), Image.fromarray(255 - astronaut)
    path = tmp_path / f"a.{suffix}"
    first.save(path, save_all=True, append_images=[second])
    photo = read_photo(path)
    assert np.abs(photo.image - astronaut / np.float32(255)).mean() < 0.05
    assert photo.warnings == (f"a.{suffix} has 2 frames; the first one is used",)


def test_unicode_and_spaces_in_paths(tmp_path, astronaut):
    path = tmp_path / "Ünï çode 写真" / "a b.png"
    write_image(path, astronaut.astype(np.float32) / 255)
    assert read_photo(path).image.shape == astronaut.shape


def test_one_pixel(tmp_path):
    path = save(tmp_path / "one.png", np.full((1, 1, 3), 7, np.uint8))
    assert read_photo(path).image.shape == (1, 1, 3)


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


BAD_CONTENT = {
    "empty": (b"", "0 bytes"),
    "text": (b"this is no image at all", "not an image"),
    "heic": (b"\0\0\0\x18ftypheic" + b"\0" * 40, "HEIC"),
    "bomb": (png_header(20000, 20000), "pixels"),
    "large": (png_header(12000, 12000), "12000 x 12000"),
    "header only": (png_header(12, 12), "damaged"),
}


@pytest.mark.parametrize("name", BAD_CONTENT)
def test_bad_content_is_one_clear_line(tmp_path, name):
    content, words = BAD_CONTENT[name]
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read_photo(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tiff", "webp"])
@pytest.mark.parametrize("bit_depth", [8, 16])
def test_truncated_file_is_refused(tmp_path, astronaut, suffix, bit_depth):
    path = tmp_path / f"a.{suffix}"
    write_image(path, astronaut.astype(np.float32) / 255, bit_depth=bit_depth)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(InputError, match=r"damaged|not an image"):
        read_photo(path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_photo(tmp_path / "nobody.jpg")
    with pytest.raises(InputError, match="is a folder"):
        read_photo(tmp_path)


def test_bad_options_are_refused(tmp_path):
    image = np.zeros((4, 4, 3), np.float32)
    with pytest.raises(InputError, match="suffix"):
        write_image(tmp_path / "a.xyz", image)
    with pytest.raises(InputError, match="bit_depth"):
        write_image(tmp_path / "a.png", image, bit_depth=12)
    with pytest.raises(InputError, match="not numbers"):
        write_image(tmp_path / "a.png", image * np.float32(np.nan))
    with pytest.raises(InputError, match="encode"):
        write_image(tmp_path / "a.webp", np.zeros((1, 16384, 3), np.float32))
    assert list(tmp_path.iterdir()) == []


def test_failed_write_leaves_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(whole_files.os, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        write_image(path, np.zeros((4, 4, 3), np.float32))
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(InputError, match="cannot write"):
        write_image(tmp_path / "file" / "a.png", np.zeros((4, 4, 3), np.float32))


def test_damaged_tiffs_are_refused_in_one_line_or_read(tmp_path):
    path, rng = tmp_path / "a.tif", np.random.default_rng(0)
    save(path, np.full((8, 8, 3), 90, np.uint8))
    content, refused = path.read_bytes(), 0
    for _ in range(400):  # Pillow fails with TypeError, struct.error and more
        damaged = np.frombuffer(content, np.uint8).copy()
        places = np.r_[4:8, len(content) - 180 : len(content)]
        damaged[rng.choice(places, 4)] = rng.integers(0, 256, 4)
        path.write_bytes(damaged.tobytes())
        try:
            read_photo(path)
        except InputError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 20


def test_a_face_file_is_no_photo(tmp_path):
    (tmp_path / "a.uvface").write_bytes(b"\x40\0\0\0\0\0\0\0{}")
    with pytest.raises(InputError, match="is a face file, not a photo; use it as a reference"):
        read_photo(tmp_path / "a.uvface")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_exif_that_a_format_cannot_hold_does_not_cost_the_picture(tmp_path, suffix):
    """A PNG's may be of any size, a JPEG's has one segment of 64 KB."""
    exif = Image.Exif()
    exif[0x010E] = "x" * 70_000  # description
    write_image(tmp_path / f"a{suffix}", np.zeros((8, 8, 3), np.float32), exif=exif.tobytes())
    with Image.open(tmp_path / f"a{suffix}") as written:
        assert ("exif" in written.info) == (suffix != ".jpg")
