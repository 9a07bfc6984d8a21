"""The baseline: what PRNet's pipeline does to a photo."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from toy_faces import layout, toy_photo

from uvface.faceswap.prnet import CloneError, prnet_mask, swap_like_prnet


def test_the_reference_is_drawn_over_the_whole_face_and_nothing_else_is_meant_to_change():
    target, reference = toy_photo(1), toy_photo(2)
    result = swap_like_prnet(*target, *reference, layout())
    mask = prnet_mask(*target, layout())
    assert 0.1 < mask.mean() < 0.6
    beside = np.abs(result - target[0])[~mask].max(axis=-1)  # what 8 bits do not hold stays, too
    assert (beside == 0.0).mean() > 0.8 and (beside[beside > 0.0] > 0.49 / 255).all()
    assert (np.abs(result - target[0])[mask].max(axis=-1) > 0.02).mean() > 0.5
    # The clone adds something smooth to the reference's own colours.
    patch = np.s_[45:75, 45:75]
    details = [image[patch] - image[patch].mean(axis=(0, 1)) for image in (result, reference[0])]
    assert np.corrcoef(details[0].ravel(), details[1].ravel())[0, 1] > 0.9


def test_opencv_changes_pixels_beside_the_face_as_it_does_for_prnet():
    """The swap took these changes back, so that the baseline looked better than PRNet is."""
    photo, face = toy_photo(1)
    moved = dataclasses.replace(face, position_map=face.position_map.at[..., 0].add(0.5))
    beside = []
    for target in (face, moved):
        result = swap_like_prnet(photo, target, *toy_photo(2), layout())
        mask = prnet_mask(photo, target, layout())
        beside.append(np.abs(result - photo)[~mask].max() * 255)
    assert max(beside) > 2.0


def test_hidden_texels_are_read_as_if_they_were_seen():
    target, reference = toy_photo(1), toy_photo(2, 60.0)
    result = swap_like_prnet(*target, *reference, layout())
    again = swap_like_prnet(*target, *toy_photo(2), layout())
    sides = [
        np.abs(result - again)[40:80, columns].mean() for columns in (slice(30, 50), slice(70, 90))
    ]
    assert max(sides) > 2.0 * min(sides)


def test_a_face_outside_the_photo_cannot_be_cloned():
    with pytest.raises(CloneError, match="shows the face"):
        swap_like_prnet(*toy_photo(1, 0.0, (500.0, 0.0)), *toy_photo(2), layout())


def test_a_reference_wider_than_opencv_reads_is_an_error_of_ours():
    wide = np.zeros((8, 33_000, 3), np.float32)
    with pytest.raises(CloneError, match="33000 x 8 pixels"):
        swap_like_prnet(*toy_photo(1), wide, toy_photo(2)[1], layout())


def test_failures_of_opencv_are_errors_of_ours(monkeypatch):
    import cv2

    def fail(*_):
        raise cv2.error("OpenCV: (-215:Assertion failed) 0 <= roi.x in function 'Mat'")

    monkeypatch.setattr(cv2, "seamlessClone", fail)
    with pytest.raises(CloneError, match="roi"):
        swap_like_prnet(*toy_photo(1), *toy_photo(2), layout())


def test_the_mask_is_hard_and_follows_the_face():
    image, face = toy_photo(1)
    mask = prnet_mask(image, face, layout())
    points = np.asarray(face.position_map)[np.asarray(layout().region("face")) > 0.5]
    rows, columns = np.nonzero(mask)
    assert abs(rows.min() - points[:, 1].min()) < 2 and abs(rows.max() - points[:, 1].max()) < 2
    assert abs(columns.min() - points[:, 0].min()) < 2
    assert jnp.issubdtype(mask.dtype, jnp.bool_)
