"""What neither side of a source shows is filled from around, in the target's own detail."""

import jax.numpy as jnp
import numpy as np
import pytest

from uvface.editing.complete import Shares, complete
from uvface.editing.fill import detail, fill_colors
from uvface.editing.side import Side

NONE = jnp.zeros((64, 64))
BELOW = NONE.at[28:36, 24:40].set(1.0)  # the underside of a nose


def _side(lab, seen=NONE + 1.0):
    return Side(
        lab=lab,
        seen=seen,
        plain=NONE + 1.0,
        among=NONE,
        white=NONE,
        normal=jnp.ones((64, 64, 3)),
        facing=NONE + 1.0,
        paleness=jnp.float32(0.8),
        harshness=jnp.zeros(()),
        profile=jnp.zeros(()),
    )


def _fill(shares, colors, *, lips=NONE, target=None, below=NONE):
    target = _side(colors) if target is None else target
    return fill_colors(
        shares, colors, colors, target=target, lips=lips, underside=below, how="auto"
    )


def _filled(lip_color):
    """Fill the lower half of a toy face whose upper lip, alone, is known to be of a colour."""
    lips = jnp.zeros((64, 64)).at[24:40, 20:44].set(1.0)
    known = jnp.ones((64, 64)).at[32:].set(0.0)
    skin = jnp.broadcast_to(jnp.array([0.7, 0.05, 0.05]), (64, 64, 3))
    colors = jnp.where(lips[..., None] > 0, jnp.asarray(lip_color), skin)
    marks = np.zeros((64, 64, 3), np.float32)
    marks[..., 0] = 0.1 * (np.arange(64) // 2 % 2 - 0.5)
    target = _side(0.5 * skin + jnp.asarray(marks))
    shares = Shares(direct=known, mirrored=0.0 * known, filled=1.0 - known)
    smooth, _ = _fill(shares, colors, lips=lips, target=target)
    return np.asarray(smooth + detail(target, underside=NONE))


def test_lips_are_filled_with_the_colour_of_what_is_known_of_them():
    red, dark = [0.5, 0.2, 0.05], [0.3, 0.1, 0.0]
    for color in (red, dark):
        fill = _filled(color)
        np.testing.assert_allclose(fill[34:38, 24:40].mean(axis=(0, 1)), color, atol=0.02)
        far = fill[50:60, 8:16].mean(axis=(0, 1)) - [0.7, 0.05, 0.05]
        assert np.linalg.norm(far) < 0.5 * np.linalg.norm(np.subtract(color, [0.7, 0.05, 0.05]))


def test_lips_that_are_all_one_knows_are_filled():
    """Half of them stayed the target's where the reference shows no skin beside them."""
    lips = jnp.zeros((64, 64)).at[24:40, 20:44].set(1.0)
    known = lips.at[32:].set(0.0)
    colors = jnp.broadcast_to(jnp.array([0.5, 0.12, 0.04]), (64, 64, 3))
    shares = Shares(direct=known, mirrored=0.0 * known, filled=1.0 - known)
    filled, is_filled = _fill(shares, colors, lips=lips)
    soft, half_filled = _fill(shares, colors, lips=0.5 * lips)
    assert 0.3 < float(half_filled[36, 32]) < 0.7
    np.testing.assert_allclose(soft[36, 32], colors[0, 0], atol=0.01)  # not mixed with black
    assert float(is_filled[36, 32]) > 0.9 and float(is_filled[50, 32]) == 0.0
    np.testing.assert_allclose(filled[36, 32], colors[0, 0], atol=0.01)


def test_what_is_filled_has_the_target_s_own_detail():
    row = _filled([0.5, 0.2, 0.05])[55, 16:48, 0]
    assert 0.07 < row[2::4].mean() - row[::4].mean() < 0.11


SKIN, SHADE = jnp.array([0.7, 0.05, 0.05]), jnp.array([0.4, 0.05, 0.04])
HIDDEN = Shares(direct=1.0 - BELOW, mirrored=NONE, filled=BELOW)


def test_the_underside_of_a_nose_has_the_colours_of_its_rim():
    """It had those from further around, paler than the shade in which it lies."""
    around = NONE.at[24:40, 20:44].set(1.0)[..., None]
    colors = SKIN + around * (SHADE - SKIN)
    for below, is_dark in ((BELOW, True), (NONE, False)):
        fill, _ = _fill(HIDDEN, colors, below=below)
        rim = np.asarray(fill)[28, 26:38]
        assert (np.abs(rim - SHADE).max() < 0.02) == is_dark


@pytest.mark.parametrize("dark", [0.5, 0.3])
@pytest.mark.parametrize("rim", [0, 3])
def test_the_underside_of_a_nose_is_as_dark_beside_its_rim_as_the_target_s(dark, rim):
    """Shade that the rim lies in, too, was counted twice: 0.43 and 0.15 here."""
    shaded = NONE.at[28 - rim : 36 + rim, 24 - rim : 40 + rim].set(1.0)[..., None]
    colors = SKIN * (1.0 + shaded * (dark / 0.7 - 1.0))
    fill, _ = _fill(HIDDEN, colors, below=BELOW)
    np.testing.assert_allclose(fill[29:35, 26:38, 0].mean(), dark, atol=0.04 if rim else 0.15)
    # A source in half the light, onto the same target: as much darker beside its own rim.
    half, _ = _fill(HIDDEN, 0.5 * colors, target=_side(colors), below=BELOW)
    np.testing.assert_allclose(half, 0.5 * fill, atol=1e-3)


def test_the_underside_of_a_nose_that_the_target_hides_is_not_darker_than_its_rim():
    flat = jnp.broadcast_to(SKIN, (64, 64, 3))
    for hidden in (BELOW, NONE.at[20:44, 16:48].set(1.0)):
        target = _side(flat * (1.0 - hidden)[..., None], seen=1.0 - hidden)
        fill, _ = _fill(HIDDEN, flat, target=target, below=BELOW)
        np.testing.assert_allclose(fill, flat, atol=0.01)


def test_the_underside_of_a_nose_is_as_shaded_where_the_target_shows_little_of_it():
    """Without its shade, a row that the target half hides was a pale arc below the tip."""
    shaded = NONE.at[25:39, 21:43].set(1.0)[..., None]
    colors = SKIN * (1.0 - 0.4 * shaded)
    lit = jnp.broadcast_to(SKIN, (64, 64, 3))
    for seen in (1.0, 0.3):
        target = _side(colors, seen=(NONE + 1.0).at[31, 24:40].set(seen))
        known = Shares(direct=1.0 - shaded[..., 0], mirrored=NONE, filled=shaded[..., 0])
        fill, _ = _fill(known, lit, target=target, below=shaded[..., 0])
        assert np.ptp(fill[29:34, 26:38, 0]) < 0.06


def test_the_underside_of_a_nose_has_none_of_the_target_s_lines():
    """Lines of the folds around it became black curls between the nostrils."""
    lab = np.broadcast_to(np.float32([0.7, 0.05, 0.05]), (64, 64, 3)).copy()
    lab[26:38, 22:42, 0] = 0.5
    lab[31, 24:40] = [0.1, 0.0, 0.0]
    target, inside = _side(jnp.asarray(lab)), np.s_[29:35, 26:38]
    assert (np.asarray(detail(target, underside=BELOW))[inside] == 0.0).all()
    fine = np.asarray(detail(target, underside=NONE))
    assert np.ptp(fine[inside][..., 0], axis=0).max() > 0.35
    fill, _ = _fill(HIDDEN, jnp.broadcast_to(SKIN, (64, 64, 3)), target=target, below=BELOW)
    assert np.ptp(fill[inside][..., 0], axis=0).max() < 0.3


def test_what_lies_before_a_fold_is_not_read_behind_it():
    """At the last texels that the target shows it was, since hardly anything is wanted there."""
    hidden = NONE.at[30:34, 26:38].set(1.0)
    wanted = 1.0 - hidden.at[30:32].set(0.0)  # the target shows more of it
    seen = 1.0 - hidden
    shares = complete(seen, NONE, wanted=wanted, how="auto", folds=BELOW)
    assert np.asarray(shares.direct)[32, 28:36].max() < 0.1
    contour = complete(seen, NONE, wanted=wanted, how="auto", folds=NONE.at[24:36, 24:40].set(1.0))
    assert np.asarray(contour.direct)[29, 28:36].max() < 0.15  # 0.21: streaks of what lies past it
    assert np.asarray(shares.filled)[32, 28:36].min() > 0.9
    same = complete(seen, NONE, wanted=seen, how="auto", folds=BELOW)  # put back into its photo
    assert np.asarray(same.direct)[32, 30:34].min() > 0.95
