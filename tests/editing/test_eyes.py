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
from uvface.editing.eyes import white_beside
from uvface.editing.plan import EditMasks, PlanConfig, plan_edit
from uvface.editing.source import source_for

SIZE = 128
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


def _white(texture, kept=1.0):
    layout = _layout()
    small = texture.reshape(SIZE, 2, SIZE, 2, 3).mean(axis=(1, 3))
    eyeballs = kept * layout.region("eyeballs")
    seen = jnp.ones((SIZE, SIZE))
    return np.asarray(white_beside(lab_from_rgb(jnp.asarray(small)), seen, eyeballs, layout))


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
    texture, beside = _wide_eyes((0.62, 0.44, 0.35))
    shade = np.where(np.arange(256) < 128, 1.0, 0.45).astype(np.float32)[None, :, None]
    small = beside.reshape(SIZE, 2, SIZE, 2).mean(axis=(1, 3))
    assert _white(texture * shade)[small == 1.0].min() > 0.7


def test_of_an_eye_that_is_not_kept_nothing_is_left_out():
    texture, _ = _wide_eyes((0.62, 0.44, 0.35))
    left_only = np.where(np.arange(SIZE) < SIZE // 2, 1.0, 0.0).astype(np.float32)
    white = _white(texture, jnp.asarray(left_only))
    assert white[:, : SIZE // 2].max() > 0.8 and white[:, SIZE // 2 :].max() == 0.0


def test_a_white_ring_is_not_drawn_around_kept_eyes():
    layout = load_layout("uvface")
    face = mean_face(layout, centre=(128.0, 128.0), scale=10.0, pose=(0.0, 0.0, 0.0))
    seen = visibility(face.position_map, layout)
    texture, beside = _wide_eyes((0.62, 0.44, 0.35))
    plain = jnp.broadcast_to(jnp.array([0.62, 0.44, 0.35]), texture.shape)
    target = dataclasses.replace(face, texture=plain, visibility=seen, self_visibility=seen)
    reference = dataclasses.replace(target, texture=jnp.asarray(texture))
    photo = np.full((256, 256, 3), 0.5, np.float32)
    drawn = {}
    for kept in (0.0, 1.0):
        masks = EditMasks(
            mask=layout.region("face"),
            keep=kept * layout.region("eyeballs"),
            skin=layout.region("skin"),
            strength=jnp.ones(()),
        )
        source = source_for((photo, reference), target, np.asarray(masks.mask), layout, side=256)
        layers = plan_edit(target, source, masks, layout, config=PlanConfig()).layers
        drawn[kept] = np.asarray(layers.white)[beside.reshape(SIZE, 2, SIZE, 2).all(axis=(1, 3))]
    assert drawn[0.0].max() == 0.0 and drawn[1.0].min() > 0.8
