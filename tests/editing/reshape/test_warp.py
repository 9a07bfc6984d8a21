"""Photos of moved faces: every point of the face shows what it showed before."""

import dataclasses

import cv2
import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face
from peak_memory import can_tell, peak_growth
from toy_models import ToyModel

from uvface.core.geometry import tiles
from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.render import render_texture
from uvface.core.geometry.sampling import sample_bicubic
from uvface.core.geometry.visibility import normals, visibility
from uvface.editing.colour import luma
from uvface.editing.photos import edit
from uvface.editing.recolor import parse_color
from uvface.editing.reshape import pixels as warp_pixels
from uvface.editing.reshape.deform import openings, reshape_names
from uvface.editing.reshape.face import reshape_face
from uvface.editing.reshape.mouth_inside import DEPTH
from uvface.editing.surroundings import surroundings

LAYOUT = load_layout("uvface")
SIZE = 400


def _photo(seed, size=(SIZE, SIZE)):
    """Return a picture of smooth waves."""
    noise = np.random.default_rng(seed).random((*size, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 6.0)
    return np.clip(0.5 + 8.0 * (smooth - 0.5), 0.0, 1.0).astype(np.float32)


def _face(pose=(0.0, 0.0, 0.0), centre=(200.0, 190.0), scale=14.0):
    face = mean_face(LAYOUT, centre=centre, scale=scale, pose=pose)
    seen = visibility(face.position_map, LAYOUT)
    texture = jnp.full_like(face.position_map, 0.6)
    return dataclasses.replace(face, visibility=seen, self_visibility=seen, texture=texture)


def _covered(face):
    nothing = jnp.zeros((*LAYOUT.mask.shape, 1))
    drawn = render_texture(nothing, face.position_map, LAYOUT, height=900, width=900)[1]
    return np.asarray(drawn > 0.0, np.uint8)


def _at(image, points):
    return np.asarray(sample_bicubic(jnp.asarray(image), jnp.asarray(points[..., :2])))


def _is_sure(face):
    """Return the texels whose pixels are the surface's own before and after."""
    inner = (np.asarray(face.visibility) > 0.9) & (np.asarray(openings(LAYOUT)) == 0.0)
    facing = np.asarray(normals(face.position_map, LAYOUT))[..., 2] > 0.45
    return inner & facing & (np.asarray(LAYOUT.region("face")) > 0.9)


def test_points_of_the_face_keep_their_colors():
    random = np.random.default_rng(5)
    names = [name for name in reshape_names(LAYOUT) if name not in ("eyes_closed", "mouth_open")]
    for seed in range(6):
        face = _face(pose=tuple(random.uniform((-45, -15, -30), (45, 15, 30)).tolist()))
        chosen = random.choice(names, 3, replace=False)
        amounts = {str(name): float(random.uniform(-0.8, 0.8)) for name in chosen}
        image = _photo(seed)
        result, moved = reshape_face(image, face, LAYOUT, amounts)
        sure = _is_sure(face) & _is_sure(moved)
        before = _at(image, face.position_map)[sure]
        after = _at(result, moved.position_map)[sure]
        left = _at(result, face.position_map)[sure]
        error = np.abs(after - before).max(axis=-1)
        assert np.median(error) < 0.01 and np.quantile(error, 0.98) < 0.08, amounts
        assert np.abs(left - before).mean() > 3 * error.mean(), amounts


@pytest.mark.parametrize("name", ["face_width", "chin_length"])
def test_pixels_beside_a_face_move_alike_whatever_the_window_s_size(name):
    """How far they did followed from the window, which is of one of a few sizes: by 2 pixels."""
    line = np.arange(900, dtype=np.float32) / 900
    places = np.stack([*np.meshgrid(line, line), np.full((900, 900), 0.5, np.float32)], axis=-1)
    moved, sides = [], []
    for scale in (13.9, 13.92):  # of 512 and of 640 pixels
        face = _face(centre=(450.0, 440.0), scale=scale)
        moved.append(reshape_face(places, face, LAYOUT, {name: 1.0})[0])
        sides.append(surroundings(face.position_map, LAYOUT, room=0.3).side)
    assert sides[0] < sides[1]
    beside = cv2.dilate(_covered(face), np.ones((9, 9), np.uint8)) == 0
    step = 900 * np.abs(moved[0] - moved[1]).max(axis=-1)[beside]
    way = 900 * np.abs(moved[0] - places).max(axis=-1)[beside]
    assert way.max() > 4.0 and step.max() < 1.0


def test_pixels_far_from_the_face_and_amounts_of_zero_change_nothing():
    image, face = _photo(1, (700, 900)), _face(centre=(300.0, 350.0))
    same, still = reshape_face(image, face, LAYOUT, {"smile": 0.0})
    assert same is image and still is face
    result, _ = reshape_face(image, face, LAYOUT, {"face_width": 1.0, "chin_length": 1.0})
    changed = (result != image).any(axis=-1)
    points = np.asarray(face.position_map)[np.asarray(LAYOUT.mask) > 0.5]
    low, high = points.min(axis=0), points.max(axis=0)
    reach = 0.5 * (high - low)[:2].max()
    rows, columns = np.nonzero(changed)
    assert columns.min() > low[0] - reach and columns.max() < high[0] + reach
    assert rows.min() > low[1] - reach and rows.max() < high[1] + reach


def test_the_displacement_runs_out_without_a_step():
    """Vertical lines beside the face bend; they are torn nowhere."""
    x = np.arange(SIZE, dtype=np.float32)
    image = np.broadcast_to((x / SIZE)[None, :, None], (SIZE, SIZE, 3)).astype(np.float32)
    result, _ = reshape_face(image, _face(), LAYOUT, {"face_width": -1.0})
    steps = np.abs(np.diff(result[..., 0], axis=1)) * SIZE
    steps_down = np.abs(np.diff(result[..., 0], axis=0)) * SIZE
    assert steps.max() < 3.0 and steps_down.max() < 1.5


def test_lids_close_over_eyeballs_that_stay():
    image, face = _photo(3), _face()
    result, moved = reshape_face(image, face, LAYOUT, {"eyes_closed": 0.5})
    # Just above the lower lid the eyeball is still seen, where it was.
    for upper, lower in ((37, 41), (44, 46)):
        x = float(moved.landmarks[[upper, lower], 0].mean())
        top, bottom = (float(moved.landmarks[k, 1]) for k in (upper, lower))
        place = np.array([[x, bottom - 0.45 * (bottom - top)]])
        np.testing.assert_allclose(_at(result, place), _at(image, place), atol=0.03)
        lid = np.array([[x, top - 2.0]])
        assert np.abs(_at(result, lid) - _at(image, lid)).max() > 0.03


def test_a_mouth_that_opens_is_dark_inside():
    image, face = np.full((SIZE, SIZE, 3), 0.6, np.float32), _face()
    result, moved = reshape_face(image, face, LAYOUT, {"mouth_open": 1.0})
    middle = np.asarray(moved.landmarks)[[62, 66], :2].mean(axis=0)[None]
    assert _at(result, middle).max() < 0.25
    lips = np.asarray(moved.landmarks)[[51, 57], :2]
    assert _at(result, lips).min() > 0.5
    smiling, _ = reshape_face(image, face, LAYOUT, {"smile": 1.0})
    assert np.abs(smiling - image).max() < 0.02  # lips that stay closed show no inside


def test_a_mouth_that_opens_has_inside_the_color_that_its_lips_were_given():
    """Both in one call. It was red: the shaded colour of the grey lips before."""
    image, face = np.full((SIZE, SIZE, 3), 0.6, np.float32), _face()
    model = ToyModel(turned=[(image, face)])
    object.__setattr__(model, "layout", LAYOUT)
    green = {"regions": ["lips"], "recolor": "#108030"}
    result = edit(image, model=model, **green, reshape={"mouth_open": 1.0})
    (moved,) = result.faces
    np.testing.assert_array_equal(moved.texture, face.texture)  # as it was before, not green
    middle = np.asarray(moved.landmarks)[[62, 66], :2].mean(axis=0)[None]
    (inside,) = _at(result.image, middle)
    shaded = np.array(parse_color("#108030")) * float(
        luma(jnp.array(DEPTH))
    )  # the photo has no colours
    assert inside.argmax() == 1
    np.testing.assert_allclose(inside, shaded, atol=0.02)


def test_the_moved_face_tells_where_it_is():
    face = _face(pose=(25.0, 5.0, 0.0))
    _, moved = reshape_face(_photo(2), face, LAYOUT, {"smile": 1.0, "nose_size": 0.5})
    read = read_landmarks(moved.position_map, LAYOUT.landmark_uv)
    np.testing.assert_allclose(moved.landmarks, read, atol=1e-4)
    mask = np.asarray(LAYOUT.mask)
    assert abs((np.asarray(moved.position_map)[..., 2] * mask).sum() / mask.sum()) < 1e-3
    seen, goal = (
        np.asarray(f) > 0.5 for f in (moved.visibility, visibility(moved.position_map, LAYOUT))
    )
    assert (seen == goal).mean() > 0.99


def test_opacity_moves_along():
    face, image = _face(), _photo(2)
    x, y = np.moveaxis(np.asarray(face.position_map)[..., :2], -1, 0)
    outline = np.zeros((SIZE, SIZE), np.float32)
    cv2.fillConvexPoly(
        outline, cv2.convexHull(np.stack([x, y], -1).reshape(-1, 2).astype(np.int32)), 1.0
    )
    amounts = {"face_width": 1.0, "mouth_open": 0.6}
    plain, moved = reshape_face(image, face, LAYOUT, amounts)
    result, _ = reshape_face(np.dstack([image, outline]), face, LAYOUT, amounts)
    inside = _is_sure(moved)
    before, after = (_at(one[..., :3], moved.position_map)[inside] for one in (plain, result))
    np.testing.assert_allclose(after, before, atol=1e-5)
    assert _at(result, moved.position_map)[inside][:, 3].min() > 0.99  # it was cut off before
    assert result[..., 3].sum() > 1.02 * outline.sum()
    inner = read_landmarks(moved.position_map, LAYOUT.landmark_uv)[62:67:4, :2].mean(axis=0)
    assert result[round(float(inner[1])), round(float(inner[0])), 3] > 0.99  # the mouth's inside


def test_what_a_cut_out_hides_does_not_show_at_its_outline():
    """The hidden colours came in by the warp: a fringe of up to 0.25."""
    face, image = _face(), _photo(2, (500, 700))
    inner = cv2.erode(_covered(face), np.ones((5, 5), np.uint8))
    opacity = inner[:500, :700].astype(np.float32)
    amounts = {"face_width": -1.0, "chin_length": 0.7, "mouth_open": 0.6}
    shown = []
    for hidden in ((1.0, 0.0, 1.0), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)):
        colors = np.where(opacity[..., None] > 0.0, image, np.float32(hidden))
        cut_out = np.dstack([colors, opacity])
        result, _ = reshape_face(cut_out, face, LAYOUT, amounts)
        shown.append(result[..., :3] * result[..., 3:])
        np.testing.assert_array_equal(result[:, 500:], cut_out[:, 500:])
    assert ((result[..., 3] > 0.0) & (result[..., 3] < 1.0)).sum() > 300
    assert max(np.abs(one - shown[0]).max() for one in shown) < 1e-5


def test_the_camera_of_a_moved_face_is_that_of_its_map():
    face = _face(pose=(20.0, 5.0, 0.0))
    _, moved = reshape_face(_photo(3), face, LAYOUT, {"mouth_open": 1.0})
    texel = np.unravel_index(int(np.asarray(LAYOUT.region("forehead")).argmax()), (256, 256))
    before, after = (
        np.asarray(one.camera.unproject(one.position_map))[texel] for one in (face, moved)
    )
    np.testing.assert_allclose(after, before, atol=0.02)  # cm


def test_a_mirrored_photo_gives_the_mirrored_result():
    image, face = _photo(4), _face(pose=(20.0, 0.0, 0.0))
    other = _face(pose=(-20.0, 0.0, 0.0), centre=(SIZE - 1 - 200.0, 190.0))
    amounts = {"smile": 0.8, "eyes_size": 0.5}
    result, _ = reshape_face(image, face, LAYOUT, amounts)
    mirrored, _ = reshape_face(np.ascontiguousarray(image[:, ::-1]), other, LAYOUT, amounts)
    error = np.abs(mirrored[:, ::-1] - result)
    assert error.mean() < 1e-3 and np.quantile(error, 0.999) < 0.05


@pytest.mark.parametrize("centre", [(5.0, 190.0), (390.0, 395.0), (200.0, -40.0)])
def test_faces_that_reach_beyond_the_photo_are_moved_too(centre):
    image = _photo(6)
    result, moved = reshape_face(image, _face(centre=centre), LAYOUT, {"face_width": 0.8})
    assert result.shape == image.shape and np.isfinite(result).all()
    assert (result != image).any() and np.isfinite(np.asarray(moved.position_map)).all()


def test_a_large_face_is_moved_as_a_small_one():
    small, face = _photo(7), _face()
    large = cv2.resize(small, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    twice = dataclasses.replace(
        face,
        position_map=face.position_map * 3 + jnp.array([1.0, 1.0, 0.0]),
        landmarks=face.landmarks * 3 + jnp.array([1.0, 1.0, 0.0]),
        camera=dataclasses.replace(
            face.camera,
            scale=face.camera.scale * 3,
            translation=face.camera.translation * 3 + jnp.array([1.0, 1.0, 0.0]),
        ),
    )
    amounts = {"smile": 0.8, "nose_width": -0.6, "face_width": -0.6}
    result, _ = reshape_face(small, face, LAYOUT, amounts)
    enlarged, _ = reshape_face(large.astype(np.float32), twice, LAYOUT, amounts)
    reduced = cv2.resize(enlarged, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    error = np.abs(reduced - result).max(axis=-1)
    assert error.mean() < 0.01 and np.quantile(error, 0.99) < 0.1


@pytest.mark.parametrize("centre", [(200.0, 190.0), (330.0, 60.0)])
def test_tiles_are_moved_as_the_whole_window(monkeypatch, centre):
    image, face = np.dstack([_photo(8), np.ones((SIZE, SIZE), np.float32)]), _face(centre=centre)
    amounts = {"smile": 0.8, "mouth_open": 0.6, "eyes_closed": 1.0, "face_width": -0.6}
    whole, _ = reshape_face(image, face, LAYOUT, amounts)
    monkeypatch.setattr(tiles, "_WHOLE", 128)
    monkeypatch.setattr(tiles, "_STRIDE", 112)
    monkeypatch.setattr(warp_pixels, "_LEAST_CUT", 128)
    tiled, _ = reshape_face(image, face, LAYOUT, amounts)
    assert (whole != image).any(axis=-1).mean() > 0.3
    error = np.abs(tiled - whole).max(axis=-1)
    # Where the surface folds, depths that are equal but for rounding may be told apart otherwise.
    assert np.quantile(error, 0.9999) < 1e-3 and error.mean() < 1e-5


def test_openings_are_drawn_up_to_the_texels_around_them(monkeypatch):
    """A few pixels around their texels were looked at, of a face so large less than one texel."""
    parts = []

    def note(side, low, high):
        parts.append((np.asarray(low), np.asarray(high)))
        return tiles.tiles(side, low, high)

    monkeypatch.setattr(warp_pixels, "tiles", note)
    scale, side = 60.0, 1536  # one tile: all of it is drawn
    face = _face(centre=(side / 2, side / 2), scale=scale)
    inner = jnp.zeros_like(LAYOUT.mask).at[tuple(np.argwhere(openings(LAYOUT) > 0.9)[40])].set(1.0)
    names = [field.name for field in dataclasses.fields(warp_pixels.Move)]
    move = warp_pixels.Move(**dict.fromkeys(names, inner))
    shown = warp_pixels.was_inside(move, face.position_map, LAYOUT, side)[..., 0]
    rows, columns = np.nonzero(shown)
    ((low, high),) = parts
    assert (low <= [columns.min(), rows.min()]).all()
    assert (high > [columns.max(), rows.max()]).all()


@pytest.mark.skipif(not can_tell, reason="only Linux tells of memory")
def test_a_large_face_takes_the_memory_of_a_tile():
    """It took 0.9 GB: each of some 30 numbers per pixel was held for the whole window."""
    image, face = _photo(9, (1900, 1800)), _face(centre=(900.0, 950.0), scale=80.0)

    def reshape():
        return reshape_face(image, face, LAYOUT, {"smile": 0.8})

    reshape()  # compiling takes memory, too
    assert peak_growth(reshape) < 500e6
