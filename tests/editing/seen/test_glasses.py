"""Frames of glasses that the network's mask shows in part only."""

import dataclasses
from functools import cache

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face

from uvface.core.geometry.coarse import coarse_layout
from uvface.core.geometry.landmarks import EYES
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.render import render_texture
from uvface.core.geometry.visibility import visibility
from uvface.editing.colour import lab_from_rgb
from uvface.editing.fuse import fuse_photos
from uvface.editing.seen.glasses import frame_trust, whole_brows
from uvface.editing.side import examine
from uvface.faceswap.swap import swap_face

SIZE = 128
SKIN = np.float32([0.62, 0.44, 0.35])
FRAMES = {"dark": (0.1, 0.1, 0.12), "silver": (0.95, 0.95, 0.97), "brown": (0.35, 0.2, 0.12)}


def _layout():
    return coarse_layout(load_layout("uvface"), SIZE)


@cache
def _rims(width, grown=0):
    """Return where rims and a bridge lie, 1 or 0, texels of 256."""
    uv = np.asarray(load_layout("uvface").landmark_uv)[EYES] * 256
    picture = np.zeros((256, 256), np.uint8)
    left, right = (
        tuple(int(v) for v in uv[half].mean(axis=0)) for half in (slice(6), slice(6, 12))
    )
    for x, y in (left, right):
        cv2.ellipse(picture, (x, y + 8), (40, 30), 0, 0, 360, 1, width + grown)
    inner = (left[0] + 40, left[1] + 4), (right[0] - 40, right[1] + 4)
    cv2.line(picture, *inner, 1, width + 2 + grown)
    return picture.astype(np.float32)


def _shown(mask):
    """Return a mask of 256 texels at those that faces are judged at."""
    return mask.reshape(SIZE, 2, SIZE, 2).mean(axis=(1, 3))


def _texture(color, width=3):
    rims = cv2.GaussianBlur(_rims(width), (0, 0), 0.7)[..., None]
    return (SKIN * (1.0 - rims) + np.float32(color) * rims).astype(np.float32)


def _found(rows=slice(0, 84)):
    """Return the visibility of a network that sees the upper rims and the bridge only."""
    seen = np.ones((256, 256), np.float32)
    seen[rows] -= _rims(3)[rows]
    return seen


_frame_trust = jax.jit(frame_trust)
_examine = jax.jit(examine, static_argnames="occlusion")


def _trust(texture, visible, self_visibility=None):
    lab = lab_from_rgb(jnp.asarray(_shown_colors(texture)))
    self_visibility = (
        jnp.ones((SIZE, SIZE)) if self_visibility is None else jnp.asarray(_shown(self_visibility))
    )
    seen = jnp.asarray(_shown(visible)) * self_visibility
    return np.asarray(_frame_trust(jnp.asarray(texture), lab, seen, self_visibility, _layout()))


def _shown_colors(texture):
    return texture.reshape(SIZE, 2, SIZE, 2, 3).mean(axis=(1, 3))


@pytest.mark.parametrize("color", FRAMES.values(), ids=list(FRAMES))
def test_a_frame_is_followed_beyond_what_the_network_finds_of_it(color):
    trust = _trust(_texture(color), _found())
    rims = _shown(_rims(3))
    assert trust[rims > 0.9].max() < 0.3
    assert trust[rims > 0.4].mean() < 0.1
    far = _shown(_rims(3, grown=14)) == 0.0
    assert trust[far].min() > 0.95


def test_folds_behind_a_lens_are_no_frames():
    """Bags below the eyes are lines, too, but the rim is known to lie farther down."""
    bag = np.zeros((256, 256), np.float32)
    for x in (80, 174):
        cv2.ellipse(bag, (x, 84), (24, 17), 0, 30, 150, 1.0, 2)
    bag = cv2.GaussianBlur(bag, (0, 0), 0.8)[..., None]
    trust = _trust(_texture(FRAMES["dark"]) * (1.0 - 0.35 * bag), _found())
    on_bag = _shown(bag[..., 0]) > 0.4
    assert trust[on_bag].min() > 0.9
    alone = np.broadcast_to(SKIN, (256, 256, 3)) * (1.0 - 0.35 * bag)
    bridge = np.ones((256, 256), np.float32)
    bridge[76:84, 110:146] = 0.0
    assert _trust(alone.astype(np.float32), bridge)[on_bag].min() < 0.1


def test_the_edge_of_a_frame_goes_with_it():
    """Where the mask ends, frame and skin are mixed."""
    texture = _texture(FRAMES["dark"], width=5)
    exact = np.ones((256, 256), np.float32) - _rims(5)
    beside = (_shown(_rims(5, grown=3)) > 0.6) & (_shown(_rims(5)) < 0.5)
    assert _trust(texture, exact)[beside].mean() < 0.5


def test_lines_are_no_frames_without_a_bridge():
    """Wrinkles, make-up, shadows: hair at the sides does not make them glasses."""
    seen = np.ones((256, 256), np.float32)
    seen[:, :50] = 0.0
    assert _trust(_texture(FRAMES["dark"]), seen).min() == 1.0


def test_a_nose_cut_off_by_the_photos_border_wears_no_glasses():
    in_photo = np.ones((256, 256), np.float32)
    in_photo[:, :128] = 0.0
    trust = _trust(_texture(FRAMES["dark"]), in_photo, in_photo)
    assert trust[:, SIZE // 2 :].min() == 1.0
    hand = _trust(_texture(FRAMES["dark"]), in_photo)  # before the other half
    assert hand[:, SIZE // 2 :].min() < 0.1


def test_skin_without_lines_is_trusted_beside_a_bridge():
    visible = np.ones((256, 256), np.float32)
    visible[76:84, 110:146] = 0.0
    shade = np.linspace(0.6, 1.0, 256, dtype=np.float32)[None, :, None]
    trust = _trust(np.broadcast_to(SKIN, (256, 256, 3)) * shade, visible)
    assert trust[38:42, 58:70].max() < 0.1
    elsewhere = np.ones_like(trust, bool)
    elsewhere[34:46, 50:78] = False
    assert trust[elsewhere].min() > 0.95


def test_the_outline_of_a_profile_is_no_bridge():
    """The network's mask may end some texels before the surface does."""
    self_visibility = np.ones((256, 256), np.float32)
    self_visibility[:, 128:] = 0.0
    visible = self_visibility.copy()
    visible[:, 124:] = 0.0
    assert _trust(_texture(FRAMES["dark"]), visible, self_visibility).min() == 1.0


def test_no_brow_is_torn_and_both_come_from_one_face():
    layout = _layout()
    left, right = (np.asarray(layout.region(f"brows_{side}")) for side in ("left", "right"))
    trust = np.ones((SIZE, SIZE), np.float32)
    rows, columns = np.nonzero(left > 0.5)
    outer = columns > np.quantile(columns, 0.35)
    trust[rows[outer], columns[outer]] = 0.0
    everywhere = jnp.ones((SIZE, SIZE))
    whole = np.asarray(whole_brows(jnp.asarray(trust), everywhere, layout))
    assert whole[left > 0.9].max() < 0.1
    assert whole[right > 0.9].max() < 0.1
    nick = np.ones((SIZE, SIZE), np.float32)
    nick[rows[:3], columns[:3]] = 0.0
    assert np.array_equal(np.asarray(whole_brows(jnp.asarray(nick), everywhere, layout)), nick)
    same = whole_brows(jnp.asarray(trust), jnp.asarray(trust), layout)
    assert np.array_equal(np.asarray(same), trust)


def _face(texture, visible):
    layout = load_layout("uvface")
    face = mean_face(layout, centre=(128.0, 128.0), scale=10.0, pose=(0.0, 0.0, 0.0))
    self_visibility = visibility(face.position_map, layout)
    return dataclasses.replace(
        face,
        texture=jnp.asarray(texture),
        visibility=self_visibility * visible,
        self_visibility=self_visibility,
    )


def test_glasses_stay_in_the_photo_that_they_are_in():
    plain = np.broadcast_to(SKIN, (256, 256, 3)).astype(np.float32)
    worn = _face(_texture(FRAMES["silver"]), _found())
    bare = _face(plain, np.ones((256, 256), np.float32))
    target = _examine(bare, _layout(), occlusion=True)
    rims = _shown(_rims(3)) > 0.9
    self_visibility = _shown(np.asarray(worn.self_visibility)) > 0.9
    assert (
        np.asarray(_examine(worn, _layout(), occlusion=True).seen)[rims & self_visibility].max()
        < 0.3
    )
    taken = _examine(worn, _layout(), occlusion=True, target=target)
    assert np.asarray(taken.seen)[rims & self_visibility].max() < 0.3
    off = _examine(worn, _layout(), occlusion=False, target=target)
    assert np.asarray(off.seen)[rims & self_visibility].mean() > 0.9


def _photo(texture, visible):
    """Return a photo of a face, and the face."""
    face = _face(texture, visible)
    drawn, mask = render_texture(
        face.texture, face.position_map, load_layout("uvface"), height=256, width=256
    )
    return np.where(np.asarray(mask)[..., None] > 0, np.asarray(drawn), SKIN), face


def test_of_two_photos_the_one_without_glasses_shows_what_they_hide():
    """Frames are the sharpest thing in a face: the photo that has them would be taken for it."""
    plain = np.broadcast_to(SKIN, (256, 256, 3)).astype(np.float32)
    views = [_photo(_texture(FRAMES["dark"]), _found()), _photo(plain, np.ones((256, 256)))]
    fused = fuse_photos(views, load_layout("uvface"), size=256)
    self_visibility = np.asarray(views[0][1].self_visibility) > 0.9
    rims = self_visibility & (_rims(3, grown=2) > 0.5)
    assert np.abs(fused.texture - SKIN).max(axis=-1)[rims].mean() < 0.08
    assert fused.visibility[rims].mean() > 0.9


def test_a_face_with_glasses_put_into_its_own_photo_is_unchanged():
    """Nothing is missing of a brow that its glasses hide in both photos."""
    texture, visible = _texture(FRAMES["dark"]), _found()
    brows = np.asarray(load_layout("uvface").region("brows")) > 0.5
    texture[brows] = np.where(np.arange(brows.sum()) % 2, 0.5, 0.8)[:, None] * SKIN  # hairs
    outer = brows & (np.arange(256) < 75)
    texture[outer], visible[outer] = FRAMES["dark"], 0.0  # a broad end of the frame
    image, face = _photo(texture, visible)
    result = swap_face(image, face, image, face, load_layout("uvface"))
    assert np.mean((result - image) ** 2) < 3e-6
