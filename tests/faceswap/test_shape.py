"""A swap with the reference's shape: where its features come to lie, and what must not move."""

import dataclasses
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face
from toy_faces import layout as toy_layout_of_photos
from toy_faces import toy_photo

import uvface
from uvface.core.errors import InputError
from uvface.core.geometry.face_shape import load_shape_modes
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.render import render_texture
from uvface.core.geometry.sampling import resize_map, sample_bilinear, sample_texture
from uvface.core.geometry.visibility import normals, visibility
from uvface.core.io.images import read_photo
from uvface.editing.fuse import fuse_photos
from uvface.editing.identity import guarded, identity_shift
from uvface.faceswap.evaluation.measure_real import region_that_may_change
from uvface.faceswap.swap import SwapConfig, pair_masks, swap_face, swap_masks

PHOTOS = Path(__file__).resolve().parents[2] / "examples" / "photos"
LAYOUT = load_layout("uvface")
MODES = load_shape_modes(LAYOUT)
SIDE = 192  # pixels
_draw = jax.jit(
    lambda colors, places: render_texture(colors, places, LAYOUT, height=SIDE, width=SIDE)
)
_see = jax.jit(lambda image, places: (sample_texture(image, places), visibility(places, LAYOUT)))


def _dot(uv, width):
    """Return 1 at a place of the layout, falling off over ``width`` texels."""
    centres = (np.arange(LAYOUT.size) + 0.5) / LAYOUT.size
    x, y = (centres - float(uv[0])) * LAYOUT.size, (centres - float(uv[1])) * LAYOUT.size
    return np.exp(-(x[None] ** 2 + y[:, None] ** 2) / (2 * width**2)).astype(np.float32)


@cache
def photo(tone, *, has_shape=False, error=0.0, dot=None):
    """Return a picture of plain skin, perhaps with a dark dot, and its face.

    ``error`` of the shape, in standard deviations, is that of a network on one photo.
    """
    face = mean_face(LAYOUT, centre=((SIDE - 1) / 2, 84.0), scale=9.0, pose=(0.0, 0.0, 0.0))
    places = face.position_map
    if has_shape:
        random = np.random.default_rng(8)
        own, off = 1.5 * random.standard_normal((2, len(MODES.identity)))
        identity = jnp.asarray(own + error * off, jnp.float32)
        offset = resize_map(jnp.tensordot(identity, MODES.identity, 1), LAYOUT.size)
        places = places + 9.0 * offset
    colors = jnp.full((LAYOUT.size, LAYOUT.size, 3), jnp.array([0.7, 0.55, 0.45])) * tone
    if dot is not None:
        colors = colors * (1.0 - 0.8 * _dot(LAYOUT.landmark_uv[dot], 5.0))[..., None]
    drawn, coverage = _draw(colors, places)
    image = np.asarray(jnp.where(coverage[..., None] > 0, drawn, 0.3), np.float32)
    seen, visible = _see(image, places)
    face = dataclasses.replace(
        face, position_map=places, texture=seen, visibility=visible, self_visibility=visible
    )
    return image, face


def _swap(target, reference, **settings):
    settings = {"keep": (), "color": "match", **settings}
    return swap_face(*target, *reference, LAYOUT, config=SwapConfig(**settings))


def _moves(target, reference, dot):
    """Return where a landmark lies in the target, and how far it should move, pixels."""
    full = identity_shift(target[1].position_map, reference[1].position_map, MODES)
    uv = LAYOUT.landmark_uv[dot]
    at = sample_bilinear(target[1].position_map, uv[None] * LAYOUT.size - 0.5)[0, :2]
    return np.asarray(at), np.asarray(sample_bilinear(full, uv[None] * 64 - 0.5)[0, :2])


def _dark_centre(image, near, radius=9):
    """Return the centre of what is dark around a place."""
    y, x = np.mgrid[:SIDE, :SIDE]
    disk = np.hypot(x - near[0], y - near[1]) < radius
    light = image.mean(axis=-1)
    dark = np.where(disk, np.maximum(np.median(light[disk]) - light - 0.03, 0.0), 0.0)
    return np.array([(dark * x).sum(), (dark * y).sum()]) / dark.sum()


@pytest.mark.parametrize("dot", [19, 35, 41])  # brow, side of the nose, below an eye
def test_features_come_to_lie_where_the_reference_has_them(dot):
    target, reference = photo(1.0), photo(0.9, has_shape=True, dot=dot)
    at, move = _moves(target, reference, dot)
    assert np.hypot(*move) > 1.0
    own, taken = (_swap(target, reference, shape=shape) for shape in (0.0, 1.0))
    assert np.abs(_dark_centre(own, at) - at).max() < 0.7
    assert np.abs(_dark_centre(taken, at + move) - (at + move)).max() < 0.7
    half = _swap(target, reference, shape=0.5)
    assert np.abs(_dark_centre(half, at + move / 2) - (at + move / 2)).max() < 0.7


def test_what_stays_of_the_target_moves_along():
    target, reference = photo(1.0, dot=19), photo(0.9, has_shape=True)
    at, move = _moves(target, reference, 19)
    result = _swap(target, reference, keep=("brows",))
    assert np.abs(_dark_centre(result, at + move) - (at + move)).max() < 0.8


def test_the_mouth_stays_where_it_is():
    target, reference = photo(1.0), photo(0.9, has_shape=True, dot=62)
    at, move = _moves(target, reference, 62)
    assert np.hypot(*move) > 1.0
    own, taken = (_swap(target, reference, shape=shape) for shape in (0.0, 1.0))
    assert np.abs(_dark_centre(own, at) - _dark_centre(taken, at)).max() < 0.3


def test_pixels_outside_the_mask_and_forbidden_ones_are_bit_identical():
    target, reference = photo(1.0), photo(0.9, has_shape=True)
    image, face = target
    mask = np.asarray(_draw(swap_masks(LAYOUT, SwapConfig()).mask[..., None], face.position_map)[0])
    result = _swap(target, reference)
    assert (result[mask[..., 0] == 0.0] == image[mask[..., 0] == 0.0]).all()
    allowed = np.ones((SIDE, SIDE), np.float32)
    allowed[:, : SIDE // 2] = 0.0
    config = SwapConfig(keep=())
    result = swap_face(*target, *reference, LAYOUT, config=config, allowed=allowed)
    assert (result[:, : SIDE // 2] == image[:, : SIDE // 2]).all()
    assert (result != image).any()
    assert (_swap(target, reference, strength=0.0) == image).all()


def test_a_mask_that_lets_little_through_moves_little():
    target, reference = photo(1.0, dot=19), photo(0.9, has_shape=True)
    at, move = _moves(target, reference, 19)
    assert np.hypot(*move) > 1.0
    config = SwapConfig(keep=("brows",))
    for share, expected in ((1 / 255, 0.0), (0.5, 0.5), (1.0, 1.0)):
        allowed = np.full((SIDE, SIDE), share, np.float32)
        result = swap_face(*target, *reference, LAYOUT, config=config, allowed=allowed)
        place = at + expected * move
        assert np.abs(_dark_centre(result, place) - place).max() < 0.8
        assert share > 0.02 or (result == target[0]).all()


def test_a_wider_face_stays_inside_the_outline_of_a_photo():
    model = uvface.load()
    target, reference = (read_photo(PHOTOS / f"{n}.jpg").image for n in ("target", "reference"))
    face, other = (model.reconstruct(image, faces="largest")[0] for image in (target, reference))
    result = np.asarray(swap_face(target, face, reference, other, model.layout))
    allowed = region_that_may_change(target, face, model.layout)
    assert (result[~allowed] == target[~allowed]).all()
    assert (result[allowed] != target[allowed]).mean() > 0.5


def test_a_face_keeps_its_shape_for_itself_and_for_layouts_without_shapes():
    face = photo(1.0, has_shape=True)[1]
    assert float(jnp.abs(identity_shift(face.position_map, face.position_map, MODES)).max()) == 0.0
    given = (*toy_photo(1), *toy_photo(2, 20.0), toy_layout_of_photos())
    one, two = (swap_face(*given, config=SwapConfig(keep=(), shape=shape)) for shape in (0.0, 1.0))
    assert (one == two).all()


def test_a_face_of_several_photos_has_the_mean_of_their_shapes():
    target = photo(1.0)[1]
    photos = [photo(0.9, has_shape=True, error=error) for error in (0.3, -0.3)]
    wanted, *single = (
        identity_shift(target.position_map, face.position_map, MODES)
        for _, face in (photo(0.9, has_shape=True), *photos)
    )
    fused = pair_masks(target, fuse_photos(photos, LAYOUT), LAYOUT, SwapConfig()).shift
    misses = [float(jnp.linalg.norm(shift - wanted, axis=-1).mean()) for shift in (fused, *single)]
    assert misses[0] < 0.5 * min(misses[1:])


def test_nothing_moves_at_outlines_and_behind_what_covers_the_face():
    toy = toy_layout_of_photos()
    ones, shift = jnp.ones((64, 64)), jnp.ones((64, 64, 3))
    given = {"mask": ones, "seen": ones, "facing": ones, "layout": toy, "places": _flat_places()}
    cheek = np.s_[30:34, 44:46]
    assert float(guarded(shift, **given)[cheek].min()) > 0.99
    for name in ("mask", "seen", "facing"):
        held = guarded(shift, **{**given, name: ones.at[:, 40:].set(0.0)})
        assert float(jnp.abs(held[cheek]).max()) == 0.0, name


def test_nothing_moves_where_the_backdrop_is_near_however_much_it_faces_the_view():
    """As along the nose of a profile: the texels beyond column 40 lie behind those before it."""
    toy = toy_layout_of_photos()
    ones, shift = jnp.ones((64, 64)), jnp.ones((64, 64, 3))
    given = {"mask": ones, "seen": ones, "facing": ones, "layout": toy}
    x = jnp.arange(64.0)
    rows, columns = jnp.meshgrid(3.0 * x, 3.0 * jnp.minimum(x, 80.0 - x), indexing="ij")
    held = guarded(shift, places=jnp.stack([columns, rows], axis=-1), **given)
    assert float(jnp.abs(held[30:34, 39:42]).max()) == 0.0
    assert float(held[30:34, 28:32].min()) > 0.99
    flat = guarded(shift, places=_flat_places(), **given)
    assert float(flat[30:34, 39:42].min()) > 0.99


@pytest.mark.parametrize(("yaw", "moves"), [(0.0, True), (90.0, False)])
def test_the_ridge_of_a_nose_moves_unless_the_backdrop_is_beside_it(yaw, moves):
    face = mean_face(LAYOUT, centre=(96.0, 84.0), scale=9.0, pose=(yaw, 0.0, 0.0))
    ones = jnp.ones((LAYOUT.size, LAYOUT.size))
    held = guarded(
        jnp.ones((LAYOUT.size, LAYOUT.size, 3)),
        **{"mask": ones, "seen": ones, "facing": ones, "layout": LAYOUT},
        places=face.position_map[..., :2],
    )
    ridge = sample_bilinear(held, LAYOUT.landmark_uv[27:31] * LAYOUT.size - 0.5)
    assert float(ridge.min()) > 0.99 if moves else float(ridge.max()) == 0.0


def test_a_nose_that_moves_is_not_torn_at_its_rim():
    """It stopped within a texel at nostrils and wings, and folded: jagged black edges."""
    face = mean_face(LAYOUT, centre=(96.0, 84.0), scale=9.0, pose=(0.0, 0.0, 0.0))
    ones, places = jnp.ones((LAYOUT.size, LAYOUT.size)), face.position_map
    facing = normals(places, LAYOUT)[..., 2]
    given = {"mask": ones, "seen": visibility(places, LAYOUT), "facing": facing, "layout": LAYOUT}
    nose = np.asarray(LAYOUT.region("nose"))[:-1, :-1] > 0.5
    folded = 0
    for way in [(0.0, 3.0), (3.0, 0.0), (0.0, -3.0)]:  # pixels
        shift = jnp.broadcast_to(jnp.array([*way, 0.0]), (LAYOUT.size, LAYOUT.size, 3))
        held = guarded(shift, places=places[..., :2], **given)
        before, after = _areas(places), _areas(places + held)
        folded += ((before > 0.0) & (after < 0.0) & nose).sum()
        far = np.linalg.norm(np.asarray(held)[..., :2], axis=-1)[:-1, :-1]
        assert far[nose].mean() > 1.5
    assert folded < 0.02 * 3 * nose.sum()  # 0.034 before


def _areas(places):
    x, y = np.moveaxis(np.asarray(places)[..., :2], -1, 0)
    right, down = (lambda v: np.diff(v, axis=1)[:-1]), (lambda v: np.diff(v, axis=0)[:, :-1])
    return right(x) * down(y) - down(x) * right(y)


def _flat_places():
    return 3.0 * jnp.stack(jnp.meshgrid(jnp.arange(64.0), jnp.arange(64.0)), axis=-1)


@pytest.mark.parametrize("shape", [-0.1, 1.5])
def test_a_shape_beyond_its_range_is_refused(shape):
    with pytest.raises(InputError, match="shape"):
        _swap(photo(1.0), photo(0.9), shape=shape)
