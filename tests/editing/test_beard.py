"""Beards are told from shadows, and are no light."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from toy_faces import layout, toy_photo

from uvface.core.geometry.render import render_texture
from uvface.core.geometry.sampling import sample_texture
from uvface.editing.beard import beard_share
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
