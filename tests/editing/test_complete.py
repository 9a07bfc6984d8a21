"""Unseen texels come from the other side or from around; seen ones stay."""

import jax.numpy as jnp
import numpy as np
import pytest
from toys import toy_layout, toy_texture

from uvface.editing.complete import complete, fill_smoothly


@pytest.fixture(scope="module")
def layout():
    return toy_layout()


def _complete(seen, layout, **options):
    """Complete a face whose other side is seen as it is itself."""
    return complete(seen, layout.mirror(seen[..., None])[..., 0], **options)


def _half_seen():
    return jnp.ones((64, 64)).at[:, 40:].set(0.0)


def test_everything_seen_comes_from_itself(layout):
    everything = jnp.ones((64, 64))
    shares = _complete(everything, layout, wanted=everything)
    np.testing.assert_allclose(shares.direct, 1.0, atol=1e-6)
    np.testing.assert_allclose(shares.mirrored + shares.filled, 0.0, atol=1e-6)


def test_hidden_side_is_mirrored(layout):
    shares = _complete(_half_seen(), layout, wanted=jnp.ones((64, 64)))
    assert (shares.direct[:, :34] > 0.99).all()
    assert (shares.direct[:, 46:] < 0.01).all() and (shares.mirrored[:, 46:] > 0.99).all()


@pytest.mark.parametrize("how", ["none", "mirror", "fill", "auto"])
def test_a_face_put_back_is_complete_however_little_it_shows(layout, how):
    seen = jnp.asarray(np.random.default_rng(0).random((64, 64)), jnp.float32) * _half_seen()
    shares = _complete(seen, layout, wanted=seen, how=how)
    assert (shares.direct[:, 4:36] > 0.95).all() and (shares.mirrored[:, 4:36] < 0.05).all()


def test_without_completion_hidden_texels_are_left(layout):
    shares = _complete(_half_seen(), layout, wanted=jnp.ones((64, 64)), how="none")
    np.testing.assert_array_equal(shares.mirrored + shares.filled, 0.0)
    assert (shares.direct[:, 46:] < 0.01).all()


def test_gaps_are_filled_and_large_holes_left_unless_all_is_wanted(layout):
    wanted = jnp.ones((64, 64))
    gap = wanted.at[30:31].set(0.0)
    hole = wanted.at[:, 12:52].set(0.0)
    assert (_complete(gap, layout, wanted=wanted).filled[30, 20:44] > 0.8).all()
    assert (_complete(hole, layout, wanted=wanted).filled[20:44, 28:36] < 0.05).all()
    filled = _complete(hole, layout, wanted=wanted, how="fill")
    total = filled.direct + filled.mirrored + filled.filled
    np.testing.assert_allclose(total, 1.0, atol=1e-5)


def test_what_must_not_be_torn_is_filled_however_large_the_hole(layout):
    wanted = jnp.ones((64, 64))
    hole, whole = wanted.at[:, 12:52].set(0.0), jnp.zeros((64, 64)).at[20:30].set(1.0)
    shares = _complete(hole, layout, wanted=wanted, whole=whole)
    assert (shares.filled[20:30, 16:48] > 0.95).all()
    assert (shares.filled[40:50, 28:36] < 0.05).all()


@pytest.mark.parametrize("how", ["auto", "fill"])
def test_what_must_not_be_torn_is_left_where_nothing_is_known_of_it(layout, how):
    """Also towards its edge, where skin is near: with that colour lips would be gone."""
    whole = jnp.zeros((64, 64)).at[24:44, 16:48].set(1.0)
    hidden = whole.at[22:46, 14:50].set(1.0)
    shares = _complete(1.0 - hidden, layout, wanted=jnp.ones((64, 64)), whole=whole, how=how)
    assert (shares.direct + shares.mirrored + shares.filled)[25:43, 17:47].max() < 0.05


def test_nothing_is_filled_where_nothing_is_known(layout):
    nothing = jnp.zeros((64, 64))
    shares = _complete(nothing, layout, wanted=jnp.ones((64, 64)), how="fill")
    np.testing.assert_array_equal(shares.filled, 0.0)


def test_shares_never_exceed_one(layout):
    seen = jnp.asarray(np.random.default_rng(0).random((64, 64)), jnp.float32)
    shares = _complete(seen, layout, wanted=jnp.ones((64, 64)), how="fill")
    parts = (shares.direct, shares.mirrored, shares.filled)
    assert all((part >= 0).all() for part in parts)
    assert (sum(parts) <= 1.0 + 1e-5).all()


def test_filling_continues_a_ramp_and_stays_within_its_range(layout):
    ramp = jnp.broadcast_to(jnp.linspace(0.0, 1.0, 64), (64, 64))[..., None]
    known = jnp.ones((64, 64)).at[20:44, 20:44].set(0.0)
    filled = fill_smoothly(jnp.where(known[..., None] > 0, ramp, 9.0), known)
    hole = np.s_[20:44, 20:44]
    # The rim is averaged over two texels first, each a step of 1 / 63.
    np.testing.assert_allclose(filled[hole], ramp[hole], atol=0.02)
    picture = toy_texture()
    smooth = fill_smoothly(picture, known)
    assert smooth.min() >= picture.min() - 1e-3 and smooth.max() <= picture.max() + 1e-3


def test_the_other_side_fades_in_before_the_own_one_ends(layout):
    """A half face seen: at its end both sides have a share, and nothing is lost between them."""
    shares = _complete(_half_seen(), layout, wanted=jnp.ones((64, 64)))
    direct, mirrored = np.asarray(shares.direct)[32], np.asarray(shares.mirrored)[32]
    assert ((direct > 0.03) & (mirrored > 0.03)).sum() >= 2
    assert (np.diff(mirrored) > -0.01).all()
    np.testing.assert_allclose((direct + mirrored + shares.filled[32]), 1.0, atol=1e-3)


def test_the_target_fades_in_before_the_known_ends(layout):
    """Both sides are hidden below: their share falls over some texels, not within one."""
    seen = jnp.ones((64, 64)).at[40:].set(0.0)
    shares = _complete(seen, layout, wanted=jnp.ones((64, 64)), how="mirror")
    fall = np.asarray(shares.direct)[:, 32]
    assert fall[:30].min() > 0.99 and fall[42:].max() < 0.01
    assert np.diff(fall).min() > -0.6 and ((fall > 0.05) & (fall < 0.95)).sum() >= 2


def test_auto_fills_nothing_where_the_target_s_own_is_to_be_left(layout):
    hidden, left = jnp.zeros((64, 64)).at[28:36, 28:36].set(1.0), np.s_[30:34, 30:32]
    whole = hidden.at[22:28, 28:36].set(1.0)
    options = {"wanted": jnp.ones((64, 64)), "whole": whole}
    filled = _complete(1.0 - hidden, layout, **options).filled
    kept = _complete(1.0 - hidden, layout, **options, left=jnp.zeros((64, 64)).at[left].set(1.0))
    assert filled[left].min() > 0.95
    assert kept.filled[left].max() == 0.0
    assert (kept.direct + kept.mirrored)[left].max() < 0.05
