"""What neither side of a source shows is filled from around, in the target's own detail."""

import jax.numpy as jnp
import numpy as np

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
    smooth, _ = fill_colors(shares, colors, colors, lips=lips, underside=NONE, how="auto")
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
    filled, is_filled = fill_colors(shares, colors, colors, lips=lips, underside=NONE, how="auto")
    soft, half_filled = fill_colors(
        shares, colors, colors, lips=0.5 * lips, underside=NONE, how="auto"
    )
    assert 0.3 < float(half_filled[36, 32]) < 0.7
    np.testing.assert_allclose(soft[36, 32], colors[0, 0], atol=0.01)  # not mixed with black
    assert float(is_filled[36, 32]) > 0.9 and float(is_filled[50, 32]) == 0.0
    np.testing.assert_allclose(filled[36, 32], colors[0, 0], atol=0.01)


def test_what_is_filled_has_the_target_s_own_detail():
    row = _filled([0.5, 0.2, 0.05])[55, 16:48, 0]
    assert 0.07 < row[2::4].mean() - row[::4].mean() < 0.11


def test_the_underside_of_a_nose_has_the_colours_of_its_rim():
    """It had those from further around, paler than the shade in which it lies."""
    skin, shade = jnp.array([0.7, 0.05, 0.05]), jnp.array([0.4, 0.05, 0.04])
    around = NONE.at[24:40, 20:44].set(1.0)[..., None]
    colors = skin + around * (shade - skin)
    known = 1.0 - BELOW
    shares = Shares(direct=known, mirrored=NONE, filled=BELOW)
    for below, is_dark in ((BELOW, True), (NONE, False)):
        fill, _ = fill_colors(shares, colors, colors, lips=NONE, underside=below, how="auto")
        rim = np.asarray(fill)[28, 26:38]
        assert (np.abs(rim - shade).max() < 0.02) == is_dark


def test_the_underside_of_a_nose_has_the_target_s_shade_but_not_its_lines():
    """Lines of the folds around it became black curls between the nostrils."""
    lab = np.broadcast_to(np.float32([0.7, 0.05, 0.05]), (64, 64, 3)).copy()
    lab[26:38, 22:42, 0] = 0.5
    plain = np.asarray(detail(_side(jnp.asarray(lab)), underside=BELOW))
    lab[31, 24:40] = [0.1, 0.0, 0.0]
    lined = np.asarray(detail(_side(jnp.asarray(lab)), underside=BELOW))
    inside = np.s_[29:35, 26:38]
    assert -0.2 < plain[inside][..., 0].mean() < -0.02 and (plain[inside][..., 1:] == 0.0).all()
    assert np.ptp(lined[inside][..., 0], axis=0).max() < 0.25
    fine = np.asarray(detail(_side(jnp.asarray(lab)), underside=NONE))
    assert np.ptp(fine[inside][..., 0], axis=0).max() > 0.35


def test_what_lies_before_a_fold_is_not_read_behind_it():
    """At the last texels that the target shows it was, since hardly anything is wanted there."""
    hidden = NONE.at[30:34, 26:38].set(1.0)
    wanted = 1.0 - hidden.at[30:32].set(0.0)  # the target shows more of it
    seen = 1.0 - hidden
    shares = complete(seen, NONE, wanted=wanted, how="auto", folds=BELOW)
    assert np.asarray(shares.direct)[32, 28:36].max() < 0.1
    assert np.asarray(shares.filled)[32, 28:36].min() > 0.9
    same = complete(seen, NONE, wanted=seen, how="auto", folds=BELOW)  # put back into its photo
    assert np.asarray(same.direct)[32, 30:34].min() > 0.95
