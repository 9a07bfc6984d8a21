"""What is judged of one photo's face, as such and as what is put onto another."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face

from uvface.core.geometry.coarse import coarse_layout
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.visibility import visibility
from uvface.editing.side import examine

SIZE = 128
SKIN = np.float32([0.62, 0.44, 0.35])
FOLD = np.s_[146:158, 80:84]  # of a cheek, texels of 256


def _face(texture):
    layout = load_layout("uvface")
    face = mean_face(layout, centre=(128.0, 128.0), scale=10.0, pose=(0.0, 0.0, 0.0))
    seen = visibility(face.position_map, layout)
    return dataclasses.replace(
        face, texture=jnp.asarray(texture), visibility=seen, self_visibility=seen
    )


def _lit_from_one_side():
    side = np.linspace(-1.0, 1.0, 256, dtype=np.float32)[None, :, None]
    texture = np.broadcast_to(SKIN, (256, 256, 3)) * (1.0 - 0.45 * side)
    texture[FOLD] *= 0.45
    return texture.astype(np.float32)


def _trust_in_fold(shown, target=None):
    layout = coarse_layout(load_layout("uvface"), SIZE)
    onto = None if target is None else examine(_face(target), layout, occlusion=True)
    side = examine(_face(shown), layout, occlusion=True, target=onto)
    return float(np.asarray(side.seen)[FOLD[0].start // 2 + 3, FOLD[1].start // 2])


def test_folds_in_harsh_light_stay_in_their_own_photo():
    assert _trust_in_fold(_lit_from_one_side()) > 0.9


@pytest.mark.parametrize(("light", "least", "most"), [("even", 0.0, 0.3), ("alike", 0.9, 1.0)])
def test_they_are_not_taken_to_a_photo_in_softer_light(light, least, most):
    even = np.broadcast_to(SKIN, (256, 256, 3))
    target = even if light == "even" else _lit_from_one_side()
    assert least <= _trust_in_fold(_lit_from_one_side(), target) <= most
