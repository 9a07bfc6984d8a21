"""How far faces move: by which amounts, and what must not move."""

import dataclasses
import logging

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face
from toys import toy_layout

from uvface.core.errors import InputError
from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.visibility import visibility
from uvface.editing.reshape.deform import (
    PROPORTIONS,
    deformation,
    openings,
    parse_reshaping,
    reshape_names,
)

LAYOUT = load_layout("uvface")
FRONT = (0.0, 0.0, 0.0)


def _face(**settings):
    return mean_face(
        LAYOUT, **({"centre": (200.0, 200.0), "scale": 20.0, "pose": FRONT} | settings)
    )


def _moved(face, amounts):
    map_ = face.position_map + deformation(face, LAYOUT, amounts).shift
    landmarks = read_landmarks(map_, LAYOUT.landmark_uv)
    return dataclasses.replace(face, position_map=map_, landmarks=landmarks)


def _gap(face, upper, lower):
    return float(face.landmarks[lower, 1] - face.landmarks[upper, 1]) / float(face.camera.scale)


def test_a_layout_without_expressions_has_proportions():
    assert reshape_names(toy_layout()) == tuple(PROPORTIONS)
    with pytest.raises(InputError, match="smile"):
        parse_reshaping("smile=1", toy_layout())


@pytest.mark.parametrize("name", PROPORTIONS)
@pytest.mark.parametrize("amount", [-1.0, 1.0])
def test_proportions_fold_nothing_and_are_the_same_on_both_sides(name, amount):
    face = _face()
    moved = _moved(face, {name: amount})
    shift = np.asarray(moved.position_map - face.position_map)
    mirrored = np.asarray(LAYOUT.mirror(jnp.asarray(shift))) * [-1, 1, 1]
    on_face = np.asarray(LAYOUT.mask) > 0.5
    assert np.abs(mirrored - shift)[on_face].max() < 0.05 * np.abs(shift).max()
    assert np.abs(shift).max() > 0.15 * 20.0  # it does something: 1.5 mm and more

    def areas(map_):
        first, second, third = np.asarray(map_).reshape(-1, 3)[np.asarray(LAYOUT.triangles).T]
        return np.cross(second - first, third - first)

    before, after = areas(face.position_map), areas(moved.position_map)
    cosine = (before * after).sum(-1) / np.maximum(
        np.linalg.norm(before, axis=-1) * np.linalg.norm(after, axis=-1), 1e-9
    )
    large = np.linalg.norm(before, axis=-1) > 0.2 * np.median(np.linalg.norm(before, axis=-1))
    assert cosine[large].min() > 0.3


# Distances between landmarks: what each proportion changes, and by how much at most the others.
_SIZES = {
    "eyes_size": (36, 39),
    "nose_width": (31, 35),
    "mouth_width": (48, 54),
    "lips_fullness": (51, 57),
    "jaw_width": (4, 12),
}


@pytest.mark.parametrize("name", _SIZES)
def test_a_proportion_is_of_one_part(name):
    """A wider jaw had a wider mouth, a wider mouth a wider nose."""
    face = _face()
    before, after = (np.asarray(f.landmarks) for f in (face, _moved(face, {name: 1.0})))

    def size(points, ends):
        return float(np.linalg.norm(points[ends[0], :2] - points[ends[1], :2]))

    grown = {part: size(after, ends) / size(before, ends) for part, ends in _SIZES.items()}
    own = grown.pop(name)
    assert own > 1.1
    assert max(abs(other - 1.0) for other in grown.values()) < 0.4 * (own - 1.0)


@pytest.mark.parametrize("wide", [-0.5, 0.0, 0.8])
def test_full_amounts_close_eyes_however_open_they_are(wide):
    face = _moved(_face(), {"eyes_wide": wide})
    before, after = (_gap(f, 37, 41) for f in (face, _moved(face, {"eyes_closed": 1.0})))
    half = _gap(_moved(face, {"eyes_closed": 0.5}), 37, 41)
    assert after < 0.1 * before and 0.3 * before < half < 0.6 * before


def test_a_mouth_closes_as_far_as_it_is_open():
    for opened in (0.2, 1.0):
        face = _moved(_face(), {"mouth_open": opened})
        closed = _moved(face, {"mouth_open": -1.0})
        assert _gap(face, 62, 66) > 0.2 * opened
        assert abs(_gap(closed, 62, 66)) < 0.25 * _gap(face, 62, 66) + 0.05
    # A closed one has nothing to close.
    assert np.abs(deformation(_face(), LAYOUT, {"mouth_open": -1.0}).shift).max() < 3.5


def test_a_mouth_goes_to_the_right_as_it_goes_to_the_left():
    """The opposite of the left was as much wider as the left is narrower."""
    face = _face()
    left, right = (_moved(face, {"mouth_left": amount}) for amount in (0.8, -0.8))
    shifts = [np.asarray(one.position_map - face.position_map) for one in (left, right)]
    mirrored = np.asarray(LAYOUT.mirror(jnp.asarray(shifts[0]))) * [-1, 1, 1]
    on_face = np.asarray(LAYOUT.mask) > 0.5
    np.testing.assert_allclose(shifts[1][on_face], mirrored[on_face], atol=1e-3)
    widths = [float(one.landmarks[54, 0] - one.landmarks[48, 0]) for one in (left, right)]
    assert widths[0] == pytest.approx(widths[1], rel=0.02)


def test_offsets_turn_and_grow_with_the_head():
    amounts = {"smile": 0.7, "jaw_width": -0.5}
    plain = deformation(_face(), LAYOUT, amounts).shift
    turned = _face(scale=50.0, pose=(40.0, 10.0, -20.0))
    rotation = np.asarray(turned.camera.rotation)
    goal = 2.5 * np.asarray(plain) @ rotation.T
    np.testing.assert_allclose(deformation(turned, LAYOUT, amounts).shift, goal, atol=1e-3)


@pytest.mark.parametrize("is_cut_off", [False, True])
def test_what_is_covered_or_beyond_the_photo_stays(is_cut_off):
    face = _face()
    on_face = np.asarray(visibility(face.position_map, LAYOUT)) > 0.5  # not what turns away
    left = np.arange(LAYOUT.size) < LAYOUT.size // 2
    seen = jnp.where(left, 0.0, face.visibility)
    covered = dataclasses.replace(face, visibility=seen)
    if is_cut_off:
        covered = dataclasses.replace(covered, self_visibility=seen)
    shift = np.abs(np.asarray(deformation(covered, LAYOUT, {"smile": 1.0}).shift)).max(axis=-1)
    shift = np.where(on_face, shift, 0.0)
    whole = (
        np.abs(np.asarray(deformation(face, LAYOUT, {"smile": 1.0}).shift)).max(axis=-1) * on_face
    )
    assert shift[:, : LAYOUT.size // 2 - 16].max() == 0.0
    far = np.arange(LAYOUT.size) > LAYOUT.size // 2 + 40
    np.testing.assert_allclose(shift[:, far], whole[:, far], atol=1e-4)


def test_the_next_face_compiles_nothing(caplog):
    """Loops that are not within ``jit`` are compiled each time: 138 memory maps per photo."""
    amounts = {"smile": 1.0, "jaw_width": 0.5}
    deformation(_face(), LAYOUT, amounts)
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        deformation(_face(pose=(10.0, 0.0, 0.0)), LAYOUT, amounts)
        assert not [line for line in caplog.messages if line.startswith("Compiling")]
        jax.jit(lambda: 1.0)()
    assert [line for line in caplog.messages if line.startswith("Compiling")]


def test_eyeballs_stay_under_lids_but_grow_with_the_eyes():
    inside = np.asarray(openings(LAYOUT)) > 0.99
    for amounts, carries in (
        ({"eyes_closed": 1.0, "smile": 1.0}, False),
        ({"eyes_size": 1.0}, True),
    ):
        found = deformation(_face(), LAYOUT, amounts)
        assert np.abs(np.asarray(found.shift)[inside]).max() > 1.0
        assert (np.abs(np.asarray(found.carried)[inside]).max() > 1.0) == carries
        outside = np.asarray(openings(LAYOUT)) == 0.0
        assert (np.asarray(found.carried)[outside] == np.asarray(found.shift)[outside]).all()
