import cv2
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.geometry import crop
from uvface.core.geometry.crop import (
    crop_box,
    extract_crop,
    sample_crop,
)

BOX = jnp.array([9.5, 19.5, 169.5, 179.5])  # 160 wide: a crop of 256 photo pixels


def gradient(height, width):
    """An image whose first two channels are its coordinates."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.stack([x, y, np.zeros_like(x)], -1)


def crop_positions(photo_from_crop, size=256):
    y, x = np.mgrid[:size, :size].astype(np.float32)
    return np.asarray(photo_from_crop.apply(jnp.asarray(np.stack([x, y], -1))))


def test_box_fills_the_same_share_of_every_crop():
    box = jnp.array([100.0, 50.0, 180.0, 170.0])
    photo_from_crop = crop_box(box)
    assert photo_from_crop.scale == pytest.approx(1.6 * 100 / 256)
    centre = photo_from_crop.apply(jnp.array([127.5, 127.5]))
    np.testing.assert_allclose(centre, [140.0, 110.0], atol=1e-4)


def test_crop_edges_are_pixel_edges():
    corner = crop_box(BOX).apply(jnp.array([-0.5, -0.5]))
    np.testing.assert_allclose(corner, [89.5 - 128, 99.5 - 128], atol=1e-4)


def test_a_crop_at_scale_one_is_a_copy_with_repeated_edges():
    image = np.random.default_rng(0).random((220, 190, 3), dtype=np.float32)
    y, x = np.mgrid[:256, :256]
    expected = image[np.clip(y - 28, 0, 219), np.clip(x - 38, 0, 189)]
    np.testing.assert_allclose(extract_crop(image, crop_box(BOX)), expected, atol=1e-5)
    on_device = sample_crop(jnp.asarray(image), crop_box(BOX))
    np.testing.assert_allclose(on_device, expected, atol=1e-5)


@pytest.mark.parametrize("scale", [0.3, 1.0, 1.4, 3.3, 6.5])
@pytest.mark.parametrize("roll", [0.0, 33.0])
def test_positions_are_exact_at_every_scale_and_turn(scale, roll):
    half = 55.0 * scale
    box = jnp.array([900 - half, 1000 - half, 900 + half, 1000 + half])
    photo_from_crop = crop_box(box, roll=roll, size=112)
    crop = extract_crop(gradient(2000, 1800), photo_from_crop, size=112)
    np.testing.assert_allclose(crop[..., :2], crop_positions(photo_from_crop, 112), atol=5e-3)


def test_shrinking_averages_fine_detail():
    y, x = np.mgrid[:1200, :1200]
    stripes = ((x + y) % 2).astype(np.float32)[..., None]
    crop = extract_crop(stripes, crop_box(jnp.array([350.0, 350, 850, 850])))
    np.testing.assert_allclose(crop, 0.5, atol=0.06)


def test_a_crop_beyond_the_photo_repeats_its_edge():
    image = np.full((40, 50, 3), 0.25, np.float32)
    for box in ([-500.0, -500, -300, -300], [900.0, 10, 1900, 1010]):
        np.testing.assert_allclose(extract_crop(image, crop_box(jnp.array(box))), 0.25, atol=1e-5)


@pytest.mark.parametrize(
    "box", [(-1200, -900, 1500, 1700), (350, 240, 1100, 1090), (-90, 9, 30, 200)]
)
def test_a_box_far_beyond_the_photo_is_cut_without_its_border(monkeypatch, box):
    """The border was made at full size: 1.4 GB for a box of 4,000 pixels on a photo of 500."""
    cut, rectangle = [], crop.cut_rectangle
    image = np.random.default_rng(0).random((300, 400, 3), np.float32)
    photo_from_crop = crop_box(jnp.asarray(box, jnp.float32))

    def spy(given, low, high):
        cut.append(np.prod(high - low))
        return rectangle(given, low, high)

    monkeypatch.setattr(crop, "cut_rectangle", spy)
    found = crop.cut_region(image, photo_from_crop)
    block = int(found.photo_from_region.scale)
    assert cut[0] <= np.prod(np.array(image.shape[:2]) + 4 * block)
    first = np.rint(found.photo_from_region.translation - (block - 1) / 2).astype(int)
    cells = int(2 * (float(photo_from_crop.scale) * 129 * 2**0.5 + 2 * block) / block)
    wide = rectangle(image, first, first + block * cells)
    means = wide.reshape(cells, block, cells, block, 3).mean(axis=(1, 3))
    if float(photo_from_crop.scale) > 1.02 * block:
        width = 0.45 * (float(photo_from_crop.scale) ** 2 / block**2 - 1.0) ** 0.5
        means = cv2.GaussianBlur(means, (0, 0), width)
    inner = slice(4, cells - 4)
    np.testing.assert_allclose(found.pixels[inner, inner], means[inner, inner], atol=2e-3)
