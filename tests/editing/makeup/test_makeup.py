"""Make-up: where it goes, what it does to skin of any tone, and what stays."""

import dataclasses
import inspect
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face
from toy_faces import layout as toy
from toy_faces import toy_photo

import uvface
from uvface.core.errors import InputError
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.render import render_texture
from uvface.editing import bands
from uvface.editing.amounts import ColoredAmount
from uvface.editing.colour import lab_from_rgb, rgb_from_lab
from uvface.editing.makeup.face import MAKEUP, make_up_face, parse_makeup

LAYOUT = load_layout("uvface")
SIZE, SCALE = 640, 24.0
SKIN = (0.72, 0.05, 0.05)  # Oklab
FACE = mean_face(LAYOUT, centre=(320.0, 300.0), scale=SCALE, pose=(0.0, 0.0, 0.0))
ALL = dict.fromkeys(MAKEUP, 1.0)
TURNED = mean_face(LAYOUT, centre=(320.0, 300.0), scale=SCALE, pose=(25.0, 0.0, 6.0))
# Places in canonical cm: x right, y down.
CHEEKBONE, CHIN, HOLLOW, BRIDGE = (5.2, -0.3), (0.0, 6.5), (5.9, 1.6), (0.0, -2.0)


def _pixel(place):
    x, y = (float(FACE.camera.translation[k]) + SCALE * place[k] for k in (0, 1))
    return round(y), round(x)


@jax.jit
def _draw(mask, position_map):
    return render_texture(mask, position_map, LAYOUT, height=SIZE, width=SIZE)[0]


@cache
def _drawn(region, turned=False):
    face = TURNED if turned else FACE
    return np.asarray(_draw(LAYOUT.region(region)[..., None], face.position_map))


def _photo(skin=SKIN, noise=0.0, turned=False, iris=True, **regions):
    """Return a face of one lightness, with regions in other colours of Oklab."""
    lab = np.broadcast_to(np.asarray(skin, np.float32), (SIZE, SIZE, 3)).copy()
    waves = np.sin(np.arange(SIZE) / 7.0)  # skin of one colour is that of a toned photo
    lab[..., 1] += 0.02 * skin[0] * waves[:, None] * waves
    for region, color in regions.items():
        lab += _drawn(region, turned) * (np.asarray(color, np.float32) - lab)
    if iris and "eyeballs" in regions:
        disc = np.mgrid[:SIZE, :SIZE][1] // 16 % 2 * _drawn("eyeballs", turned)[..., 0]
        lab[..., 0] -= 0.6 * disc
    lab[..., 0] += noise * np.random.default_rng(0).normal(size=(SIZE, SIZE))
    return np.array(rgb_from_lab(jnp.asarray(lab, jnp.float32)))


HAIR, LIPS, WHITE = (0.35, 0.01, 0.02), (0.6, 0.1, 0.03), (0.85, 0.0, 0.0)


def _lab(image):
    return np.array(lab_from_rgb(jnp.asarray(image)))


def _made_up(image, given, face=FACE):
    return make_up_face(image, face, LAYOUT, parse_makeup(given))


def test_amounts_and_colours_are_read_and_checked():
    goal = {
        "lipstick": ColoredAmount(0.8, "crimson"),
        "blush": ColoredAmount(0.4),
        "brows": ColoredAmount(1.0, "#402010"),
        "contour": ColoredAmount(1.0),
    }
    text = "lipstick=0.8:crimson, blush=0.4,brows:#402010,contour"
    assert parse_makeup(text) == goal
    given = {"lipstick": [0.8, "crimson"], "blush": 0.4, "brows": "#402010", "contour": (1, None)}
    assert parse_makeup(given) == goal
    for wrong, told in (
        ("lipstik=1", "cannot make up 'lipstik'; choose from lipstick"),
        ("blush=-0.5", "need a number, 0 to 1"),
        ("blush=much", "need NAME, NAME=AMOUNT or NAME=AMOUNT:COLOUR"),
        ("blush=0.5:reddish", "'reddish' is not a colour"),
        ("blush:", "'' is not a colour"),
        ("blush,blush=0.5", "twice"),
        ({"blush": (0.5, "red", 1)}, "need an amount, a colour, or both"),
    ):
        with pytest.raises(InputError, match=told):
            inspect.unwrap(parse_makeup)(wrong)


def test_nothing_to_do_is_the_photo_itself():
    photo = _photo()
    assert _made_up(photo, dict.fromkeys(MAKEUP, 0.0)) is photo
    covered = dataclasses.replace(FACE, visibility=jnp.zeros_like(LAYOUT.mask))
    assert (_made_up(photo, ALL, covered) == photo).all()


@pytest.mark.parametrize("name", MAKEUP)
def test_only_its_zone_on_what_is_seen_is_changed(name):
    hidden = jnp.where(LAYOUT.canonical[..., 0] < -0.1, 0.0, LAYOUT.mask)
    face = dataclasses.replace(FACE, visibility=hidden)
    photo = _photo(noise=0.02, brows=HAIR, lips=LIPS)
    change = np.abs(_made_up(photo, {name: 1.0}, face) - photo).max(axis=-1)
    assert change.max() > 0.03
    _, column = _pixel((0.0, 0.0))
    assert change[:, : column - 12].max() == 0.0  # covered
    on_face = _drawn("face")[..., 0] + _drawn("mouth_interior")[..., 0] > 0.0
    assert change[~on_face].max() == 0.0
    assert (change == 0.0)[_pixel(CHIN)]


@pytest.mark.parametrize("name", MAKEUP)
def test_a_mirrored_photo_is_made_up_as_its_mirror_image(name):
    points = LAYOUT.mirror(TURNED.position_map) * jnp.array([-1.0, 1.0, 1.0])
    mirrored = dataclasses.replace(TURNED, position_map=points + jnp.array([SIZE - 1.0, 0.0, 0.0]))
    photo = _photo(brows=HAIR, lips=LIPS, eyeballs=WHITE, turned=True)
    one = _made_up(photo, {name: 1.0}, TURNED)
    other = _made_up(photo[:, ::-1], {name: 1.0}, mirrored)[:, ::-1]
    assert np.abs(one - photo).max() > 0.03
    assert np.abs(one - other).mean() < 2e-4 and (np.abs(one - other) > 0.05).mean() < 1e-3


@pytest.mark.parametrize("skin", [(0.32, 0.03, 0.03), (0.5, 0.05, 0.06), SKIN, (0.85, 0.02, 0.03)])
def test_blush_reddens_skin_of_any_tone_and_makes_none_paler(skin):
    before, after = (
        _lab(x)[_pixel(CHEEKBONE)] for x in (_photo(skin), _made_up(_photo(skin), "blush"))
    )
    assert after[1] / after[0] > before[1] / before[0] + 0.03
    assert -0.07 * before[0] < after[0] - before[0] < 0.005
    half = _lab(_made_up(_photo(skin), "blush=0.5"))[_pixel(CHEEKBONE)]
    np.testing.assert_allclose(half, 0.5 * (before + after), atol=4e-3)


def test_pores_stay_under_a_pigment():
    row, column = _pixel(HOLLOW)
    near = np.s_[row - 8 : row + 8, column - 8 : column + 8, 0]
    photos = _photo(), _photo(noise=0.03)
    even, uneven = (_lab(x)[near] for x in photos)
    after_even, after = (_lab(_made_up(x, "contour,blush"))[near] for x in photos)
    assert after_even.mean() < even.mean() - 0.03
    before, after = (uneven / even).ravel(), (after / after_even).ravel()
    np.testing.assert_allclose(after, before, atol=0.01)


def test_contour_darkens_and_highlight_lightens():
    photo = _photo()
    assert _lab(_made_up(photo, "contour"))[_pixel(HOLLOW)][0] < SKIN[0] - 0.03
    assert _lab(_made_up(photo, "highlight"))[_pixel(BRIDGE)][0] > SKIN[0] + 0.02


def test_strands_of_hair_before_a_cheek_stay_dark():
    photo = _photo(noise=0.0)
    row, column = _pixel(CHEEKBONE)
    photo[:, column - 3 : column + 4] = 0.12
    change = np.abs(_made_up(photo, "blush,highlight") - photo)
    assert change[row, column].max() < 0.004 < 0.02 < change[row, column + 12].max()


@pytest.mark.parametrize("level", [0.02, 0.3, 0.7, 1.0])
def test_a_photo_in_black_and_white_stays_so_unless_a_colour_is_named(level):
    photo = (level * _photo(brows=HAIR, lips=LIPS, eyeballs=WHITE)).mean(axis=-1, keepdims=True)
    photo = np.repeat(photo, 3, axis=-1)
    assert np.ptp(_made_up(photo, ALL), axis=-1).max() < 0.01
    if level > 0.1:
        named = _made_up(photo, "blush:crimson")
        assert np.ptp(named, axis=-1).max() > 0.02


def test_lipstick_colours_lips_and_leaves_teeth():
    photo = _photo(lips=LIPS, mouth_interior=WHITE)
    change = np.abs(_made_up(photo, "lipstick:crimson") - photo).max(axis=-1)
    lips, mouth = (_drawn(name)[..., 0] for name in ("lips", "mouth_interior"))
    assert change[lips > 0.99].mean() > 0.1
    assert change[mouth > 0.99].max() < 0.05


@pytest.mark.parametrize("is_open", [True, False])
def test_a_line_is_thin_and_along_the_lashes(is_open):
    """Of an eye that is as even as a lid, they are at the lower edge of its texels."""
    photo = _photo(eyeballs=WHITE) if is_open else _photo()
    after = _made_up(photo, "eyeliner")
    lid = LAYOUT.landmarks()[jnp.array([43, 47])[int(not is_open)], 1]
    for side in (-1.0, 1.0):
        row, column = _pixel((side * 2.8, float(lid)))
        ratio = _lab(after)[:, column, 0] / _lab(photo)[:, column, 0]
        dark = (np.flatnonzero(ratio < 0.6) - row) / SCALE
        assert 0.04 < np.ptp(dark) < 0.25
        assert -0.2 < dark.min() and dark.max() < 0.15


def test_eye_shadow_lies_on_lids_and_on_eyes_that_are_closed():
    middle, above = (3.2, -3.5), (3.2, -4.25)
    for photo, is_open in ((_photo(eyeballs=WHITE), True), (_photo(), False)):
        change = np.abs(_made_up(photo, "eye_shadow") - photo).max(axis=-1)
        assert change[_pixel(above)] > 0.05
        assert (change[_pixel(middle)] < 0.004) == is_open


def test_a_brow_of_which_only_an_end_is_seen_is_not_filled():
    """As on a face in profile, where the network may have that end on the nose."""
    hidden = jnp.where(LAYOUT.canonical[..., 0] < -1.9, 0.0, LAYOUT.mask)
    brow = LAYOUT.region("brows_right")
    assert 0.05 < float((brow * hidden).sum() / brow.sum()) < 0.2
    photo = _photo(noise=0.02, brows=HAIR)
    result = _made_up(photo, "brows", dataclasses.replace(FACE, visibility=hidden))
    change = np.abs(result - photo).max(axis=-1)
    drawn = [_drawn(name)[..., 0] > 0.5 for name in ("brows_left", "brows_right")]
    assert change[drawn[0]].mean() > 0.02 and change[drawn[1]].max() < 0.004


def test_layouts_without_eyes_and_mouth_are_made_up_too():
    image, face = toy_photo(1)
    result = make_up_face(image, face, toy(), parse_makeup(ALL))
    assert np.isfinite(result).all()
    for name in ("lipstick", "blush", "contour", "highlight"):
        change = np.abs(make_up_face(image, face, toy(), parse_makeup(name)) - image)
        assert change.max() > 0.02, name


@pytest.mark.parametrize(("centre", "scale"), [((-40.0, 300.0), SCALE), ((300.0, 300.0), 1.0)])
def test_faces_beyond_the_border_and_tiny_ones_are_made_up(centre, scale):
    face = mean_face(LAYOUT, centre=centre, scale=scale, pose=(0.0, 0.0, 0.0))
    result = _made_up(_photo(noise=0.03), ALL, face)
    assert np.isfinite(result).all() and result.min() >= 0.0 and result.max() <= 1.0


def test_edits_tell_the_make_up_and_strength_0_has_none():
    target = Path(__file__).resolve().parents[3] / "examples" / "photos" / "target.jpg"
    model = uvface.load()
    makeup = {"lipstick": [0.8, "crimson"], "blush": 0.5}
    result = uvface.edit(target, model=model, makeup="lipstick=0.8:crimson,blush=0.5")
    assert result.operation == "edit lipstick, blush"
    assert result.settings["makeup"] == makeup
    assert np.abs(result.image - result.photo.image).max() > 0.05
    both = uvface.edit(target, model=model, makeup=makeup, retouch="skin=1", light="left=0.5")
    assert both.operation == "edit skin, lipstick, blush, left"
    none = uvface.edit(target, model=model, makeup=makeup, strength=0.0)
    assert (none.image == none.photo.image).all()


def test_bands_are_made_up_as_the_whole_window(monkeypatch):
    photo = _photo(noise=0.03, brows=HAIR, lips=LIPS, eyeballs=WHITE)
    whole = _made_up(photo, ALL)
    monkeypatch.setattr(bands, "_WHOLE", 100)
    monkeypatch.setattr(bands, "_BAND", 80)
    monkeypatch.setattr(bands, "_LOOKED_ROWS", 160)
    banded = _made_up(photo, ALL)
    monkeypatch.setattr(bands, "_WHOLE", 2048)
    pooled = _made_up(photo, ALL)
    assert (whole != photo).any(axis=-1).mean() > 0.1
    np.testing.assert_allclose(banded, pooled, atol=1e-4)
    assert np.abs(pooled - whole).mean() < 1e-3
