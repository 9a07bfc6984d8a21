"""How soft a picture is, and drawn faces blurred until they are as soft as their photo."""

import cv2
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.editing.detail.sharpness import blurred, missing_blur

SIZE = 160
WEIGHT = np.pad(np.ones((SIZE - 40, SIZE - 40), np.float32), 20)


def _shapes(seed=0):
    """Return a sharp picture of discs of random shades, as a camera of 1 px would draw them."""
    rng = np.random.default_rng(seed)
    picture = np.full((4 * SIZE, 4 * SIZE), 0.5, np.float32)
    for _ in range(40):
        center = tuple(int(v) for v in rng.integers(0, 4 * SIZE, 2))
        radius, shade = int(rng.integers(30, 110)), float(rng.random())
        cv2.circle(picture, center, radius, shade, -1)
    return cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def _soft(picture, variance):
    return cv2.GaussianBlur(picture, (0, 0), variance**0.5, borderType=cv2.BORDER_REPLICATE)


def _missing(drawn, photo, weight=WEIGHT):
    pictures = (np.repeat(picture[..., None], 3, axis=-1) for picture in (drawn, photo))
    return float(missing_blur(*(jnp.asarray(x) for x in (*pictures, weight))))


@pytest.mark.parametrize("variance", [0.8, 1.5, 4.0, 9.0])
def test_missing_blur_is_the_blur_of_the_photo(variance):
    drawn = _shapes()
    assert _missing(drawn, _soft(drawn, variance)) == pytest.approx(variance, rel=0.15)
    softer = _missing(_soft(drawn, 2.0), _soft(drawn, 2.0 + variance))
    assert softer == pytest.approx(variance, rel=0.25)


@pytest.mark.parametrize("variance", [0.8, 4.0])
def test_contrast_and_content_do_not_count(variance):
    drawn, other = _shapes(0), _shapes(1)
    pale = 0.4 + 0.2 * _soft(other, variance)
    assert _missing(drawn, pale) == pytest.approx(variance, rel=0.3)
    assert _missing(drawn, 0.4 + 0.2 * other) == 0.0


def test_a_photo_as_sharp_or_sharper_blurs_nothing():
    drawn = _shapes()
    assert _missing(drawn, drawn) == 0.0
    assert _missing(_soft(drawn, 3.0), drawn) == 0.0
    assert _missing(drawn, _soft(drawn, 0.2)) == 0.0


def test_what_is_not_compared_does_not_count():
    drawn = _shapes()
    photo = _soft(drawn, 2.0)
    photo[:, :14] = np.indices((SIZE, 14)).sum(axis=0) % 2
    assert _missing(drawn, photo) == pytest.approx(2.0, rel=0.15)
    flat = np.full_like(drawn, 0.5)
    assert _missing(drawn, flat) == 0.0 and _missing(flat, drawn) == 0.0
    assert _missing(drawn, photo, np.zeros_like(WEIGHT)) == 0.0


@pytest.mark.parametrize("variance", [0.5, 3.0, 16.0])
def test_blurred_is_a_gaussian(variance):
    planes = np.stack([_shapes(0), _shapes(1)])
    expected = np.stack([_soft(plane, variance) for plane in planes])
    np.testing.assert_allclose(blurred(jnp.asarray(planes), variance), expected, atol=2e-3)


def test_no_face_is_blurred_until_it_has_less_detail_than_the_photo():
    drawn = 0.45 + 0.1 * _shapes(0)
    strong = _soft(_shapes(1), 3.0)
    assert _missing(drawn, strong) == 0.0
    assert _missing(drawn, 0.45 + 0.1 * strong) > 2.0
