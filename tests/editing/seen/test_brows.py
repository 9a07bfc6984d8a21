"""Brows are told from skin in shade, also where they grow beside their place."""

from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face

from uvface.core.geometry.coarse import coarse_layout
from uvface.core.geometry.layout import load_layout
from uvface.editing.light import fit_colors
from uvface.editing.seen.brows import brow_share
from uvface.editing.side import examine

SIZE = 128
SKIN = jnp.array([0.75, 0.04, 0.05], jnp.float32)
LOWER = 3  # texels


@cache
def _layout():
    return coarse_layout(load_layout("uvface"), SIZE)


def _lowered():
    """Return 1 at brows that grow lower than the layout says."""
    return jnp.roll(_layout().region("brows"), LOWER, axis=0)


def _share(place, depth):
    lab = SKIN * jnp.ones((SIZE, SIZE, 1)).at[..., 0].add(-depth * place)
    return np.asarray(brow_share(lab, jnp.ones((SIZE, SIZE)), _layout()))


def test_hair_beside_its_place_is_brow():
    share, lowered = _share(_lowered(), 0.45), np.asarray(_lowered())
    assert share[lowered > 0.95].mean() > 0.9
    far = np.asarray(jnp.maximum(_layout().region("cheeks"), _layout().region("nose"))) > 0.5
    assert share[far].max() < 1e-6


def test_a_brow_casts_shade_that_is_skin():
    assert _share(_lowered(), 0.15).max() < 0.05


def test_dark_cheeks_are_no_brows():
    cheeks = _layout().region("cheeks")
    assert _share(cheeks, 0.5)[np.asarray(cheeks) > 0.5].max() < 0.05


def _seen(brow):
    """Return what a photo shows of a face whose brows are as dark as given, and low."""
    real = load_layout("uvface")
    face = mean_face(real, centre=(128.0, 128.0), scale=9.0, pose=(0.0, 0.0, 0.0))
    place = jnp.roll(real.region("brows"), LOWER * real.size // SIZE, axis=0)[..., None]
    texture = jnp.array([0.8, 0.6, 0.5], jnp.float32) * (1.0 - (1.0 - brow) * place)
    values = {"texture": texture, "visibility": real.mask, "self_visibility": real.mask}
    return examine(face.__class__(**(vars(face) | values)), _layout(), occlusion=True)


@pytest.mark.parametrize("brow", [0.3, 0.15])
def test_low_brows_are_not_brightened_like_skin_in_shade(brow):
    skin = _layout().region("skin")
    target, source = (_seen(value).skin(skin) for value in (1.0, brow))
    light = np.asarray(fit_colors(source, target, "light").light)
    assert light[np.asarray(_lowered()) > 0.5].max() < 1.1  # 1.4 when hair counted as skin
