"""Upper lids of eyes that close: drawn anew from the skin around, with a line of lashes."""

import dataclasses

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face

from uvface.core.geometry.coarse import coarse_layout
from uvface.core.geometry.landmarks import LIDS
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.scales import pool
from uvface.core.geometry.visibility import visibility
from uvface.editing.reshape.deform import deformation, reshape_names
from uvface.editing.reshape.face import reshape_face
from uvface.editing.reshape.lids import closing_lids

LAYOUT = load_layout("uvface")
SKIN = np.array([0.8, 0.6, 0.5], np.float32)
SIZE = 640
CLOSING = jax.jit(closing_lids)


def _face(lashes_grey=0.05, rows=4):
    """Return a face whose texture is skin with black lashes some texels above the eyeballs."""
    face = mean_face(LAYOUT, centre=(320.0, 300.0), scale=26.0, pose=(0.0, 0.0, 0.0))
    seen = visibility(face.position_map, LAYOUT)
    eyeballs = np.asarray(LAYOUT.region("eyeballs"))
    lashes = np.zeros_like(eyeballs)
    for row in range(2, 2 + rows):
        lashes = np.maximum(lashes, np.roll(eyeballs, -row, axis=0))
    lashes = (lashes * (1.0 - eyeballs))[..., None]
    texture = SKIN * (1.0 - lashes) + lashes_grey * lashes
    texture = texture * (1.0 - eyeballs[..., None]) + 0.95 * eyeballs[..., None]
    return dataclasses.replace(
        face, visibility=seen, self_visibility=seen, texture=jnp.asarray(texture, jnp.float32)
    )


def _lids(face, amounts):
    moves = deformation(face, LAYOUT, amounts)
    new = face.position_map + moves.shift
    return CLOSING(face.texture, face.visibility, face.position_map, new, LAYOUT)


def test_only_lids_that_come_down_are_drawn_anew():
    face = _face()
    for name in reshape_names(LAYOUT):
        for amount in (-1.0, 1.0):
            share = float(_lids(face, {name: amount}).share.max())
            closes = (name, amount) in (("eyes_closed", 1.0), ("eyes_wide", -1.0))
            assert share > 0.8 if closes else share < 0.2, (name, amount, share)


def test_closed_lids_have_the_color_of_the_skin_around_them_and_no_stripes():
    face = _face()
    lids = _lids(face, {"eyes_closed": 1.0})
    share, colors = np.asarray(lids.share), np.asarray(lids.colors)
    lab_dark = np.asarray(face.texture).sum(axis=-1) < 0.5
    eyes = np.asarray(LAYOUT.region("eyes")) > 0.5
    wide = cv2.dilate(eyes.astype(np.uint8), np.ones((17, 17))) > 0  # by 8 texels
    assert share[lab_dark & eyes].mean() > 0.8  # lashes go
    off = np.abs(colors - SKIN).max(axis=-1)[share > 0.9]
    assert len(off) > 100 and (off < 0.02).mean() > 0.5  # the rest is the line
    assert share[~wide].max() < 0.01


def test_lids_do_not_take_the_grey_of_the_shade_beside_eyes():
    lids = _lids(_face(lashes_grey=0.45, rows=10), {"eyes_closed": 1.0})
    drawn = np.asarray(lids.colors)[np.asarray(lids.share) > 0.9]
    assert np.abs(np.median(drawn, axis=0) - SKIN).max() < 0.06  # 0.073


def test_what_is_noise_between_frames_of_a_video_hardly_shows_in_lids():
    """They are not evened out over frames: of noise of 4 levels, less than one is left."""
    face, random, drawn = _face(), np.random.default_rng(0), []
    for _ in range(4):
        noise = random.normal(0.0, 4 / 255, face.texture.shape).astype(np.float32)
        noisy = dataclasses.replace(face, texture=face.texture + noise)
        drawn.append(_lids(noisy, {"eyes_closed": 1.0}))
    closed = np.min([np.asarray(lids.share) for lids in drawn], axis=0) > 0.5
    step = 255 * np.abs(np.diff([np.asarray(lids.colors)[closed] for lids in drawn], axis=0))
    assert closed.sum() > 500
    assert step.mean() < 0.8
    shares = np.diff([np.asarray(lids.share)[closed] for lids in drawn], axis=0)
    assert np.abs(shares).mean() < 0.01


def test_a_line_of_lashes_lies_where_the_lids_meet():
    face = _face()
    texture = np.asarray(face.texture)
    image = np.ones((SIZE, SIZE, 3), np.float32) * SKIN
    rows, columns = np.nonzero(np.asarray(LAYOUT.mask) > 0.0)
    places = np.round(np.asarray(face.position_map)[rows, columns, :2]).astype(int)
    for step in ((0, 0), (0, 1), (1, 0), (1, 1)):  # pixels lie closer than texels
        image[places[:, 1] + step[0], places[:, 0] + step[1]] = texture[rows, columns]
    result, moved = reshape_face(image, face, LAYOUT, {"eyes_closed": 1.0})
    marks = np.asarray(moved.landmarks)[:, :2]
    for upper, lower in LIDS:
        column, row = np.round((marks[upper] + marks[lower]) / 2).astype(int)
        around = result[row - 8 : row + 9, column].mean(axis=-1)
        assert around.min() < 0.45  # the line
        lid = result[row - 16 : row - 8, column]
        np.testing.assert_allclose(lid, np.tile(SKIN, (8, 1)), atol=0.12)  # above it, bare


@pytest.mark.parametrize("amount", [0.5, 1.0])
def test_lids_are_as_symmetric_as_the_face(amount):
    lids = _lids(_face(), {"eyes_closed": amount})
    share = np.asarray(lids.share)
    np.testing.assert_allclose(share, share[:, ::-1], atol=0.1)
    assert abs(float(lids.to_cheek[0])) < 1.0 and float(lids.to_cheek[1]) > 20.0


def test_lids_of_a_smaller_layout_close_too():
    """A line of half a texel was none, and its rows an empty array."""
    small = coarse_layout(LAYOUT, 128)
    face = _face()
    face = dataclasses.replace(
        face,
        **{name: pool(getattr(face, name), 128) for name in ("position_map", "texture")},
        visibility=pool(face.visibility[..., None], 128)[..., 0],
        self_visibility=pool(face.self_visibility[..., None], 128)[..., 0],
    )
    old = face.position_map
    new = old + pool(deformation(_face(), LAYOUT, {"eyes_closed": 1.0}).shift, 128)
    lids = CLOSING(face.texture, face.visibility, old, new, small)
    assert float(lids.share.max()) > 0.8
