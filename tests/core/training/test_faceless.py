"""Crops without a face of a picture whose middle is red (the face) and the rest blue."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.training.faceless import faceless_on_device
from uvface.core.training.warp import CROP_SIZE

SIZE, COUNT = 320, 64
RED, BLUE, GREEN = (np.array(c, np.uint8) for c in ([255, 0, 0], [0, 0, 255], [0, 255, 0]))


@pytest.fixture(scope="module")
def picture():
    """Return a red square over half of the height and width: about as large as a face."""
    image = np.broadcast_to(BLUE, (SIZE, SIZE, 3)).copy()
    image[SIZE // 4 : -SIZE // 4, SIZE // 4 : -SIZE // 4] = RED
    return image


@pytest.fixture(scope="module")
def draw(picture):
    def draw(backdrops, seed=0):
        keys = jax.random.split(jax.random.key(seed), COUNT)
        given = None if backdrops is None else jnp.asarray(backdrops)
        crop = jax.jit(jax.vmap(lambda key: faceless_on_device(key, jnp.asarray(picture), given)))
        return np.asarray(crop(keys))

    return draw


@pytest.fixture(scope="module")
def alone(draw):
    return draw(None)


@pytest.fixture(scope="module")
def green(draw):
    """Return crops drawn with two backdrops, larger than the picture."""
    return draw(np.broadcast_to(GREEN, (2, SIZE + 64, SIZE + 64, 3)))


def test_values_are_colours(alone, green):
    for crops in (alone, green):
        assert crops.shape == (COUNT, CROP_SIZE, CROP_SIZE, 3)
        assert np.isfinite(crops).all() and crops.min() >= 0.0 and crops.max() <= 1.0


def test_no_crop_shows_the_whole_face_in_its_place(picture, alone, green):
    inner = slice((SIZE - CROP_SIZE) // 2, (SIZE + CROP_SIZE) // 2)
    ordinary = picture[inner, inner] / 255.0
    face = np.all(ordinary == RED / 255.0, axis=-1)
    for crop in (*alone, *green):
        gap = np.abs(crop - ordinary).mean(axis=-1)
        # Less than all of the face, or more of it than a crop of a face has: a piece of it.
        assert gap[face].mean() > 0.1 or gap[~face].mean() > 0.3
        assert gap.mean() > 0.1


def test_crops_are_of_all_kinds(alone):
    """Pieces show one colour or an edge, shuffled crops a face's worth of red, noise green too."""
    red = np.isclose(crop_red := alone[..., 0], 1.0) & (alone[..., 2] < 0.01)
    share = red.mean(axis=(1, 2))
    assert (share > 0.99).any() and (share < 0.01).any()
    assert crop_red.std(axis=(1, 2)).max() > 0.2
    assert (alone[..., 1].std(axis=(1, 2)) > 0.05).any()
    assert (np.ptp(alone, axis=0).max(axis=-1) > 0.9).all()


def test_some_crops_show_backdrops(alone, green):
    is_backdrop = np.all(np.isclose(green, GREEN / 255.0), axis=(1, 2, 3))
    assert 0.2 < is_backdrop.mean() < 0.6
    assert not np.all(np.isclose(alone, GREEN / 255.0), axis=(1, 2, 3)).any()
