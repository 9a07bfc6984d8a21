"""Pictures of a report."""

import dataclasses

import jax.numpy as jnp
import numpy as np
from toy_faces import toy_photo

from uvface.faceswap.report import _crop


def test_a_large_face_is_averaged_in_its_picture():
    """Stripes of one pixel are grey at a fifth of their size; sampled, they would be a moire."""
    rows, columns = np.mgrid[:2400, :2400]
    stripes = ((rows + columns) % 2).astype(np.float32)[..., None].repeat(3, axis=-1)
    face = dataclasses.replace(toy_photo(1)[1], box=jnp.array([600.0, 600.0, 1700.0, 1700.0]))
    picture = _crop(stripes, face)
    assert picture.shape == (320, 320, 3)
    assert np.abs(picture - 0.5).max() < 0.1


def test_a_picture_shows_the_face_in_its_middle():
    image = np.zeros((200, 300, 3), np.float32)
    image[90:111, 190:211] = 1.0
    face = dataclasses.replace(toy_photo(1)[1], box=jnp.array([150.0, 50.0, 250.0, 150.0]))
    bright = np.argwhere(_crop(image, face)[..., 0] > 0.5)
    np.testing.assert_allclose(bright.mean(axis=0), 159.5, atol=0.5)
