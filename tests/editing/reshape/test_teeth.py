"""Teeth that are made anew do not flash when the eyes, whose whites tell their colour, blink."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face

from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.render import render_texture
from uvface.core.geometry.visibility import visibility
from uvface.core.io.video import Frame
from uvface.editing.request import edit_request
from uvface.editing.reshape.teeth import Whites, find_whites, remember_whites, tooth_color
from uvface.editing.video.edit_video import _shaped
from uvface.editing.video.frames import ChangedFrame
from uvface.editing.video.tracking import Track

LAYOUT = load_layout("uvface")
SKIN, LIPS, WHITE = np.array([0.4, 0.29, 0.24]), np.array([0.4, 0.22, 0.22]), 0.8
SIDE, RATE = 256, 30
BLINK = (2, 3, 4, 5)
COUNT = 8


def _face(white=WHITE):
    """Return a face with whites of a lightness, or with closed eyes."""
    face = mean_face(LAYOUT, centre=(128.0, 120.0), scale=11.0, pose=(0.0, 0.0, 0.0))
    seen = visibility(face.position_map, LAYOUT)
    lips, eyeballs = (
        np.asarray(LAYOUT.region(name))[..., None] > 0.5 for name in ("lips", "eyeballs")
    )
    eyes = SKIN if white is None else np.full(3, white)
    texture = np.where(eyeballs, eyes, np.where(lips, LIPS, SKIN)).astype(np.float32)
    return dataclasses.replace(
        face, visibility=seen, self_visibility=seen, texture=jnp.asarray(texture)
    )


def _frame(number, *, track, white, bright=1.0):
    face = _face(white)
    drawn, _ = render_texture(face.texture, face.position_map, LAYOUT, height=SIDE, width=SIDE)
    image = np.rint(255 * bright * np.asarray(drawn)).astype(np.uint8)
    frame = Frame(image=image, time=number, seconds=number / RATE, duration=1)
    return ChangedFrame(frame=frame, image=image, faces={Track(track, 0): face})


def _couple(number, white):
    """Return a frame of two people: the left one's eyes are closed, the right one's not."""
    left, right = (_frame(number, track=k, white=w) for k, w in enumerate((None, white)))
    image = np.concatenate([left.image, right.image], axis=1)
    (track, face), faces = next(iter(right.faces.items())), dict(left.faces)
    step = jnp.array([SIDE, 0.0, 0.0])
    faces[track] = dataclasses.replace(
        face, position_map=face.position_map + step, landmarks=face.landmarks + step
    )
    frame = dataclasses.replace(left.frame, image=image)
    return ChangedFrame(frame=frame, image=image, faces=faces)


def _teeth(frames):
    """Return how light the teeth of mouths are that are opened in each frame, levels."""
    request = edit_request(LAYOUT, reshape={"mouth_open": 0.6})
    found = []
    for one in _shaped(iter(frames), request, LAYOUT):
        for face in one.faces.values():
            x, y = np.asarray(face.landmarks)[62, :2].round().astype(int)
            found.append(float(one.image[y + 1 : y + 6, x + 3 : x + 6].min(axis=-1).max()))
    return np.array(found)


def test_teeth_in_a_video_do_not_flash_when_eyes_blink():
    frames = [_frame(k, track=0, white=None if k in BLINK else WHITE) for k in range(COUNT)]
    teeth = _teeth(frames)
    assert teeth.min() > 1.3 * 255 * SKIN.min()  # those of open eyes
    np.testing.assert_allclose(teeth, teeth[0], atol=2.0)  # levels


def test_a_face_that_is_found_anew_tells_the_colour_of_its_own_teeth():
    """After a cut."""
    frames = [_frame(k, track=k, white=None if k else WHITE) for k in range(2)]
    before, after = _teeth(frames)
    assert after < 0.8 * before


def test_each_face_has_teeth_of_its_own_eyes():
    frames = [_couple(k, WHITE if k < 1 else None) for k in range(2)]  # the right one blinks
    left, right, left_after, right_after = _teeth(frames)
    assert left < 0.8 * right
    np.testing.assert_allclose((left_after, right_after), (left, right), atol=2.0)


def test_teeth_become_darker_with_the_light():
    frames = [_frame(k, track=0, white=WHITE, bright=1.0 - 0.4 * k) for k in range(2)]
    before, after = _teeth(frames)
    assert 0.55 * before < after < 0.67 * before


def _color(whites):
    return np.asarray(tooth_color(whites))


def test_one_frame_tells_what_a_photo_does():
    whites = find_whites(_face(), LAYOUT)
    assert float(whites.found) == 1.0
    assert remember_whites(whites, None, seconds=0.0) is whites
    np.testing.assert_allclose(
        _color(remember_whites(whites, whites, seconds=1 / RATE)), _color(whites), atol=1e-6
    )


def test_whites_that_are_found_late_are_believed_more_and_more():
    """From teeth as light as skin to those of the whites, without a step."""
    closed, seen = (find_whites(_face(white), LAYOUT) for white in (None, WHITE))
    known, row = closed, []
    for _ in range(4 * RATE):
        known = remember_whites(seen, known, seconds=1 / RATE)
        row.append(_color(known).min())
    assert 0.0 <= np.diff(row).min() and np.diff(row).max() < 0.02
    np.testing.assert_allclose(row[-1], _color(seen).min(), atol=0.02)


def test_half_covered_whites_count_less():
    seen = find_whites(_face(), LAYOUT)
    half = Whites(0.7 * seen.light, seen.skin, jnp.float32(0.3))
    found = [
        _color(remember_whites(one, seen, seconds=1 / RATE)).min()
        for one in (seen, half, half._replace(found=jnp.float32(1.0)))
    ]
    assert found[0] > found[1] > found[2] > 0.97 * found[0]
    assert found[0] - found[1] == pytest.approx(0.3 * (found[0] - found[2]), rel=0.05)


def test_where_a_layout_knows_no_eyes_nothing_is_found():
    regions = {name: part for name, part in LAYOUT.regions.items() if name != "eyeballs"}
    assert float(find_whites(_face(), dataclasses.replace(LAYOUT, regions=regions)).found) == 0.0
