"""What of a profile is not put on a face that is seen from the front."""

import dataclasses

import jax
import numpy as np
import pytest
from mean_faces import mean_face

from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.visibility import visibility
from uvface.faceswap.swap import SwapConfig, pair_masks

LAYOUT = load_layout("uvface")
_see = jax.jit(lambda position_map: visibility(position_map, LAYOUT))


def _face(yaw):
    face = mean_face(LAYOUT, centre=(80.0, 80.0), scale=9.0, pose=(yaw, 0.0, 0.0))
    return dataclasses.replace(face, visibility=_see(face.position_map))


def _kept(target_yaw, reference_yaw, **settings):
    """Return how far the target stays at lids and lips, and on brows and cheeks."""
    target, reference = map(_face, (target_yaw, reference_yaw))
    photo = np.zeros((160, 160, 3), np.float32)
    given = (target, (photo, reference), LAYOUT, SwapConfig(**settings))
    keep = np.asarray(pair_masks(*given).keep)
    lids = np.asarray(LAYOUT.region("eyes") * (1.0 - LAYOUT.region("eyeballs"))) > 0.99
    lips, brows, cheeks = (np.asarray(LAYOUT.region(n)) > 0.99 for n in ("lips", "brows", "cheeks"))
    return [np.median(keep[part]) for part in (lids, lips, brows, cheeks)]


@pytest.mark.parametrize("yaw", [-85.0, 85.0])
def test_a_profile_s_eyes_and_lips_are_not_put_on_a_front(yaw):
    lids, lips, brows, cheeks = _kept(0.0, yaw)
    assert min(lids, lips) > 0.9
    assert max(brows, cheeks) < 0.1


def test_eyes_and_lips_are_put_on_where_either_face_is_seen_alike():
    assert max(_kept(0.0, 30.0)) < 0.1
    assert max(_kept(85.0, 85.0)) < 0.1
    assert max(_kept(0.0, 85.0, keep=())) == 0.0
