"""What of a photo's grain a smoother face is given."""

import cv2
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.editing.detail.grain import missing_grain

SIZE = 256
WEIGHT = np.pad(np.ones((SIZE - 48, SIZE - 48), np.float32), 24)
INNER = np.s_[40:-40, 40:-40]


def _smooth(seed):
    random = np.random.default_rng(seed)
    coarse = random.uniform(0.3, 0.7, (8, 8, 3)).astype(np.float32)
    return cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)


def _noise(strength, seed=5):
    random = np.random.default_rng(seed)
    return strength * random.standard_normal((SIZE, SIZE, 3)).astype(np.float32)


def _missing(face, photo, weight=WEIGHT):
    drawn = np.where(weight[..., None] > 0, face, photo)
    return np.asarray(missing_grain(*(jnp.asarray(x) for x in (drawn, photo, weight))))


@pytest.mark.parametrize("strength", [0.008, 0.03])
def test_a_smooth_face_gets_the_grain_of_its_photo(strength):
    noise = _noise(strength)
    grain = _missing(_smooth(0), _smooth(1) + noise)[INNER]
    assert 0.55 < grain.std() / strength < 1.0
    assert np.corrcoef(grain.ravel(), noise[INNER].ravel())[0, 1] > 0.85


def test_a_face_with_as_much_grain_gets_none():
    photo = _smooth(1) + _noise(0.02)
    for face in (photo, _smooth(0) + _noise(0.019, 6), _smooth(0) + _noise(0.05, 7)):
        assert np.abs(_missing(face, photo)).max() == 0.0
    assert np.abs(_missing(_smooth(0), _smooth(1))).max() < 1e-3


def test_edges_of_the_photo_are_no_grain():
    photo = _smooth(1) + _noise(0.01)
    photo[100:104, 60:200] = 0.0
    grain = _missing(_smooth(0), photo)
    assert np.abs(grain[96:108, 60:200]).max() < 0.03


def test_detail_of_the_face_is_left_as_it_is():
    face, photo = _smooth(0), _smooth(1) + _noise(0.02)
    face[:, 170:] += _noise(0.05, 8)[:, 170:]
    grain = np.abs(_missing(face, photo))
    assert grain[40:-40, 180:-40].max() == 0.0 and grain[40:-40, 40:150].mean() > 0.005


def test_nothing_is_known_where_nothing_is_compared():
    assert (_missing(_smooth(0), _smooth(1) + _noise(0.02), np.zeros_like(WEIGHT)) == 0.0).all()
