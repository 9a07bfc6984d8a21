import cv2
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.io import savemat

from uvface.core.errors import InputError
from uvface.core.training.evaluate import (
    FaceError,
    evaluate_folder,
    evaluate_folders,
    evaluate_photos,
    evaluate_synthetic,
    normalized_mean_error,
    summarize,
)
from uvface.core.training.pool import Pool


def _face(name, yaw, nme):
    points = np.zeros((68, 3))
    return FaceError(name=name, yaw=yaw, nme=nme, predicted=points, truth=points)


def test_nme_by_hand():
    """A box of 40 x 90 px has the size 60; 3-4-5 px away everywhere is 5 / 60."""
    truth = np.zeros((68, 3))
    truth[1], truth[2] = (40.0, 0.0, 5.0), (0.0, 90.0, -7.0)
    predicted = truth + np.array([3.0, -4.0, 1000.0])
    assert normalized_mean_error(predicted, truth) == pytest.approx(5.0 / 60.0)


def test_bins_are_of_the_absolute_yaw_and_the_two_means_differ():
    faces = [_face("a", -10.0, 0.02), _face("b", 29.9, 0.04), _face("c", -30.0, 0.06)]
    faces += [_face("d", 75.0, 0.1), _face("e", -95.0, 0.12), _face("f", 60.0, 0.14)]
    found = summarize(faces)
    assert found.counts == (2, 1, 3)
    np.testing.assert_allclose(found.bins, [0.03, 0.06, 0.12])
    assert found.mean_of_bins == pytest.approx(0.07)
    assert found.mean == pytest.approx(0.08)
    assert found.percent()["yaw_60_90"] == 12.0


def test_empty_bins_do_not_count():
    found = summarize([_face("a", 0.0, 0.02)])
    assert found.mean_of_bins == pytest.approx(0.02)
    with pytest.raises(InputError, match="no face"):
        summarize([])


def _write_pair(folder, name, position_map, layout, read):
    truth = np.asarray(read(jnp.asarray(position_map), layout.landmark_uv))
    cv2.imwrite(str(folder / f"{name}.jpg"), np.full((450, 450, 3), 90, np.uint8))
    pose = np.array([[0.0, np.radians(40.0), 0, 0, 0, 0, 0]])
    savemat(folder / f"{name}.mat", {"pt3d_68": truth.T, "Pose_Para": pose})


def test_folder_protocol_crops_by_the_true_box_and_maps_back(tmp_path, layout):
    """A network that answers with the true map in crop pixels has no error."""
    from uvface.core.geometry.crop import box_from_landmarks, crop_box
    from uvface.core.geometry.landmarks import read_landmarks

    photo_map = layout.canonical * 9.0 + jnp.array([230.0, 210.0, 0.0])
    _write_pair(tmp_path, "image00001", photo_map, layout, read_landmarks)
    landmarks = read_landmarks(photo_map, layout.landmark_uv)
    crop_from_photo = crop_box(box_from_landmarks(landmarks)).inverse()

    def predict(crops):
        assert crops.shape == (1, 256, 256, 3) and 0.3 < float(crops.mean()) < 0.4
        return crop_from_photo.apply(photo_map)[None]

    found = evaluate_folder(predict, tmp_path, layout)
    assert found.mean < 1e-4 and found.counts == (0, 1, 0)
    assert evaluate_folders(predict, [tmp_path, tmp_path], layout).counts == (0, 1, 0)
    photo = np.full((1, 450, 450, 3), 90, np.uint8)
    points = np.asarray(landmarks)[None]
    np.savez(tmp_path / "photos.npz", images=photo, landmarks68=points, names=np.array(["a"]))
    assert evaluate_photos(predict, tmp_path / "photos.npz", layout).mean < 1e-4


def test_folder_without_pairs_is_an_input_error(tmp_path, layout):
    with pytest.raises(InputError, match="no pair"):
        evaluate_folder(lambda crops: crops, tmp_path, layout)


def test_synthetic_protocol_measures_landmarks_and_texels(toy_pool, layout):
    mean = layout.canonical * 9.0 + jnp.array([127.5, 127.5, 0.0])
    found = evaluate_synthetic(
        lambda crops: jnp.broadcast_to(mean, (len(crops), 256, 256, 3)),
        Pool(toy_pool),
        layout,
        indices=range(0, 6),
        batch=4,
    )
    assert len(found.faces) == 6
    assert 0.01 < found.mean < 0.8
    assert found.dense is not None and 0.01 < found.dense < 0.8
