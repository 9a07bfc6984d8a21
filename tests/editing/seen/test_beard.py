"""Beards are told from shadows and from things before the face, and are no light."""

import dataclasses
from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face
from toy_faces import layout, toy_photo

from uvface.core.geometry.coarse import coarse_layout
from uvface.core.geometry.landmarks import MOUTH, NOSE
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.render import render_texture
from uvface.core.geometry.sampling import sample_texture
from uvface.editing.colour import lab_from_rgb
from uvface.editing.seen.beard import _skin_share, beard_share, roughness, whole_beard
from uvface.editing.side import examine
from uvface.faceswap.swap import SwapConfig, swap_face

ALL = jnp.ones((64, 64))
CHIN = np.s_[50:54, 26:38]  # texels, on both sides
UPPER = np.s_[:36]


def _lab(chin=1.0, left_only=False):
    """Return skin whose lightness is multiplied by ``chin`` around the chin."""
    lab = jnp.full((64, 64, 3), jnp.array([0.7, 0.04, 0.05], jnp.float32))
    return lab.at[46:58, 22 : 32 if left_only else 42, 0].multiply(chin)


@pytest.mark.parametrize(("chin", "least", "most"), [(0.6, 0.9, 1.0), (0.95, 0.0, 0.01)])
def test_dark_skin_below_the_nose_is_a_beard_and_shading_is_not(chin, least, most):
    share = np.asarray(beard_share(_lab(chin), ALL, ALL, layout()))
    assert least <= share[CHIN].min() and share[CHIN].max() <= most
    assert share[UPPER].max() == 0.0


def test_what_is_dark_on_one_side_is_a_shadow_unless_the_other_side_is_hidden():
    lab, half = _lab(0.6, left_only=True), np.s_[50:54, 26:30]
    assert np.asarray(beard_share(lab, ALL, ALL, layout()))[half].max() < 0.1
    hidden = ALL.at[:, 32:].set(0.0)
    assert np.asarray(beard_share(lab, hidden, hidden, layout()))[half].min() > 0.9


def _bearded(photo):
    """Return a toy photo whose face is dark around the chin."""
    image, face = photo
    texture = jnp.ones((64, 64, 3)).at[46:58, 22:42].set(0.4)
    drawn, _ = render_texture(texture, face.position_map, layout(), height=120, width=120)
    image = image * np.where(np.asarray(drawn) > 0, np.asarray(drawn), 1.0).astype(np.float32)
    seen = sample_texture(jnp.asarray(image), face.position_map)
    return image, dataclasses.replace(face, texture=seen)


def test_a_beard_of_the_target_is_not_painted_on_the_reference_as_a_shade():
    plain, reference = toy_photo(1), toy_photo(2)
    config = SwapConfig(keep=())
    results = [
        swap_face(*target, *reference, layout(), config=config)
        for target in (plain, _bearded(plain))
    ]
    place = np.asarray(plain[1].position_map)[np.s_[51:53, 30:34]].reshape(-1, 3)[:, :2]
    x, y = np.rint(place).astype(int).T
    without, with_beard = (result[y, x].mean() for result in results)
    assert with_beard > 0.9 * without  # 0.58 before beards were told from shade


SIZE = 128


@cache
def _real_layout():
    return coarse_layout(load_layout("uvface"), SIZE)


def _place(below_nose, chin):
    """Return 1 at the upper lip or at the chin, texels of 256."""
    real = load_layout("uvface")
    u, v = (np.asarray(real.landmark_uv) * 256).T
    rows = (v[NOSE].max() - 2, v[MOUTH].max() + 3, v[8])
    place = np.zeros((256, 256), np.float32)
    for part, (top, bottom) in ((below_nose, rows[:2]), (chin, rows[1:])):
        if part:
            place[int(top) : int(bottom), int(u[48]) - 12 : int(u[54]) + 12] = 1.0
    return place


HAIR, LIGHT_HAIR = np.float32([0.4, 0.37, 0.36]), np.float32([0.56, 0.52, 0.5])
BLOTCHES = 0.04 * np.sin(np.arange(256) / 6)[:, None, None] * np.sin(np.arange(256) / 6)[:, None]
TONE = np.float32([0.62, 0.44, 0.35]) + BLOTCHES.astype(np.float32) * np.float32([1, -0.5, -0.5])
SEPIA = np.float32([1.0, 0.84, 0.66])


def _beard(upper_lip=0.3, chin=0.3, hair=HAIR):
    """Return a texture with grey hair that differs from texel to texel by some share."""
    noise = np.random.default_rng(0).normal(size=(256, 256, 1)).astype(np.float32)
    strength = 0.01 + upper_lip * _place(True, False) + chin * _place(False, True)
    color = np.where(strength[..., None] > 0.1, hair, TONE)
    return color * (1.0 + strength[..., None] * noise)


def _fingers():
    """Return a bearded texture with fingers before half of the chin, as light as the cheeks."""
    texture, lines = _beard(), np.arange(256) // 4 % 2
    before = _place(False, True) * (np.arange(256) >= 128)
    return np.where(before[..., None] > 0, TONE * (0.85 + 0.25 * lines)[:, None, None], texture)


def _pooled(image):
    return image.reshape(SIZE, 2, SIZE, 2, *image.shape[2:]).mean(axis=(1, 3))


def _covered(upper_lip=False):
    """Return what a network sees that takes the right half of a chin for a thing before it."""
    place = _place(upper_lip, True)
    place[:, :128] = 0.0
    return 1.0 - _pooled(place)


def _whole(texture, visible, self_visibility=None):
    self_visibility = (
        np.ones((SIZE, SIZE), np.float32) if self_visibility is None else self_visibility
    )
    rough = roughness(jnp.asarray(texture), SIZE)
    lab, seen = lab_from_rgb(jnp.asarray(_pooled(texture))), jnp.asarray(visible)
    whole = whole_beard(seen, jnp.asarray(self_visibility), rough, lab, _real_layout())
    return np.asarray(whole)


def test_a_beard_is_seen_whole_that_the_network_takes_for_a_thing_in_part():
    visible = _covered()
    inner = _pooled(_place(False, True)) * np.asarray(_real_layout().region("face")) > 0.9
    whole = _whole(_beard(), visible)[inner]  # at its edge, with skin beside it, it may be skin
    assert (whole > 0.9).mean() > 0.99 and 0.4 < (visible[inner] < 0.1).mean() < 0.6


@pytest.mark.parametrize(
    ("texture", "visible"),
    [
        (_beard(chin=0.0), _covered()),  # a hand
        (_beard(upper_lip=0.0), _covered()),  # a scarf
        (_beard(), _covered(upper_lip=True)),  # long hair across the face
    ],
    ids=["smooth", "below a bare lip", "over the lips"],
)
def test_what_lies_before_a_chin_stays_there(texture, visible):
    np.testing.assert_array_equal(_whole(texture, visible), visible)


def test_fingers_before_a_beard_stay_there():
    """Their edges are as rough as hair: tips of fingers were taken along as pieces of it."""
    visible = _covered()
    before = visible < 0.1
    assert (_whole(_fingers(), visible) - visible)[before].mean() < 0.03
    assert (_whole(_beard(), visible) - visible)[before].mean() > 0.5
    # In black and white, and in sepia, hair cannot be told from skin by colour.
    light = _beard(hair=LIGHT_HAIR).mean(axis=-1, keepdims=True)
    for tone in (np.ones(3, np.float32), SEPIA):
        assert (_whole(light * tone, visible) - visible)[before].mean() > 0.5


def test_where_no_cheek_is_seen_nothing_tells_hair_from_skin():
    grey = jnp.broadcast_to(jnp.array([0.6, 0.0, 0.0]), (SIZE, SIZE, 3))
    assert float(_skin_share(grey, jnp.zeros((SIZE, SIZE))).max()) == 0.0


def test_a_beard_that_the_face_hides_itself_stays_hidden():
    visible = self_visibility = _covered()
    np.testing.assert_array_equal(_whole(_beard(), visible, self_visibility), visible)


def test_roughness_does_not_depend_on_the_light():
    texture = _beard()
    bright, dark = (np.asarray(roughness(jnp.asarray(k * texture), SIZE)) for k in (1.0, 0.6))
    np.testing.assert_allclose(dark, bright, rtol=1e-3)
    assert np.asarray(roughness(jnp.full((512, 512, 3), 0.5), SIZE)).max() < 1e-6


def test_only_the_beard_of_a_reference_is_seen_whole():
    """The target's stays before what is swapped, as the network found it."""
    real = load_layout("uvface")
    face = dataclasses.replace(
        mean_face(real, centre=(128.0, 128.0), scale=9.0, pose=(0.0, 0.0, 0.0)),
        texture=jnp.asarray(_beard()),
        visibility=jnp.asarray(1.0 - _place(False, True)),
        self_visibility=jnp.ones((256, 256)),
    )
    target = examine(face, _real_layout(), occlusion=True)
    reference = examine(face, _real_layout(), occlusion=True, target=target)
    middle = _pooled(_place(False, True)) > 0.9
    assert np.asarray(target.seen)[middle].mean() < 0.1
    assert np.asarray(reference.seen)[middle].mean() > 0.8
    # Its light is compared over the same texels, or a photo put into itself would change.
    skins = [side.skin(_real_layout().region("skin")) for side in (target, reference)]
    np.testing.assert_allclose(skins[1].weight, skins[0].weight, atol=1e-5)
