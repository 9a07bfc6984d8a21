"""Retouching: what is taken off skin, teeth and eyes, and what stays."""

import dataclasses
import inspect
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face
from toy_faces import layout as toy
from toy_faces import toy_photo

import uvface
from uvface.core.errors import InputError
from uvface.core.geometry.layout import load_layout
from uvface.editing import bands
from uvface.editing.colour import lab_from_rgb, rgb_from_lab
from uvface.editing.retouch.face import RETOUCHES, parse_retouches, retouch_face
from uvface.editing.retouch.features import brighten_eyes, light_around, whiten_teeth

LAYOUT = load_layout("uvface")
SIZE, SCALE = 640, 24.0
SKIN = np.array([0.72, 0.05, 0.05], np.float32)  # Oklab
FACE = mean_face(LAYOUT, centre=(320.0, 300.0), scale=SCALE, pose=(0.0, 0.0, 0.0))
# Places in canonical cm: x right, y down.
CHEEK, OTHER_CHEEK, FOREHEAD = (-4.2, 1.8), (4.2, 1.8), (0.0, -4.6)


def _pixel(place):
    camera = FACE.camera
    x, y = (float(camera.translation[k]) + SCALE * place[k] for k in (0, 1))
    return round(y), round(x)


def _distance(place, stretch=1.0):
    """Return the distance from a place to each pixel, cm; across lines that are so much longer."""
    row, column = _pixel(place)
    y, x = np.mgrid[:SIZE, :SIZE]
    return np.hypot((x - column) / stretch, y - row) / SCALE


def _blob(place, size, stretch=1.0):
    return np.exp(-0.5 * (_distance(place, stretch) / size) ** 2)[..., None]


def _photo(*changes):
    """Return an even face of skin, with changes of Oklab added."""
    lab = SKIN + sum(changes, np.zeros((SIZE, SIZE, 3)))
    return np.array(rgb_from_lab(jnp.asarray(lab, jnp.float32)))


def _lab(image):
    return np.array(lab_from_rgb(jnp.asarray(image)))


def _retouched(image, text, face=FACE):
    return retouch_face(image, face, LAYOUT, parse_retouches(text))


def _light_at(image, place):
    return float(_lab(image)[_pixel(place)][0])


DARKER = np.array([-0.15, 0.0, 0.0])


def test_amounts_are_read_and_checked():
    assert parse_retouches("skin=0.5, teeth=1") == {"skin": 0.5, "teeth": 1.0}
    for given, told in (
        ("skim=1", "cannot retouch 'skim'; choose from skin"),
        ("skin=-0.5", "need a number, 0 to 1"),
        ("skin", "need NAME=AMOUNT with a number from 0 to 1"),
        (["skin=.1", "skin=.2"], "twice"),
    ):
        with pytest.raises(InputError, match=told):
            inspect.unwrap(parse_retouches)(given)


def test_nothing_to_do_is_the_photo_itself():
    photo = _photo(_blob(CHEEK, 0.15) * DARKER)
    assert _retouched(photo, dict.fromkeys(RETOUCHES, 0.0)) is photo


@pytest.mark.parametrize("name", RETOUCHES)
def test_pixels_beside_the_face_are_the_photo_s(name):
    noise = np.random.default_rng(0).normal(0.0, 0.03, (SIZE, SIZE, 3))
    photo = _photo(noise, _blob(CHEEK, 0.15) * DARKER)
    change = np.abs(_retouched(photo, {name: 1.0}) - photo).max(axis=-1)
    points = np.asarray(FACE.position_map)[np.asarray(LAYOUT.region("face")) > 0.0]
    (left, top), (right, bottom) = points[:, :2].min(axis=0) - 5, points[:, :2].max(axis=0) + 5
    y, x = np.mgrid[:SIZE, :SIZE]
    inside = (x > left) & (x < right) & (y > top) & (y < bottom)
    assert change[inside].max() > 0.003
    assert change[~inside].max() == 0.0


def test_what_covers_the_face_stays():
    hidden = jnp.where(LAYOUT.canonical[..., 0] < 0.0, 0.0, LAYOUT.mask)
    face = dataclasses.replace(FACE, visibility=hidden)
    photo = _photo(_blob(CHEEK, 0.15) * DARKER, _blob(OTHER_CHEEK, 0.15) * DARKER)
    result = _retouched(photo, "spots=1", face)
    covered, seen = _pixel(CHEEK), _pixel(OTHER_CHEEK)
    assert (result[covered] == photo[covered]).all()
    assert _light_at(result, OTHER_CHEEK) > 0.69 > 0.6 > float(_lab(photo)[seen][0])


def test_a_face_that_is_wholly_covered_is_the_photo_itself():
    """Before, it ended a whole batch with a traceback."""
    face = dataclasses.replace(FACE, visibility=jnp.zeros_like(LAYOUT.mask))
    photo = _photo(_blob(CHEEK, 0.15) * DARKER)
    assert _retouched(photo, dict.fromkeys(RETOUCHES, 1.0), face) is photo


def test_eyes_behind_a_mask_are_brightened_without_any_skin():
    """Before, a mean over no skin was NaN, which left all as it was."""
    face = dataclasses.replace(FACE, visibility=LAYOUT.region("eyeballs"))
    grey = np.where(np.arange(SIZE)[:, None, None] % 8 < 4, 0.5, 0.6) * np.ones((1, SIZE, 3))
    photo = grey.astype(np.float32)
    result = _retouched(photo, "eyes=1", face)
    assert 0.01 < np.abs(result - photo).max() < 0.2


@pytest.mark.parametrize("level", [0.0, 0.02, 0.5, 1.0])  # in the dark teeth shall not glow
def test_grey_pictures_stay_grey(level):
    photo = np.full((SIZE, SIZE, 3), level, np.float32)
    result = _retouched(photo, dict.fromkeys(RETOUCHES, 1.0))
    assert np.abs(result - photo).max() < 0.1
    assert np.ptp(result, axis=-1).max() < 0.01


@pytest.mark.parametrize(("centre", "scale"), [((-40.0, 300.0), SCALE), ((300.0, 300.0), 1.0)])
def test_faces_beyond_the_border_and_tiny_ones_are_retouched(centre, scale):
    face = mean_face(LAYOUT, centre=centre, scale=scale, pose=(0.0, 0.0, 0.0))
    noise = np.random.default_rng(0).normal(0.0, 0.03, (SIZE, SIZE, 3))
    result = _retouched(_photo(noise), dict.fromkeys(RETOUCHES, 1.0), face)
    assert np.isfinite(result).all() and result.min() >= 0.0 and result.max() <= 1.0


@pytest.mark.parametrize("place", [CHEEK, OTHER_CHEEK, FOREHEAD])
@pytest.mark.parametrize("change", [DARKER, np.array([-0.03, 0.06, 0.02])])
def test_a_spot_is_taken_off(place, change):
    photo = _photo(_blob(place, 0.12) * change)
    result = _lab(_retouched(photo, "spots=1"))[_pixel(place)]
    np.testing.assert_allclose(result, SKIN, atol=0.25 * np.abs(change).max())
    half = _lab(_retouched(photo, "spots=0.5"))[_pixel(place)]
    np.testing.assert_allclose(half, SKIN + 0.5 * change, atol=0.25 * np.abs(change).max())


def test_lines_freckles_and_nostrils_are_no_spots():
    line = _blob(CHEEK, 0.12, stretch=12.0) * DARKER
    photo = _photo(line)
    assert _light_at(_retouched(photo, "spots=1"), CHEEK) < 0.6
    nostril = tuple(float(v) for v in LAYOUT.landmarks()[32, :2])
    photo = _photo(_blob(nostril, 0.2) * DARKER)
    assert (_retouched(photo, "spots=1")[_pixel(nostril)] == photo[_pixel(nostril)]).all()
    random = np.random.default_rng(1)
    places = [np.add(CHEEK, random.uniform(-1.6, 1.6, 2)) for _ in range(80)]
    freckles = sum(_blob(place, 0.07) for place in places).clip(0, 1)
    photo = _photo(freckles * DARKER)
    near = _distance(CHEEK) < 1.0
    before, after = (_lab(x)[near][:, 0].std() for x in (photo, _retouched(photo, "spots=1")))
    assert after > 0.75 * before


def test_skin_is_smoothed_but_for_pores_and_folds():
    y, x = (v / SCALE for v in np.mgrid[:SIZE, :SIZE])
    uneven = 0.012 * np.sin(2 * np.pi * x / 0.8) * np.sin(2 * np.pi * y / 0.8)
    pores = np.random.default_rng(0).normal(0.0, 0.01, (SIZE, SIZE))
    pores -= np.roll(pores, 1, axis=1)
    light = np.array([1.0, 0.0, 0.0])
    fold = _blob(OTHER_CHEEK, 0.15, stretch=12.0) * DARKER
    photo = _photo(uneven[..., None] * light, pores[..., None] * light, fold)
    change = (_lab(_retouched(photo, "skin=1")) - _lab(photo))[..., 0]
    near = _distance(CHEEK) < 1.2
    left = uneven + change
    assert left[near].std() < 0.4 * uneven[near].std()
    assert abs(np.corrcoef(change[near], pores[near])[0, 1]) < 0.3
    assert _light_at(_retouched(photo, "skin=1"), OTHER_CHEEK) < 0.62


def test_shine_is_taken_off_but_not_the_light_of_one_side():
    shine = np.array([0.15, -0.04, -0.04])
    photo = _photo(_blob(CHEEK, 0.5) * shine)
    result = _lab(_retouched(photo, "shine=1"))[_pixel(CHEEK)]
    assert result[0] < SKIN[0] + 0.6 * shine[0] and result[1] > SKIN[1] + 0.6 * shine[1]
    lit = (np.mgrid[:SIZE, :SIZE][1] < 320)[..., None] * np.array([0.15, 0.01, 0.01])
    photo = _photo(lit)
    change = np.abs(_lab(_retouched(photo, "shine=1")) - _lab(photo))[..., 0]
    assert change.max() < 0.02


def test_shade_below_the_eyes_is_lightened_to_the_cheeks_and_nothing_else():
    lids = LAYOUT.landmarks()[np.array([40, 41]), :2]
    bag = tuple(float(v) for v in lids.mean(axis=0) + jnp.array([0.0, 0.9]))
    shade = np.array([-0.1, 0.0, -0.02])
    photo = _photo(_blob(bag, 0.5, stretch=2.0) * shade)
    result = _retouched(photo, "eye_bags=1")
    assert _light_at(result, bag) > SKIN[0] + 0.5 * shade[0]
    assert abs(_light_at(result, bag) - SKIN[0]) < 0.09
    for place in ((CHEEK[0], 5.0), FOREHEAD):
        assert (result[_pixel(place)] == photo[_pixel(place)]).all()


def test_tone_evens_the_colour_and_leaves_the_light():
    red = np.array([-0.02, 0.05, 0.0])
    photo = _photo(_blob(CHEEK, 0.8) * red)
    before, after = (_lab(x)[_pixel(CHEEK)] for x in (photo, _retouched(photo, "tone=1")))
    assert abs(after[0] - before[0]) < 2e-3
    assert abs(after[1] - SKIN[1]) < 0.6 * abs(before[1] - SKIN[1])


def test_teeth_are_whitened_and_lips_gums_and_the_dark_are_not():
    tooth, lips, gum, dark = [0.75, 0.01, 0.06], [0.55, 0.12, 0.02], [0.6, 0.1, 0.04], [0.1, 0, 0]
    lab = jnp.asarray([[tooth, lips, gum, dark]], jnp.float32)
    amount, skin = jnp.asarray(1.0), jnp.asarray(SKIN)
    change = np.asarray(whiten_teeth(lab, jnp.ones((1, 4)), skin, amount))[0]
    assert change[0][0] > 0.02 and change[0][2] < -0.03
    assert np.abs(change[1:]).max() < 1e-3
    assert np.abs(whiten_teeth(lab, jnp.zeros((1, 4)), skin, amount)).max() == 0.0


def test_whites_of_eyes_become_whiter_and_irises_more_vivid():
    lab = np.broadcast_to(np.array([0.8, 0.02, 0.02], np.float32), (40, 60, 3)).copy()
    y, x = np.mgrid[:40, :60]
    iris = np.hypot(x - 30, y - 20) < 12
    lab[iris] = [0.4, -0.02, -0.05]
    eyes = jnp.ones((40, 60))
    lab = jnp.asarray(lab)
    around = light_around(lab, eyes, jnp.asarray(20.0))
    change = np.asarray(brighten_eyes(lab, eyes, around, jnp.asarray(SKIN), jnp.asarray(1.0)))
    white = change[2, 2]
    assert white[0] > 0.01 and white[1] < -0.005 and white[2] < -0.005
    assert change[20, 30][2] < -0.005  # bluer
    assert abs(change[20, 30][0]) < 0.02


def test_layouts_without_eyes_and_mouth_are_retouched_too():
    image, face = toy_photo(1)
    result = retouch_face(image, face, toy(), dict.fromkeys(RETOUCHES, 1.0))
    assert np.isfinite(result).all() and np.abs(result - image).max() > 0.01


def test_edits_retouch_after_colours_and_before_shapes():
    target = Path(__file__).resolve().parents[3] / "examples" / "photos" / "target.jpg"
    model = uvface.load()
    result = uvface.edit(target, model=model, retouch="skin=1,spots=0.5", reshape={"smile": 0.5})
    assert result.operation == "edit skin, spots, smile"
    assert result.settings["retouch"] == {"skin": 1.0, "spots": 0.5}
    once = uvface.edit(target, model=model, retouch={"skin": 1.0, "spots": 0.5})
    assert np.abs(once.image - once.photo.image).max() > 0.02
    boxes = {"photo": [np.asarray(once.faces[0].box).tolist()]}
    again = uvface.edit(once.image, model=model, reshape={"smile": 0.5}, boxes=boxes)
    assert np.abs(again.image - result.image).mean() < 2e-3
    none = uvface.edit(target, model=model, retouch="skin=1", strength=0.0)
    assert (none.image == none.photo.image).all()


@pytest.mark.parametrize("rows", [384, 100])  # each pixel by itself, and blocks of them
def test_bands_are_retouched_as_the_whole_window(monkeypatch, rows):
    monkeypatch.setattr(bands, "_LOOKED_ROWS", rows)
    photo = _photo(0.05 * np.random.default_rng(3).standard_normal((SIZE, SIZE, 3)))
    whole = _retouched(photo, dict.fromkeys(RETOUCHES, 1.0))
    monkeypatch.setattr(bands, "_WHOLE", 100)
    monkeypatch.setattr(bands, "_BAND", 80)
    banded = _retouched(photo, dict.fromkeys(RETOUCHES, 1.0))
    assert (whole != photo).any(axis=-1).mean() > 0.2
    np.testing.assert_allclose(banded, whole, atol=1e-4)
