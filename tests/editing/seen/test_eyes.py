"""Whites of eyes that are read at texels of lids."""

import dataclasses

import cv2
import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face

from uvface.core.geometry.coarse import coarse_layout
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.visibility import visibility
from uvface.editing.colour import lab_from_rgb
from uvface.editing.plan import EditMasks, PlanConfig, plan_edit
from uvface.editing.seen.eyes import around_eyes, eye_whites, white_light
from uvface.editing.source import source_for

SIZE = 128
SKIN = (0.62, 0.44, 0.35)
WHITE, IRIS = (0.92, 0.9, 0.88), (0.2, 0.14, 0.1)


def _layout():
    return coarse_layout(load_layout("uvface"), SIZE)


def _grown(mask, texels):
    """Return a mask, texels of 256, larger by so many."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * texels + 1, 2 * texels + 1))
    return cv2.dilate((np.asarray(mask) > 0.5).astype(np.uint8), disc) > 0


def _wide_eyes(skin, white=WHITE, texels=2):
    """Return a texture of open eyes, and where their whites lie beside the eyeballs' texels."""
    eyeballs = np.asarray(load_layout("uvface").region("eyeballs"))
    wide = _grown(eyeballs, texels)
    texture = np.broadcast_to(np.float32(skin), (256, 256, 3)).copy()
    texture[wide] = white
    for half in (np.s_[:, :128], np.s_[:, 128:]):
        rows, columns = np.nonzero(eyeballs[half] > 0.5)
        centre = (int(columns.mean()), int(rows.mean()))
        picture = np.ascontiguousarray(texture[half])
        texture[half] = cv2.circle(picture, centre, 7, IRIS, -1)
    return texture, wide & (eyeballs < 0.5)


def _lab(texture):
    return lab_from_rgb(jnp.asarray(texture.reshape(SIZE, 2, SIZE, 2, 3).mean(axis=(1, 3))))


def _white(texture):
    return np.asarray(eye_whites(_lab(texture), jnp.ones((SIZE, SIZE)), _layout()))


@pytest.mark.parametrize(
    "skin", [(0.9, 0.72, 0.64), (0.62, 0.44, 0.35), (0.34, 0.22, 0.17), (0.6, 0.6, 0.6)]
)
def test_whites_are_found_beside_their_texels_and_skin_is_not(skin):
    texture, beside = _wide_eyes(skin)
    white = _white(texture)
    small = beside.reshape(SIZE, 2, SIZE, 2).mean(axis=(1, 3))
    assert white[small == 1.0].min() > 0.8
    far = ~_grown(load_layout("uvface").region("eyeballs"), 6)
    assert white[far.reshape(SIZE, 2, SIZE, 2).all(axis=(1, 3))].max() < 0.05
    plain = np.broadcast_to(np.float32(skin), texture.shape)
    assert _white(plain).max() == 0.0


def test_in_the_shade_whites_are_darker_than_skin_in_light():
    texture, beside = _wide_eyes(SKIN)
    shade = np.where(np.arange(256) < 128, 1.0, 0.45).astype(np.float32)[None, :, None]
    small = beside.reshape(SIZE, 2, SIZE, 2).mean(axis=(1, 3))
    assert _white(texture * shade)[small == 1.0].min() > 0.7


def test_where_no_skin_is_seen_no_white_is():
    """The dark half of a face that is lit from one side is noise."""
    dark = np.arange(256)[None, :, None] >= 128
    texture = np.where(dark, 0.05 * _wide_eyes(SKIN)[0], _wide_eyes(SKIN)[0]).astype(np.float32)
    seen = jnp.asarray(np.where(np.arange(SIZE) < SIZE // 2, 1.0, 0.0)[None, :], jnp.float32)
    white = np.asarray(eye_whites(_lab(texture), jnp.broadcast_to(seen, (SIZE, SIZE)), _layout()))
    assert white[:, : SIZE // 2].max() > 0.8 and white[:, SIZE // 2 + 8 :].max() == 0.0


def test_eyes_are_looked_at_one_by_one():
    eyeballs = _layout().region("eyeballs").at[:, SIZE // 2 :].set(0.0)
    near = np.asarray(around_eyes(eyeballs, _layout()))
    assert near[:, : SIZE // 2].max() == 1.0 and near[:, SIZE // 2 :].max() == 0.0


def test_eyes_are_as_light_as_the_target_s():
    """One eye of the source is in the light, one in the shade; the skin is matched already."""
    skin, seen, layout = SKIN, jnp.ones((SIZE, SIZE)), _layout()
    target, source = _lab(_wide_eyes(skin, white=(0.7, 0.68, 0.66))[0]), _wide_eyes(skin)[0]
    lit = np.where(np.arange(256) < 128, 1.0, 0.8)[:, None]
    beside = _grown(load_layout("uvface").region("eyeballs"), 2)[..., None]
    source = _lab(np.where(beside, source * lit, source).astype(np.float32))
    whites = [eye_whites(lab, seen, layout) for lab in (source, target)]
    light = np.asarray(white_light(source, whites[0], target, whites[1], layout))
    is_white = np.minimum(*(np.asarray(white) for white in whites)) > 0.9
    found = (np.asarray(source) * light)[is_white][:, 0] / np.asarray(target)[is_white][:, 0]
    assert found.min() > 0.9 and found.max() < 1.1  # 1.3 and 1.05 before
    far = np.asarray(around_eyes(layout.region("eyeballs"), layout)) == 0.0
    assert (light[far] == 1.0).all()


def test_closed_eyes_of_the_target_change_no_light():
    skin, layout = SKIN, _layout()
    target = _lab(np.broadcast_to(np.float32(skin), (256, 256, 3)))
    source = _lab(_wide_eyes(skin)[0])
    whites = [eye_whites(lab, jnp.ones((SIZE, SIZE)), layout) for lab in (source, target)]
    assert (white_light(source, whites[0], target, whites[1], layout) == 1.0).all()


def _left_out(target_texture, *, kept):
    """Return where lids of the target stay, at texels where the reference shows whites."""
    layout = load_layout("uvface")
    face = mean_face(layout, centre=(128.0, 128.0), scale=10.0, pose=(0.0, 0.0, 0.0))
    seen = visibility(face.position_map, layout)
    texture, beside = _wide_eyes(SKIN)
    target, reference = (
        dataclasses.replace(face, texture=jnp.asarray(x), visibility=seen, self_visibility=seen)
        for x in (target_texture, texture)
    )
    masks = EditMasks(
        mask=layout.region("face"),
        keep=kept * layout.region("eyeballs"),
        skin=layout.region("skin"),
        strength=jnp.ones(()),
    )
    photo = np.full((256, 256, 3), 0.5, np.float32)
    source = source_for((photo, reference), target, np.asarray(masks.mask), layout, side=256)
    layers = plan_edit(target, source, masks, layout, config=PlanConfig()).layers
    return np.asarray(layers.white)[beside.reshape(SIZE, 2, SIZE, 2).all(axis=(1, 3))]


def test_a_white_ring_is_not_drawn_around_kept_eyes():
    plain = np.broadcast_to(np.float32(SKIN), (256, 256, 3))
    assert _left_out(plain, kept=1.0).min() > 0.8
    assert _left_out(plain, kept=0.0).max() == 0.0


def test_make_up_and_open_eyes_of_the_target_do_not_stay():
    eyeballs = _grown(load_layout("uvface").region("eyeballs"), 5)[..., None]
    made_up = np.where(eyeballs, np.float32([0.12, 0.1, 0.1]), np.float32(SKIN))
    assert _left_out(made_up, kept=1.0).max() < 0.2
    assert _left_out(_wide_eyes(SKIN)[0], kept=1.0).max() < 0.2
