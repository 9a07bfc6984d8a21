"""Colours and faults of pictures."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.synthesis.view import PICTURE_SIZE
from uvface.editing.augment.quality import Grade, Quality, compress, degrade, grade
from uvface.editing.augment.recipe import draw_recipe

_degrade, _grade = jax.jit(degrade), jax.jit(grade)


@pytest.fixture(scope="module")
def image():
    waves = np.random.default_rng(0).random((20, 20, 3)).astype(np.float32)
    return jnp.asarray(np.kron(waves, np.ones((PICTURE_SIZE // 20,) * 2 + (1,), np.float32)))


def test_identities_change_nothing(image):
    np.testing.assert_allclose(_grade(image, Grade.identity()), image, atol=1e-5)
    np.testing.assert_array_equal(_degrade(image, Quality.identity()), image)
    pixels = np.asarray(image * 255).astype(np.uint8)
    assert compress(pixels, 0) is pixels


def test_every_fault_shows(image):
    plain = dict.fromkeys(("blur", "noise"), jnp.zeros(())) | {"resolution": jnp.ones(())}
    plain |= {"jpeg": jnp.zeros((), jnp.int32), "key": jax.random.key(1)}
    for name, value in (("blur", 2.0), ("resolution", 0.3), ("noise", 0.05)):
        spoilt = _degrade(image, Quality(**plain | {name: jnp.asarray(value)}))
        assert 0.02 < float(jnp.abs(spoilt - image).mean()) < 0.2, name
        assert abs(float((spoilt - image).mean())) < 0.01
    pixels = np.asarray(image * 255).astype(np.uint8)
    losses = [np.abs(compress(pixels, q).astype(int) - pixels).mean() for q in (90, 20)]
    assert 0.0 < losses[0] < losses[1] < 20.0


def test_grey_is_grey_and_gains_are_balanced(image):
    grey = _grade(image, Grade(gain=jnp.ones(3), gamma=jnp.ones(()), saturation=jnp.zeros(())))
    assert float(jnp.ptp(grey, axis=-1).max()) < 1e-5
    drawn = [draw_recipe(jax.random.key(k), np.eye(3), jnp.ones(3), vary=()) for k in range(2)]
    assert all(float(recipe.grade.saturation) == 1.0 for recipe in drawn)
    keys = map(jax.random.key, range(150))
    drawn = [draw_recipe(key, np.eye(3), jnp.ones(3), vary=("color", "quality")) for key in keys]
    gains = np.stack([recipe.grade.gain for recipe in drawn])
    assert 0.6 < gains.min() and gains.max() < 1.6 and gains.std() > 0.03
    assert 0.01 < np.mean([recipe.grade.saturation == 0 for recipe in drawn]) < 0.2
    jpeg = np.array([int(recipe.quality.jpeg) for recipe in drawn])
    assert 0.3 < (jpeg > 0).mean() < 0.7 and jpeg.max() <= 80
