"""Parts of another face on the stage: where they are drawn, and what stays."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import toy_faces

from uvface.core.geometry.sampling import sample_texture
from uvface.editing.augment.face import augment_face, prepare
from uvface.editing.augment.parts import PARTS, WHOLE, moved_face, wear_parts
from uvface.editing.regions import swap_region

LAYOUT = toy_faces.layout()


@pytest.fixture(scope="module")
def own():
    return toy_faces.toy_photo(1)


@pytest.fixture(scope="module")
def prepared(own):
    return prepare(*own, LAYOUT)


def _green(area):
    """Return a photo and its face, green in an area ``[S, S]`` of the texels."""
    _, face = toy_faces.toy_photo(2)
    texture = toy_faces.texture(2)
    texture = texture + area[..., None] * (jnp.array([0.1, 0.6, 0.1]) - texture)
    drawn, _ = toy_faces._draw(texture, face.position_map, LAYOUT)
    image = np.asarray(drawn, np.float32)
    seen = sample_texture(drawn, face.position_map)
    return image, dataclasses.replace(face, texture=seen)


def _greenness(colors):
    return np.asarray(colors[..., 1] - colors[..., 0])


@pytest.mark.parametrize("region", PARTS)
def test_a_part_is_the_donor_s_and_the_rest_the_photo_s(region, own, prepared):
    area = np.asarray(LAYOUT.region(region))
    worn = wear_parts(prepared, own[1], _green(area), [region], LAYOUT)
    gain = _greenness(worn.completed) - _greenness(prepared.completed)
    away = swap_region(LAYOUT, feather=3.0) * (1.0 - area) > 0.99
    assert gain[(area > 0.95) & (np.asarray(prepared.trust) > 0.9)].mean() > 0.15
    assert np.abs(gain[np.asarray(away)]).mean() < 0.01
    # On the stage not a bit changes further away than the part's soft border.
    changed = np.abs(np.asarray(worn.image - prepared.image)).max(axis=-1) > 0.0
    rows, columns = np.nonzero(changed)
    places = np.asarray(prepared.position_map)[..., :2][area > 0.0]
    low, high = places.min(axis=0) - 40.0, places.max(axis=0) + 40.0
    assert changed.any() and (columns > low[0]).all() and (columns < high[0]).all()
    assert (rows > low[1]).all() and (rows < high[1]).all()


def test_a_whole_face_keeps_the_photo_s_open_mouth(own, prepared):
    area = np.asarray(LAYOUT.region("nose") + LAYOUT.region("mouth_interior"))
    worn = wear_parts(prepared, own[1], _green(area), WHOLE, LAYOUT)
    gain = _greenness(worn.completed) - _greenness(prepared.completed)
    assert gain[np.asarray(LAYOUT.region("nose")) > 0.95].mean() > 0.15
    assert gain[np.asarray(LAYOUT.region("mouth_interior")) > 0.95].mean() < 0.03


def test_parts_change_neither_labels_nor_what_varies(own, prepared):
    worn = wear_parts(prepared, own[1], toy_faces.toy_photo(2), WHOLE, LAYOUT)
    plain, found = (
        augment_face(jax.random.key(1), prepared, LAYOUT, worn=one) for one in (None, worn)
    )
    assert np.abs(np.asarray(plain.image - found.image)).max() > 0.1
    for name in ("position_map", "visibility", "landmarks", "seen", "angles", "kind"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(found, name))
    for one, two in zip(*(jax.tree.leaves(each.recipe) for each in (plain, found)), strict=True):
        assert (one == two).all()


def test_nothing_is_drawn_beyond_the_photo(own):
    image, face = own
    half = np.ascontiguousarray(image[:, : image.shape[1] // 2])
    cut = prepare(half, face, LAYOUT)
    worn = wear_parts(cut, face, toy_faces.toy_photo(2), WHOLE, LAYOUT)
    changed = np.abs(np.asarray(worn.image - cut.image)).max(axis=(0, 2)) > 0.0
    edge = np.asarray(cut.position_map)[..., 0][np.asarray(cut.inside) > 0.5].max()
    assert changed.any() and np.nonzero(changed)[0].max() < edge + 12.0


def test_a_moved_face_lies_where_the_moved_photo_shows_it():
    _, face = toy_faces.toy_photo(1)
    moved = moved_face(face, 2.0, jnp.array([5.0, -3.0]))
    expected = 2.0 * np.asarray(face.position_map) + np.array([5.0, -3.0, 0.0])
    np.testing.assert_allclose(moved.position_map, expected, rtol=1e-6)
    np.testing.assert_allclose(
        moved.camera.project(LAYOUT.canonical),
        2.0 * face.camera.project(LAYOUT.canonical) + jnp.array([5.0, -3.0, 0.0]),
        atol=1e-3,
    )
    np.testing.assert_allclose(moved.box, 2.0 * face.box + jnp.array([5.0, -3.0, 5.0, -3.0]))
