"""Unseen texels come from the other side; seen ones stay."""

import jax.numpy as jnp
import numpy as np
import pytest
from toys import toy_layout, toy_texture

from uvface.editing.complete import complete_texture, completion_weights
from uvface.editing.replace import replace_region


@pytest.fixture(scope="module")
def layout():
    return toy_layout()


def _symmetric_texture():
    texture = toy_texture()
    return 0.5 * (texture + texture[:, ::-1])


def test_everything_seen_changes_nothing(layout):
    texture = toy_texture()
    result = complete_texture(texture, jnp.ones((64, 64)), layout)
    np.testing.assert_allclose(result, texture, atol=1e-6)


def test_hidden_side_is_mirrored(layout):
    truth = _symmetric_texture()
    visibility = jnp.ones((64, 64)).at[:, 40:].set(0.0)
    damaged = truth.at[:, 40:].set(0.0)
    result = complete_texture(damaged, visibility, layout)
    np.testing.assert_allclose(result[10:54, 46:60], truth[10:54, 46:60], atol=0.02)
    np.testing.assert_allclose(result[:, :30], truth[:, :30], atol=1e-6)


def test_texels_seen_on_neither_side_take_the_fallback(layout):
    visibility = jnp.ones((64, 64)).at[:, 20:44].set(0.0)
    fallback = jnp.full((64, 64, 3), 0.125)
    result = complete_texture(toy_texture(), visibility, layout, fallback=fallback)
    np.testing.assert_allclose(result[:, 28:36], 0.125, atol=1e-5)


def test_weights_never_exceed_one(layout):
    visibility = jnp.asarray(np.random.default_rng(0).random((64, 64)), jnp.float32)
    own, mirrored = completion_weights(visibility, layout)
    assert (own >= 0).all() and (mirrored >= 0).all() and (own + mirrored <= 1.0 + 1e-6).all()


def test_replacing_by_masks_of_zero_and_one(layout):
    texture, other = toy_texture(), jnp.zeros((64, 64, 3))
    np.testing.assert_array_equal(replace_region(texture, other, jnp.zeros((64, 64))), texture)
    np.testing.assert_array_equal(replace_region(texture, other, jnp.ones((64, 64))), other)
