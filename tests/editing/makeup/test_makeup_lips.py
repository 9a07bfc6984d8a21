"""Where the lips of a photo end, for lipstick."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face
from toy_faces import layout as toy

from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.render import render_texture
from uvface.editing.colour import rgb_from_lab
from uvface.editing.makeup.face import make_up_face, parse_makeup
from uvface.editing.makeup.lips import fitted_lips
from uvface.editing.regions import soften

LAYOUT = load_layout("uvface")
FACE = mean_face(LAYOUT, centre=(160.0, 150.0), scale=24.0, pose=(0.0, 0.0, 0.0))
PALE, DARK = ((0.75, 0.04, 0.04), (0.62, 0.09, 0.02)), ((0.4, 0.04, 0.05), (0.33, 0.02, 0.015))
MOUTH = jnp.maximum(LAYOUT.region("lips"), LAYOUT.region("mouth_interior"))


def _wider(texels):
    """Return the lips and the mouth in UV, wider by so many texels: 1 inside."""
    spread = soften(MOUTH[..., None], 2.0)[..., 0]
    level = {0.0: 0.5, 2.5: 0.106, 5.0: 0.0062}[texels]  # of a blurred straight border
    return np.asarray(spread > level, np.float32)


def _texture(skin, lips, texels=2.5, noise=0.004):
    lab = np.asarray(skin) + _wider(texels)[..., None] * (np.asarray(lips) - np.asarray(skin))
    lab = lab + noise * np.random.default_rng(0).normal(size=lab.shape)
    return jnp.asarray(rgb_from_lab(jnp.asarray(lab, jnp.float32)))


def _grown(texture, face=FACE):
    return np.asarray(fitted_lips(face, texture, LAYOUT).region("lips") - LAYOUT.region("lips"))


@pytest.mark.parametrize(("skin", "lips"), [PALE, DARK])
def test_lips_grow_to_where_their_colour_ends(skin, lips):
    rim = _wider(2.5) * (1.0 - _wider(0.0))
    beyond = 1.0 - _wider(5.0)
    grown = _grown(_texture(skin, lips))
    assert (grown * rim).sum() > 0.45 * rim.sum()  # its outer border is soft
    assert (grown * beyond).max() == 0.0
    assert _grown(_texture(skin, lips, texels=0.0)).sum() < 0.1 * rim.sum()


def test_lips_stay_where_colours_tell_nothing_and_where_they_are_covered():
    skin, lips = PALE
    assert np.abs(_grown(_texture(skin, skin))).max() < 0.05
    grey = jnp.broadcast_to(_texture(skin, lips).mean(axis=-1, keepdims=True), (256, 256, 3))
    assert np.abs(_grown(grey)).max() < 0.05
    covered = dataclasses.replace(FACE, visibility=jnp.zeros_like(LAYOUT.mask))
    assert np.abs(_grown(_texture(skin, lips), covered)).max() == 0.0


def test_lips_do_not_jump_over_skin_to_a_red_spot():
    skin, lips = PALE
    is_lip = _wider(0.0)
    lower = np.flatnonzero(is_lip[:, 128]).max()
    is_lip[lower - 3 : lower + 1, 118:138] = 0.0  # here they are thinner than the layout's
    is_lip[lower + 1 : lower + 9, 120:136] = 1.0
    lab = np.asarray(skin) + is_lip[..., None] * (np.asarray(lips) - np.asarray(skin))
    grown = _grown(jnp.asarray(rgb_from_lab(jnp.asarray(lab, jnp.float32))))
    assert grown[lower + 1 :, 120:136].max() < 0.3


def test_a_shade_below_lips_is_not_theirs():
    skin, lips = PALE
    lab = np.asarray(skin) + _wider(0.0)[..., None] * (np.asarray(lips) - np.asarray(skin))
    shade = _wider(2.5) * (1.0 - _wider(0.0))
    lab = (1.0 - 0.4 * shade[..., None]) * lab
    lab += 0.004 * np.random.default_rng(0).normal(size=lab.shape)
    grown = _grown(jnp.asarray(rgb_from_lab(jnp.asarray(lab, jnp.float32))))
    assert grown.sum() < 0.1 * shade.sum()


def test_lipstick_leaves_no_bare_rim_on_full_lips():
    skin, lips = PALE
    layers = jnp.concatenate([_texture(skin, lips), jnp.asarray(_wider(2.5))[..., None]], axis=-1)
    drawn, covered = render_texture(layers, FACE.position_map, LAYOUT, height=320, width=320)
    photo = np.where(np.asarray(covered)[..., None], np.asarray(drawn[..., :3]), 0.5)
    photo = np.asarray(photo, np.float32)
    change = np.abs(make_up_face(photo, FACE, LAYOUT, parse_makeup("lipstick")) - photo).max(-1)
    own, _ = render_texture(MOUTH[..., None], FACE.position_map, LAYOUT, height=320, width=320)
    full = np.asarray(drawn[..., 3]) > 0.99
    rim = full & (np.asarray(own[..., 0]) < 0.2)
    assert rim.sum() > 200
    assert change[rim].mean() > 0.6 * np.percentile(change, 99)


def test_layouts_without_parts_of_lips_come_back():
    assert fitted_lips(FACE, _texture(*PALE), toy()) is toy()
