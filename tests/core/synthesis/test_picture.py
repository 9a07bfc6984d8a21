import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.synthesis.backdrop import blur_matrix, paint_backdrop
from uvface.core.synthesis.bank import load_bank
from uvface.core.synthesis.film import expose
from uvface.core.synthesis.glasses import draw_glasses, glasses_vertices, sample_glasses
from uvface.core.synthesis.kinds import KINDS
from uvface.core.synthesis.occluders import paint_occluder
from uvface.core.synthesis.pool import encode_jpeg, sample_keys
from uvface.core.synthesis.skins import sample_skin

BACKDROPS = jnp.full((2, 330, 330, 3), 90, jnp.uint8)


@pytest.mark.parametrize(("sigma", "shrink"), [(0.4, 1.0), (3.0, 1.0), (0.5, 0.3)])
def test_blur_keeps_flat_pictures_flat(sigma: float, shrink: float):
    matrix = np.asarray(jax.jit(blur_matrix)(jnp.float32(sigma), jnp.float32(shrink)))
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-5)
    ramp = matrix @ np.arange(320)
    np.testing.assert_allclose(ramp[20:-20], np.arange(320)[20:-20], atol=2.0)


def test_exposure_brings_faces_to_a_similar_brightness():
    mask = jnp.zeros((320, 320)).at[100:200, 100:200].set(1.0)
    means = []
    develop = jax.jit(expose)
    for level in (0.02, 0.2, 2.0):
        image = develop(jax.random.key(3), jnp.full((320, 320, 3), level), mask)
        means.append(float((image[..., 1] * mask).sum() / mask.sum()))
    assert means[0] < means[1] < means[2]
    assert means[2] / means[0] < 6  # of 10 in square roots


def test_backdrops_stay_in_range():
    paint = jax.jit(lambda key: paint_backdrop(key, BACKDROPS))
    for seed in range(4):
        image = np.asarray(paint(jax.random.key(seed)))
        assert image.shape == (320, 320, 3)
        assert image.min() >= 0 and image.max() <= 1


def test_occluder_changes_only_what_it_covers():
    image = jnp.full((320, 320, 3), 0.5)
    paint = jax.jit(lambda key: paint_occluder(key, image, jnp.full(3, 0.7), BACKDROPS))
    for seed in range(4):
        painted, alpha, kind = paint(jax.random.key(seed))
        assert KINDS[int(kind)] in ("hand", "thing")
        bare = np.asarray(alpha) == 0
        assert (np.asarray(painted)[bare] <= 0.5 + 1e-6).all()  # its shadow darkens only


def test_glasses_stand_before_both_eyes():
    look = jax.jit(sample_glasses)(jax.random.key(0))
    eyes = jnp.array([[3.2, 0.0, 0.0], [-3.2, 0.0, 0.0]])
    ears = jnp.array([[7.5, 1.0, -8.0], [-7.5, 1.0, -8.0]])
    points = np.asarray(jax.jit(glasses_vertices)(look, eyes, ears))
    lenses = points[:122].reshape(2, 61, 3)
    assert (lenses[0, :, 0] > 0).all() and (lenses[1, :, 0] < 0).all()
    assert (lenses[..., 2] > 1.0).all()
    pixels = jnp.asarray(points * 8 + np.array([80, 60, 0]), dtype=jnp.float32)
    draw = jax.jit(draw_glasses, static_argnums=3)
    _, alpha, _ = draw(pixels, look, jnp.ones(3), 160)
    assert 0.01 < float((alpha > 0).mean()) < 0.5


def test_bank_without_pictures_is_procedural():
    bank = load_bank(None)
    assert bank.faces.shape == (1, 3, 384, 384)
    assert bank.photo_faces.shape[0] == 0
    look = jax.jit(sample_skin)(jax.random.key(0), bank)
    assert float(look.photo_share) == 0.0
    assert 0.0 < float(look.tone.min()) and float(look.tone.max()) < 1.0


def test_compression_depends_on_seed_and_number_only():
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    first = encode_jpeg(image, seed=(3, 8))
    np.testing.assert_array_equal(first, encode_jpeg(image, seed=(3, 8)))
    sizes = {encode_jpeg(image, seed=(3, number)).size for number in range(20)}
    assert len(sizes) > 3


def test_keys_depend_on_the_number_only():
    whole = jax.random.key_data(sample_keys(4, range(6)))
    part = jax.random.key_data(sample_keys(4, range(3, 6)))
    np.testing.assert_array_equal(whole[3:], part)
