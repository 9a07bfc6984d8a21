"""What is judged of one photo's face, as such and as what is put onto another."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face

from uvface.core.geometry.coarse import coarse_layout
from uvface.core.geometry.landmarks import NOSE
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


@pytest.mark.parametrize(
    ("shown", "onto", "harsh"),
    [("profile", "front", 1.0), ("profile", "profile", 0.0), ("front", "profile", 0.0)],
)
def test_what_lights_a_profile_is_told_by_no_other_side(shown, onto, harsh):
    """Shade on the half that is shown was drawn on both halves of faces seen from the front."""
    layout = coarse_layout(load_layout("uvface"), SIZE)
    front = _face(np.broadcast_to(SKIN, (256, 256, 3)))
    half = front.visibility * (jnp.arange(256) < 128).astype(jnp.float32)
    faces = {"front": front, "profile": dataclasses.replace(front, visibility=half)}
    target = examine(faces[onto], layout, occlusion=True)
    assert float(target.harshness) < 0.05
    side = examine(faces[shown], layout, occlusion=True, target=target)
    assert float(side.harshness) == pytest.approx(harsh, abs=0.05)


def test_a_half_turned_face_is_as_harshly_lit_as_itself():
    """Beside itself it was called harsher: of a profile put back some of a cheek was left out."""
    layout = coarse_layout(load_layout("uvface"), SIZE)
    front = _face(np.broadcast_to(SKIN, (256, 256, 3)))
    visibility = front.visibility * (jnp.arange(256) < 141).astype(jnp.float32)
    turned = dataclasses.replace(front, visibility=visibility)
    target = examine(turned, layout, occlusion=True)
    assert 0.1 < float(target.profile) < 0.9
    side = examine(turned, layout, occlusion=True, target=target)
    np.testing.assert_array_equal(side.harshness, target.harshness)
    np.testing.assert_array_equal(side.seen, target.seen)


def _bearded(*, thin=False):
    """Return a face with a black beard; ``thin``: stubble in one place on one side."""
    layout = load_layout("uvface")
    u, v = (np.asarray(layout.landmark_uv) * 256).T
    below_nose, chin = v[NOSE].max(), v[8]
    rows, columns = np.mgrid[:256, :256]
    zone = (rows > below_nose + 4) & (rows < chin + 8) & (abs(columns - 127.5) < 62)
    zone &= np.asarray(layout.region("lips") + layout.region("mouth_interior")) < 0.1
    texture = np.where(zone[..., None], np.float32([0.05, 0.045, 0.04]), SKIN)
    place = np.s_[round(v[48]) - 6 : round(v[48]) + 6, round(u[48]) - 22 : round(u[48]) - 8]
    if thin:
        texture[place] = 0.62 * SKIN
    across = place[0], slice(256 - place[1].stop, 256 - place[1].start)
    return texture.astype(np.float32), across


def test_a_black_beard_is_seen_also_where_it_is_thin_on_the_other_side():
    """Black is nothing like skin, and there the other side looks more like it."""
    layout = coarse_layout(load_layout("uvface"), SIZE)
    for thin in (False, True):
        texture, across = _bearded(thin=thin)
        seen = np.asarray(examine(_face(texture), layout, occlusion=True).seen)
        rows, columns = (slice(s.start // 2 + 1, s.stop // 2 - 1) for s in across)
        assert seen[rows, columns].mean() > 0.9


def test_a_beard_stays_towards_the_edge_of_what_is_swapped():
    layout = coarse_layout(load_layout("uvface"), SIZE)
    mask = layout.region("face")
    texture, _ = _bearded()
    plain = np.broadcast_to(SKIN, (256, 256, 3)).astype(np.float32)
    for colors, stays in ((plain, False), (texture, True)):
        side = examine(_face(colors), layout, occlusion=True)
        before, after = np.asarray(side.seen), np.asarray(side.with_beard_left(mask).seen)
        if not stays:
            assert np.array_equal(before, after)
            continue
        assert (after <= before).all()
        v = np.asarray(layout.landmark_uv)[:, 1] * SIZE
        forehead, mouth = round(v[27]) - 8, round(v[57])
        assert np.array_equal(before[:forehead], after[:forehead])
        assert after[mouth + 2, 60:68].min() > 0.95
        inside = np.argwhere((np.asarray(mask) > 0.9) & (before > 0.9))
        lowest = inside[inside[:, 0].argmax()]
        assert after[tuple(lowest)] < 0.3
        steps = np.abs(np.diff(after[mouth:, 56:72], axis=0))
        assert steps.max() < 0.35  # no line: a beard thins out


def test_skin_among_a_beard_is_not_compared():
    layout = coarse_layout(load_layout("uvface"), SIZE)
    skin = layout.region("skin")
    texture, _ = _bearded()
    rows = round(float(layout.landmark_uv[8, 1]) * SIZE)
    gap = np.s_[2 * rows - 14 : 2 * rows - 4, 120:136]
    texture[gap] = 0.8 * SKIN  # seen through the beard
    weight = np.asarray(examine(_face(texture), layout, occlusion=True).skin(skin).weight)
    assert weight[rows - 6 : rows - 3, 61:67].max() < 0.05
    plain = np.broadcast_to(SKIN, (256, 256, 3)).astype(np.float32)
    plain[gap] *= 0.8
    weight = np.asarray(examine(_face(plain), layout, occlusion=True).skin(skin).weight)
    assert weight[rows - 12 : rows - 8, 61:67].min() > 0.5
