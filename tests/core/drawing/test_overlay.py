"""Overlays: a view shows the photo where it says, and each panel draws what it is called."""

import cv2
import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face

from uvface.core.drawing.overlay import PANEL, draw_landmarks, draw_overlay
from uvface.core.drawing.view import OUTSIDE_GREY, view_around
from uvface.core.geometry.layout import load_layout


def _picture_of_places(height, width):
    """Return a photo whose pixel (x, y) holds x / width and y / height."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.stack([x / width, y / height, np.ones_like(x)], axis=-1)


@pytest.mark.parametrize("reach", [40.0, 200.0, 1500.0])
def test_view_shows_the_photo_where_it_says(reach):
    image = _picture_of_places(900, 1600)
    middle = np.array([700.0, 400.0])
    corners = np.stack([middle - reach / 2, middle + reach / 2])
    view = view_around(corners, size=128, factor=1.0)
    shown = view.cut(image)
    y, x = np.mgrid[:128, :128]
    places = view.scale * np.stack([x, y], axis=-1) + view.origin
    is_in = ((places > 12) & (places < [1587, 887])).all(axis=-1)
    assert is_in.mean() > 0.5
    found = shown[is_in][:, :2] * [1600, 900]
    np.testing.assert_allclose(found, places[is_in], atol=0.02 + 0.1 * view.scale)
    np.testing.assert_allclose(view.place(places[5:6, 9].astype(np.float32)), [[9, 5]], atol=1e-3)


def test_view_beyond_the_photo_is_plain_and_dark():
    image = np.ones((100, 100, 3), np.float32)
    shown = view_around(np.array([[-50.0, 0], [50, 100]]), size=100, factor=1.0).cut(image)
    np.testing.assert_allclose(shown[:, :40], OUTSIDE_GREY, atol=1e-6)
    np.testing.assert_allclose(shown[10:90, 60:], 1.0, atol=1e-6)
    far = view_around(np.array([[5000.0, 5000], [5050, 5050]]), size=64, factor=1.0)
    np.testing.assert_allclose(far.cut(image), OUTSIDE_GREY, atol=1e-6)


def test_every_panel_draws_the_face_and_leaves_the_rest():
    layout = load_layout()
    image = np.full((400, 500, 3), 0.5, np.float32)
    face = mean_face(layout, centre=(250.0, 180.0), scale=14.0)
    picture = draw_overlay(image, face, layout)
    assert picture.shape == (2 * PANEL, 3 * PANEL, 3) and picture.dtype == np.uint8
    panels = [
        picture[row : row + PANEL, column : column + PANEL].astype(int)
        for row in (0, PANEL)
        for column in (0, PANEL, 2 * PANEL)
    ]
    for panel in panels:
        inside = panel[5:-40, 5:-40]
        plain = np.median(inside.reshape(-1, 3), axis=0)
        share = (np.abs(inside - plain).max(axis=-1) > 12).mean()
        assert 0.005 < share < 0.8
    dense, hidden = panels[1], draw_overlay(image, _unseen(face), layout)
    gone = hidden[:PANEL, PANEL : 2 * PANEL].astype(int)
    assert np.ptp(gone[5:-40, 5:-40], axis=(0, 1)).max() < np.ptp(dense[5:-40, 5:-40])
    assert len({panel.tobytes() for panel in panels}) == 6


def _unseen(face):
    import dataclasses

    return dataclasses.replace(face, visibility=jnp.zeros_like(face.visibility))


def test_landmarks_are_drawn_where_they_lie():
    image = np.zeros((300, 300, 3), np.float32)
    rng = np.random.default_rng(0)
    landmarks = rng.uniform(100, 200, (68, 2)).astype(np.float32)
    picture = draw_landmarks(image, landmarks)
    assert picture.shape == (PANEL, PANEL, 3)
    view = view_around(landmarks, size=PANEL, factor=2.0)
    x, y = np.rint(view.place(landmarks)).astype(int).T
    bright = cv2.dilate(picture.max(axis=-1), np.ones((3, 3), np.uint8))
    assert (bright[y, x] > 150).mean() > 0.95
