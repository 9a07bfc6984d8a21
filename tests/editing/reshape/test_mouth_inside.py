"""The inside of a mouth that opens: teeth under the upper lip, a tongue, and the dark between."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face

from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.visibility import visibility
from uvface.editing.reshape.deform import deformation
from uvface.editing.reshape.face import reshape_face
from uvface.editing.reshape.mouth_inside import DEPTH, inside_mouth, lip_gap

LAYOUT = load_layout("uvface")
SKIN, LIPS = np.array([0.75, 0.55, 0.45]), np.array([0.7, 0.4, 0.4])
INSIDE = jax.jit(inside_mouth)
MOUTH = np.asarray(LAYOUT.region("mouth_interior")) > 0.5
MIDDLE = LAYOUT.size // 2


def _face(skin=SKIN):
    face = mean_face(LAYOUT, centre=(320.0, 300.0), scale=26.0, pose=(0.0, 0.0, 0.0))
    seen = visibility(face.position_map, LAYOUT)
    lips, eyeballs = (
        np.asarray(LAYOUT.region(name))[..., None] > 0.5 for name in ("lips", "eyeballs")
    )
    texture = np.where(eyeballs, 0.9, np.where(lips, LIPS, skin)).astype(np.float32)
    texture = jnp.asarray(texture)
    return dataclasses.replace(face, visibility=seen, self_visibility=seen, texture=texture)


def _moved(face, amounts):
    return face.position_map + deformation(face, LAYOUT, amounts).shift


def _inside(face, old, new):
    return np.asarray(INSIDE(face, old, new, LAYOUT))


def _are_teeth(colors):
    """Return where it is light and hardly coloured."""
    return (colors.min(axis=-1) > 0.35) & (np.ptp(colors, axis=-1) < 0.2)


def test_a_mouth_that_was_closed_shows_upper_teeth_and_a_tongue():
    face = _face()
    colors = _inside(face, face.position_map, _moved(face, {"mouth_open": 0.6}))
    rows = np.flatnonzero(MOUTH[:, MIDDLE + 4])
    column = colors[:, MIDDLE + 4]
    teeth = np.flatnonzero(_are_teeth(column[rows]))
    assert len(teeth) >= 3 and teeth[0] < 4  # they begin behind the lip
    assert (np.diff(teeth) == 1).all() and teeth[-1] < 0.6 * len(rows)
    dark, tongue = column[rows[teeth[-1] + 3]], column[rows[-1]]
    np.testing.assert_allclose(dark, LIPS * DEPTH, atol=0.08)
    assert tongue[0] > 2.0 * dark[0] and tongue[0] > 1.3 * tongue[1]  # and red
    corner = np.argwhere(MOUTH)[np.argmin(np.argwhere(MOUTH)[:, 1])]
    assert colors[tuple(corner)].max() < 0.6 * column[rows[teeth]].max()


def test_a_mouth_is_red_inside_in_photos_that_have_colours_only():
    """In black-and-white photos it was dark red."""
    face = _face(SKIN + np.random.default_rng(0).normal(0.0, 0.03, (*LAYOUT.mask.shape, 3)))
    grey = face.texture.mean(axis=-1, keepdims=True).repeat(3, axis=-1)
    new = _moved(face, {"mouth_open": 0.6})
    colors = _inside(dataclasses.replace(face, texture=grey), face.position_map, new)[MOUTH]
    assert np.ptp(colors, axis=-1).max() < 0.01 and colors.min() < 0.1
    dark = _inside(face, face.position_map, new)[MOUTH]
    assert np.median(dark[:, 0] / dark[:, 1]) > 1.3 * LIPS[0] / LIPS[1]  # as that of lips if grey


def test_teeth_stay_as_long_however_far_the_mouth_opens():
    face, lengths = _face(), []
    for amount in (0.4, 0.8):
        new = _moved(face, {"mouth_open": amount})
        column = _inside(face, face.position_map, new)[:, MIDDLE + 4]
        at = np.flatnonzero(_are_teeth(column) & MOUTH[:, MIDDLE + 4])
        ends = np.asarray(new)[at[[0, -1]], MIDDLE + 4]
        lengths.append(np.linalg.norm(ends[1] - ends[0]) / 26.0)
    assert abs(lengths[1] - lengths[0]) < 0.12  # cm, a row of texels
    assert 0.15 < min(lengths) and max(lengths) < 0.6


def test_a_mouth_that_is_open_in_the_photo_gets_no_second_teeth():
    face = _face()
    old = _moved(face, {"mouth_open": 0.4})
    assert float(lip_gap(old, LAYOUT)) / 26.0 > 0.5
    shown = dataclasses.replace(face, position_map=old)
    colors = _inside(shown, old, _moved(face, {"mouth_open": 0.9}))
    assert not (_are_teeth(colors) & MOUTH).any()


@pytest.mark.parametrize("skin", [(0.75, 0.55, 0.45), (0.3, 0.2, 0.15)])
def test_teeth_are_as_white_as_eyes_on_any_skin(skin):
    face = _face(np.array(skin))
    colors = _inside(face, face.position_map, _moved(face, {"mouth_open": 0.6}))
    brightest = colors[MOUTH].min(axis=-1).max()
    assert 0.6 < brightest <= 0.95


def test_the_inside_does_not_depend_on_the_origin():
    """Maps are those of a window, and the depth of a moved face has a mean of 0."""
    face = _face()
    new = _moved(face, {"mouth_open": 0.6})
    corner, depth = jnp.array([250.0, 180.0, 0.0]), jnp.array([0.0, 0.0, 40.0])
    there = _inside(face, face.position_map - corner, new - corner - depth)
    np.testing.assert_allclose(there, _inside(face, face.position_map, new), atol=1e-3)


def test_a_photo_shows_teeth_where_its_mouth_opens():
    face = _face()
    image = np.full((640, 640, 3), 0.6, np.float32)
    amounts = {"mouth_open": 0.6, "upper_lip_up": 0.8}
    result, moved = reshape_face(image, face, LAYOUT, amounts)
    upper, lower = np.asarray(moved.landmarks)[[62, 66], :2]
    line = np.linspace(upper, lower, 40)[4:]
    column = result[np.round(line[:, 1]).astype(int), round(line[0, 0]) + 9]
    assert _are_teeth(column[:24]).sum() > 3
    assert column[24:].min() < 0.15


def test_what_covers_half_of_a_mouth_gets_no_teeth():
    face = _face()
    left = (jnp.arange(LAYOUT.size) < LAYOUT.size // 2).astype(jnp.float32)
    covered = dataclasses.replace(face, visibility=face.visibility * left)
    image = np.full((640, 640, 3), 0.6, np.float32)
    amounts = {"mouth_open": 0.8, "upper_lip_up": 0.8}
    whole, half = (reshape_face(image, one, LAYOUT, amounts)[0] for one in (face, covered))
    hidden = np.s_[300:460, 340:420]  # of the photo, right of the middle: texels to the right
    assert np.abs(whole[hidden] - 0.6).max() > 0.3
    assert np.abs(half[hidden] - 0.6).max() < 0.15
