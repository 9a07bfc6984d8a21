import dataclasses
import json

import cv2
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.io import savemat

from uvface.core.detection.protocol import Detection
from uvface.core.errors import InputError
from uvface.core.geometry.crop import box_from_landmarks, crop_box
from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.geometry.pose import rotation_from_angles
from uvface.core.geometry.spline import evaluate_control
from uvface.core.geometry.visibility import visibility
from uvface.core.network.weights_file import WeightsHeader
from uvface.core.reconstruct import Model, Reading
from uvface.core.training.evaluate import FaceError, face_size, landmark_errors, summarize
from uvface.core.training.exact import exact_errors, hidden_overlap, intersection_over_union
from uvface.core.training.photos import evaluate
from uvface.core.training.pool import Pool
from uvface.core.types import Camera

BLACK = np.zeros((320, 320, 3), np.float32)


def _face(name, yaw, nme, found=(0.0, 0.0, 0.0)):
    angles = np.array([yaw, 0.0, 0.0])
    return FaceError(name=name, nme=nme, angles=angles, found_angles=np.array(found))


def test_nme_by_hand():
    """A box of 40 x 90 px has the size 60; 3-4-5 px away everywhere is 5 / 60."""
    truth = np.zeros((68, 3))
    truth[1], truth[2] = (40.0, 0.0, 5.0), (0.0, 90.0, -7.0)
    predicted = truth + np.array([3.0, -4.0, 1000.0])
    assert landmark_errors(predicted, truth)["nme"] == pytest.approx(5.0 / 60.0)


def test_bins_are_of_the_absolute_yaw_and_the_two_means_differ():
    faces = [_face("a", -10.0, 0.02), _face("b", 29.9, 0.04), _face("c", -30.0, 0.06)]
    faces += [_face("d", 75.0, 0.1), _face("e", -95.0, 0.12), _face("f", 60.0, 0.14)]
    found = summarize(faces)
    assert found.counts == (2, 1, 3)
    np.testing.assert_allclose(found.bins, [0.03, 0.06, 0.12])
    assert found.mean_of_bins == pytest.approx(0.07)
    assert found.mean == pytest.approx(0.08)
    assert found.percent()["yaw_60_90"] == 12.0


def test_pose_errors_go_round_the_circle_and_leave_out_backs_of_heads():
    faces = [_face("a", 10.0, 0.0, (13.0, -4.0, 358.0)), _face("b", 20.0, 0.0, (20.0, 0.0, 0.0))]
    found = summarize([*faces, _face("c", 120.0, 0.0)]).pose()
    assert found == {"pose_mae": 1.5, "yaw_mae": 1.5, "pitch_mae": 2.0, "roll_mae": 1.0}
    assert summarize([_face("c", 120.0, 0.0)]).pose() == {}


def test_empty_bins_do_not_count():
    found = summarize([_face("a", 0.0, 0.02)])
    assert found.mean_of_bins == pytest.approx(0.02)
    with pytest.raises(InputError, match="no face"):
        summarize([])


class _Fixed:
    """A detector that always finds the same face."""

    def __init__(self, points):
        self.points = points

    def detect(self, image):
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        box = np.concatenate([low, high]).astype(np.float32)
        return [Detection(box=box, points=self.points, score=0.9)]


def _knowing_model(layout, position_map):
    """A model that reads the same position map off every crop, and the crops that it was given."""
    landmarks = read_landmarks(position_map, layout.landmark_uv)
    camera = Camera(scale=jnp.ones(()), rotation=jnp.eye(3), translation=jnp.zeros(3))
    answer = Reading(
        position_map=position_map,
        visibility=layout.mask,
        self_visibility=layout.mask,
        landmarks=landmarks,
        camera=camera,
    )
    crops = []

    def read(region, photo_from_crop):
        crops.append(photo_from_crop)
        return answer

    eyes_nose_mouth = np.asarray(landmarks)[[[36, 39], [42, 45], [30, 30], [48, 48], [54, 54]], :2]
    model = Model(
        predict=lambda images: images,
        read=read,
        header=WeightsHeader(network="prn-lite", layout="uvface", layout_digest=layout.digest),
        layout=layout,
        detector=_Fixed(eyes_nose_mouth.mean(axis=1).astype(np.float32)),
    )
    return model, crops


def _write_pair(folder, name, truth):
    cv2.imwrite(str(folder / f"{name}.jpg"), np.full((450, 450, 3), 90, np.uint8))
    pose = np.array([[0.0, np.radians(40.0), 0, 0, 0, 0, 0]])
    savemat(folder / f"{name}.mat", {"pt3d_68": truth.T, "Pose_Para": pose})


def test_photos_are_given_the_true_box_and_counted_once(tmp_path, layout):
    photo_map = layout.canonical * 9.0 + jnp.array([230.0, 210.0, 0.0])
    truth = np.asarray(read_landmarks(photo_map, layout.landmark_uv))
    _write_pair(tmp_path, "image00001", truth)
    model, crops = _knowing_model(layout, photo_map)
    found = evaluate([tmp_path, tmp_path], model=model)
    assert found["mean"] < 1e-2 and found["counts"] == [0, 1, 0] and found["photos"] == 1
    expected = crop_box(box_from_landmarks(jnp.asarray(truth)))
    np.testing.assert_allclose(crops[0].matrix(), expected.matrix(), atol=1e-3)
    detected = evaluate([tmp_path], model=model, detect=True)
    assert detected["mean"] == found["mean"] and detected["boxes"] == "detected"
    assert np.abs(crops[1].matrix() - crops[0].matrix()).max() > 1.0


def test_a_detected_face_elsewhere_is_a_miss(tmp_path, layout):
    photo_map = layout.canonical * 9.0 + jnp.array([230.0, 210.0, 0.0])
    truth = np.asarray(read_landmarks(photo_map, layout.landmark_uv))
    _write_pair(tmp_path, "near", truth)
    _write_pair(tmp_path, "far", truth + 1000.0)
    found = evaluate([tmp_path], model=_knowing_model(layout, photo_map)[0], detect=True)
    assert found["missed"] == ["far"] and found["photos"] == 2


def test_folder_without_pairs_is_an_input_error(tmp_path, layout):
    with pytest.raises(InputError, match=r"no NAME\.jpg with NAME\.mat"):
        evaluate([tmp_path], model=_knowing_model(layout, layout.canonical)[0])


def test_pool_is_measured_at_landmarks_and_texels(toy_pool, layout):
    """Moved by 3 px in x and by any z, every texel is off by 3 px, and so is every landmark."""
    pool = Pool(toy_pool, limit=1)
    assert pool.validation() == range(6, 8)
    sizes = [face_size(pool.sample(number).landmarks) for number in pool.validation()]
    true_map = evaluate_control(jnp.asarray(pool.sample(6).control), layout.size)
    model, _ = _knowing_model(layout, true_map + jnp.array([3.0, 0.0, 17.0]))
    found = evaluate([toy_pool], model=model)
    assert found["photos"] == 2 and list(found["faces"]) == ["6", "7"]
    assert found["faces"]["6"] == pytest.approx(300.0 / sizes[0], rel=0.02)
    assert found["faces"]["7"] > 2.0 * found["faces"]["6"]  # another face
    sample = pool.sample(6)
    face = model.reconstruct(
        np.zeros((320, 320, 3), np.float32), boxes=[[80.0, 80.0, 240.0, 240.0]]
    )[0]
    exact = exact_errors(face, sample, layout)
    assert exact.dense == pytest.approx(3.0 / sizes[0], rel=1e-3)


def test_a_pool_of_another_layout_is_not_measured(toy_pool, layout):
    """Its texels are other places: the figures were those of no face."""
    other = dataclasses.replace(layout, name="prnet", digest="0" * 64)
    model, _ = _knowing_model(other, layout.canonical)
    with pytest.raises(InputError, match="made for another UV layout than prnet"):
        evaluate([toy_pool], model=model)


def test_hidden_texels_are_compared_where_they_face_the_camera(toy_pool, layout):
    """Half of the face is covered; the model says so, or finds a quarter of the face."""
    sample = dataclasses.replace(Pool(toy_pool, limit=1).sample(6))
    true_map = evaluate_control(jnp.asarray(sample.control), layout.size)
    middle = int(np.median(np.asarray(true_map)[..., 0][np.asarray(layout.mask) > 0.5]) / 2)
    half = np.where(np.arange(160) < middle, 0, 255).astype(np.uint8)
    sample = dataclasses.replace(sample, mask=np.repeat(half[None], 160, axis=0))
    is_left = np.asarray(true_map)[..., 0] < 2 * middle
    model, _ = _knowing_model(layout, true_map)
    face = model.reconstruct(
        np.zeros((320, 320, 3), np.float32), boxes=[[80.0, 80.0, 240.0, 240.0]]
    )[0]
    knows = dataclasses.replace(face, visibility=layout.mask * jnp.asarray(~is_left, jnp.float32))
    exact = exact_errors(knows, sample, layout)
    assert intersection_over_union([exact]) > 0.95
    assert 0.2 < exact.covered.sum() / int((layout.mask > 0.5).sum()) < 0.8
    assert intersection_over_union([exact_errors(face, sample, layout)]) == 0.0
    sees_all = dataclasses.replace(face, visibility=jnp.ones_like(layout.mask))
    turned_away = hidden_overlap([exact_errors(sees_all, sample, layout)])
    assert hidden_overlap([exact]) > 0.9 and turned_away == 0.0
    assert exact.hidden_either > exact.covered.sum()  # also what the face hides itself
    both = [exact, exact_errors(face, sample, layout)]
    assert intersection_over_union(both) == pytest.approx(0.5, abs=0.03)


def test_a_face_turned_too_far_is_not_found_covered(toy_pool, layout):
    """What it holds for turned away counted as covered: half of all that was wrong in reports."""
    sample = Pool(toy_pool, limit=1).sample(6)
    sample = dataclasses.replace(sample, mask=np.full_like(sample.mask, 255))
    true_map = evaluate_control(jnp.asarray(sample.control), layout.size)
    turn = rotation_from_angles(*jnp.array([40.0, 0.0, 0.0]))
    middle = true_map.mean(axis=(0, 1))
    model, _ = _knowing_model(layout, (true_map - middle) @ turn.T + middle)
    face = model.reconstruct(
        np.zeros((320, 320, 3), np.float32), boxes=[[80.0, 80.0, 240.0, 240.0]]
    )[0]
    seen = visibility(face.position_map, layout)
    face = dataclasses.replace(face, visibility=seen, self_visibility=seen)
    exact = exact_errors(face, sample, layout)
    assert exact.hidden_either - exact.hidden_both > 1000
    assert exact.false == 0 and exact.covered.sum() == 0


def test_what_the_border_of_a_picture_cuts_off_is_truly_hidden(toy_pool, layout):
    """It faces nobody: it counted as bare, or as covered by whatever lies at the border."""
    sample = Pool(toy_pool, limit=1).sample(6)
    true_map = evaluate_control(jnp.asarray(sample.control), layout.size)
    far = np.asarray(true_map)[..., :2].max(axis=-1)
    side = 2 * int(np.median(far[np.asarray(layout.mask) > 0.5]) / 2)
    bare = np.full((side // 2, side // 2), 255, np.uint8)
    image = sample.image[:side, :side]
    cut = dataclasses.replace(sample, image=image, mask=bare, kind=None)
    model, _ = _knowing_model(layout, true_map)
    face = model.reconstruct(
        np.zeros((320, 320, 3), np.float32), boxes=[[80.0, 80.0, 240.0, 240.0]]
    )[0]
    toward = np.asarray(visibility(true_map, layout)) > 0.5
    face = dataclasses.replace(face, visibility=jnp.asarray(toward, jnp.float32))
    exact = exact_errors(face, cut, layout)
    beyond = toward & (far > side)
    assert beyond.sum() > 1000
    assert abs(exact.facing - (toward & ~beyond).sum()) < 0.03 * toward.sum()  # beside the border
    assert exact.covered.sum() == 0
    missed = exact.hidden_either - exact.hidden_both
    assert abs(missed - (beyond & (np.asarray(layout.mask) > 0.5)).sum()) < 0.03 * toward.sum()


def test_figures_of_empty_bins_are_null_in_json(tmp_path, layout):
    photo_map = layout.canonical * 9.0 + jnp.array([230.0, 210.0, 0.0])
    truth = np.asarray(read_landmarks(photo_map, layout.landmark_uv))
    _write_pair(tmp_path, "image00001", truth)
    model, _ = _knowing_model(layout, photo_map)
    found = evaluate([tmp_path], model=model)
    assert found["yaw_0_30"] is None and found["yaw_30_60"] is not None
    json.dumps(found, allow_nan=False)
