"""Teeth and the dark of an open mouth are told from lips by colour, lips from skin."""

import jax.numpy as jnp
import numpy as np
import pytest

from uvface.editing.colour import lab_from_rgb
from uvface.editing.seen.mouth import mouth_trust

SIZE = 64
LIPS = jnp.zeros((SIZE, SIZE)).at[36:52, 20:44].set(1.0)
SKIN = 1.0 - LIPS
INTERIOR = jnp.zeros((SIZE, SIZE))  # a closed mouth: all between the lips' outer edges is lips
INNER = np.s_[40:48, 24:40]
TEETH, DARK, DARKER = (0.86, 0.84, 0.78), (0.08, 0.04, 0.04), (0.03, 0.015, 0.015)

PALE, DARK_SKIN = jnp.float32(0.95), jnp.float32(0.65)  # London's pale people, its dark ones


def _mouth_trust(lab, paleness=PALE):
    seen = jnp.ones((SIZE, SIZE))
    return np.asarray(mouth_trust(lab, seen, SKIN, LIPS, INTERIOR, paleness=paleness))


def _trust(skin, lips, inner, *, grey=False, paleness=PALE):
    image = np.broadcast_to(np.array(skin), (SIZE, SIZE, 3)).copy()
    image[np.asarray(LIPS) > 0] = lips
    image[INNER] = inner
    if grey:
        image = np.repeat(image.mean(axis=-1, keepdims=True), 3, axis=-1)
    return _mouth_trust(lab_from_rgb(jnp.asarray(image, jnp.float32)), paleness)


@pytest.mark.parametrize(
    ("skin", "lips"),
    [
        ((0.85, 0.66, 0.56), (0.72, 0.40, 0.38)),
        ((0.55, 0.38, 0.29), (0.50, 0.28, 0.25)),
        ((0.32, 0.21, 0.16), (0.33, 0.19, 0.17)),
        ((0.24, 0.18, 0.16), (0.36, 0.26, 0.24)),  # lips lighter than skin of little colour
    ],
)
def test_lips_are_kept_and_teeth_and_darkness_are_not(skin, lips):
    for inner in (TEETH, DARK if skin[0] > 0.3 else DARKER):
        trust = _trust(skin, lips, inner)
        assert trust[INNER][2:-2, 2:-2].max() < 0.1
        assert trust[37, 22:42].min() > 0.7
    assert _trust(skin, lips, lips).min() > 0.95


def test_grey_brown_lips_of_dark_people_are_no_teeth():
    """They were, in flecks: there the swap kept a fleck of the target's lips, or drew none."""
    skin, lips, greyer = (0.38, 0.26, 0.20), (0.36, 0.24, 0.19), (0.32, 0.27, 0.245)
    assert _trust(skin, lips, greyer, paleness=DARK_SKIN).min() > 0.9
    assert _trust(skin, lips, TEETH, paleness=DARK_SKIN)[INNER][2:-2, 2:-2].max() < 0.1


def test_teeth_in_the_shade_are_no_lips_in_an_underexposed_photo_of_pale_skin():
    """It passed for dark skin, on which only what is as light as it is a tooth."""
    skin, lips, teeth = (0.85, 0.66, 0.56), (0.72, 0.40, 0.38), (0.68, 0.62, 0.56)
    for gain in (1.0, 0.5, 0.4):  # 0.5 are about two stops
        trust = _trust(*(gain * np.array(color) for color in (skin, lips, teeth)))
        assert trust[INNER][2:-2, 2:-2].max() < 0.2


def test_teeth_are_found_in_black_and_white():
    trust = _trust((0.7, 0.6, 0.5), (0.5, 0.35, 0.3), (0.9, 0.9, 0.9), grey=True)
    assert trust[INNER][2:-2, 2:-2].max() < 0.2 and trust[37, 22:42].min() > 0.7


def test_skin_is_not_called_lips():
    trust = _trust((0.85, 0.66, 0.56), (0.72, 0.40, 0.38), TEETH)
    assert (trust[np.asarray(LIPS) == 0] == 1.0).all()


def test_lips_that_are_read_as_skin_are_not_drawn_around_the_others():
    skin, lips = (0.85, 0.66, 0.56), (0.72, 0.40, 0.38)
    image = np.broadcast_to(np.array(skin), (SIZE, SIZE, 3)).copy()
    image[33:55, 18:46] = lips  # wider than their texels, whose inside shows teeth
    closed = lab_from_rgb(jnp.asarray(image, jnp.float32))
    image[38:50, 22:42] = TEETH
    open_wide = lab_from_rgb(jnp.asarray(image, jnp.float32))
    beside = np.s_[53, 22:42]
    for lab, expected in ((open_wide, 0.0), (closed, 1.0)):
        trust = _mouth_trust(lab)
        np.testing.assert_allclose(trust[beside], expected, atol=0.1)
        assert (trust[:20] == 1.0).all()


def test_teeth_in_the_shade_of_a_red_lip_are_not_lips_though_they_are_as_red_as_skin():
    skin, lips, shaded = (0.85, 0.66, 0.56), (0.72, 0.40, 0.38), (0.72, 0.56, 0.475)
    trust = _trust(skin, lips, shaded)
    assert trust[INNER][2:-2, 2:-2].max() < 0.2 and trust[37, 22:42].min() > 0.7


def _painted(places):
    """Return the trust in a mouth with other colours at some places, over plain lips."""
    image = np.broadcast_to(np.array((0.85, 0.66, 0.56)), (SIZE, SIZE, 3)).copy()
    image[np.asarray(LIPS) > 0] = (0.72, 0.40, 0.38)
    for place, color in places:
        image[place] = color
    return _mouth_trust(lab_from_rgb(jnp.asarray(image, jnp.float32)))


def test_what_is_red_behind_teeth_is_no_lip():
    gums = np.s_[41:44, 28:36]
    trust = _painted([(np.s_[39:44, 24:40], TEETH), (gums, (0.72, 0.40, 0.38))])
    assert trust[gums].max() < 0.2
    assert trust[46:51, 22:42].min() > 0.7  # the other lip


def test_lips_behind_a_glint_are_lips():
    trust = _painted([(np.s_[38:39, 31:32], TEETH)])
    assert trust[41:44, 28:36].min() > 0.7
