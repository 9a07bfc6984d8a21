"""Lamps: which side of a face gets lighter, and what stays as it is."""

import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face
from peak_memory import can_tell, peak_growth

from uvface.core.errors import InputError
from uvface.core.geometry import tiles
from uvface.core.geometry.layout import load_layout
from uvface.editing.colour import linear_from_srgb
from uvface.editing.lamps import LIGHTS, light_faces, parse_lights
from uvface.editing.surroundings import surroundings

LAYOUT = load_layout("uvface")
WIDTH, HEIGHT = 420, 480
GREY = np.full((HEIGHT, WIDTH, 3), 0.4, np.float32)


def _face(yaw=0.0):
    return mean_face(LAYOUT, centre=(210.0, 230.0), scale=7.0, pose=(yaw, 0.0, 0.0))


def _change(text, yaw=0.0, image=GREY):
    """Return by what the linear light at each pixel is multiplied."""
    face = _face(yaw)
    lit = light_faces(image, [face], LAYOUT, parse_lights(text))
    after, before = (np.asarray(linear_from_srgb(jnp.asarray(x))) for x in (lit, image))
    return after / before, face


def _at(change, face, texels):
    """Return the mean change of some texels of the face that are seen."""
    is_front = np.asarray(LAYOUT.canonical)[..., 2] > 2.0
    x, y = np.rint(np.asarray(face.position_map)[texels & is_front, :2]).astype(int).T
    return change[y, x].mean(axis=0)


RIGHT_SIDE = np.asarray(LAYOUT.canonical)[..., 0] < -4.0  # the picture's left, from the front
LEFT_SIDE = np.asarray(LAYOUT.canonical)[..., 0] > 4.0
CHEEKS = np.asarray(LAYOUT.region("cheeks")) > 0.9
UPPER = np.asarray(LAYOUT.canonical)[..., 1] < -5.0
LOWER = np.asarray(LAYOUT.canonical)[..., 1] > 5.0


def test_lights_are_read_and_checked():
    assert parse_lights("left=-0.5,warm=1") == {"left": -0.5, "warm": 1.0}
    with pytest.raises(InputError, match="cannot light 'right'; choose from left, above"):
        parse_lights("right=1")


def test_no_light_is_the_photo_itself():
    assert light_faces(GREY, [_face()], LAYOUT, dict.fromkeys(LIGHTS, 0.0)) is GREY


def test_light_beside_a_face_is_the_same_whatever_the_window_s_size():
    """It ran out over a share of the window, which is of one of a few sizes: 12 levels of 255."""
    grey = np.full((900, 900, 3), 0.4, np.float32)
    lit, sides = [], []
    for scale in (10.3, 10.32):  # of 512 and of 640 pixels
        face = mean_face(LAYOUT, centre=(450.0, 440.0), scale=scale)
        lit.append(light_faces(grey, [face], LAYOUT, {"bright": 0.7}))
        sides.append(surroundings(face.position_map, LAYOUT, room=0.6).side)
    assert sides[0] < sides[1]
    assert np.abs(lit[0] - lit[1]).max() < 2 / 255
    assert np.abs(lit[0] - grey).max() > 0.05


@pytest.mark.parametrize("name", LIGHTS)
def test_pixels_far_from_the_face_are_the_photo_s(name):
    wide = np.random.default_rng(0).random((900, 1000, 3)).astype(np.float32)
    lit = light_faces(wide, [_face()], LAYOUT, {name: 1.0})
    changed = np.abs(lit - wide).max(axis=-1) > 0.0
    assert changed[:480, :420].mean() > 0.3
    assert not changed[600:].any() and not changed[:, 600:].any()


@pytest.mark.parametrize("yaw", [0.0, 40.0, -40.0])
def test_a_lamp_at_the_left_lights_what_faces_it(yaw):
    change, face = _change("left=1", yaw)
    lit, shaded = (_at(change, face, side)[1] for side in (RIGHT_SIDE, LEFT_SIDE))
    if yaw == 0.0:
        assert lit > 1.2 and shaded < 0.8
        mirrored, _ = _change("left=-1")
        np.testing.assert_allclose(_at(mirrored, face, LEFT_SIDE)[1], lit, rtol=0.05)
    else:
        assert lit > shaded + 0.2
    half, _ = _change("left=0.5", yaw)
    assert 1.0 < _at(half, face, RIGHT_SIDE)[1] / _at(half, face, LEFT_SIDE)[1] < lit / shaded


def test_a_lamp_above_lights_the_forehead_and_keeps_the_exposure():
    change, face = _change("above=1")
    assert _at(change, face, UPPER)[1] > _at(change, face, LOWER)[1] + 0.2
    assert abs(_at(change, face, np.asarray(LAYOUT.region("face")) > 0.5)[1] - 1.0) < 0.25


def test_faces_beside_each_other_are_lit_once_each():
    """Before, each was lit by the lamps of all, the more the later it came."""
    dark = np.full((HEIGHT, 700, 3), 0.2, np.float32)
    faces = [
        mean_face(LAYOUT, centre=(x, 230.0), scale=7.0, pose=(0.0, 0.0, 0.0)) for x in (250, 420)
    ]
    for order in (faces, faces[::-1]):
        lit = light_faces(dark, order, LAYOUT, {"bright": 1.0})
        for face in faces:
            linear = [np.asarray(linear_from_srgb(jnp.asarray(x))) for x in (lit, dark)]
            np.testing.assert_allclose(_at(linear[0] / linear[1], face, CHEEKS), 2.0, atol=0.15)


def test_brightness_is_in_stops():
    dark = np.full_like(GREY, 0.2)
    change, shown = _change("bright=1", image=dark)
    np.testing.assert_allclose(_at(change, shown, CHEEKS), 2.0, atol=0.1)


@pytest.mark.parametrize("amount", [-1.0, -0.5, 0.5, 1.0])
def test_warmth_leaves_the_luminance_of_skin(amount):
    """At -1 skin lost 12 % of its light, at 1 it gained up to 5 %."""
    skin = GREY * np.array([0.9, 0.7, 0.58], np.float32)
    red, _, blue = change = _at(*_change(f"warm={amount}", image=skin), CHEEKS)
    assert amount * np.log(red / blue) > 0.6 * amount**2
    luminance = np.asarray(linear_from_srgb(jnp.asarray(skin[0, 0]))) * [0.2126, 0.7152, 0.0722]
    assert abs((change * luminance).sum() / luminance.sum() - 1.0) < 0.03


def test_tiles_are_lit_as_the_whole_window(monkeypatch):
    image = np.random.default_rng(1).random((HEIGHT, WIDTH, 3)).astype(np.float32)
    whole = light_faces(image, [_face()], LAYOUT, {"left": 1.0})
    monkeypatch.setattr(tiles, "_WHOLE", 128)
    monkeypatch.setattr(tiles, "_STRIDE", 112)
    tiled = light_faces(image, [_face()], LAYOUT, {"left": 1.0})
    assert (whole != image).any(axis=-1).mean() > 0.5
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


@pytest.mark.skipif(not can_tell, reason="only Linux tells of memory")
def test_a_large_face_takes_the_memory_of_a_tile():
    """It took 0.8 GB: the window was held several times, with what lies beyond the photo."""
    image = np.full((1900, 1800, 3), 0.4, np.float32)
    face = mean_face(LAYOUT, centre=(900.0, 950.0), scale=80.0, pose=(0.0, 0.0, 0.0))

    def light():
        return light_faces(image, [face], LAYOUT, {"left": 1.0})

    light()  # compiling takes memory, too
    assert peak_growth(light) < 250e6
