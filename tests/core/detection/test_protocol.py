import numpy as np

from uvface.core.detection.five_points import FaceFrame, face_frame
from uvface.core.detection.protocol import (
    Detection,
    as_uint8,
    box_overlap,
    left_to_right,
    suppress_overlapping,
)


def test_overlap_of_known_boxes():
    boxes = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]], np.float32)
    np.testing.assert_allclose(box_overlap(boxes, boxes[0]), [1, 1 / 3, 0], atol=1e-6)


def test_suppression_keeps_the_best_of_each_group():
    boxes = np.array([[0, 0, 9, 9], [1, 1, 10, 10], [20, 0, 30, 9], [0, 0, 9, 8]], np.float32)
    scores = np.array([0.6, 0.9, 0.7, 0.8], np.float32)
    np.testing.assert_array_equal(suppress_overlapping(boxes, scores), [1, 2])
    assert suppress_overlapping(boxes[:0], scores[:0]).size == 0


def test_left_to_right():
    points = np.zeros((5, 2), np.float32)
    boxes = np.array([[5, 0, 9, 1], [0, 0, 2, 1], [1, 0, 4, 1]], np.float32)
    faces = [Detection(box=box, points=points, score=1.0) for box in boxes]
    assert [float(face.box[0]) for face in left_to_right(faces)] == [0, 1, 5]


def test_floats_are_rounded_and_clipped():
    image = np.array([[[-1.0, 0.5, 2.0]]], np.float32)
    np.testing.assert_array_equal(as_uint8(image), [[[0, 128, 255]]])


def test_face_frame_follows_a_similarity():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(5, 2)).astype(np.float32)
    frame = face_frame(points)
    move = FaceFrame(centre=np.float32([5, -3]), unit=7.0, roll=0.6)
    moved = face_frame(move.to_photo(points))
    np.testing.assert_allclose(moved.unit, 7 * frame.unit, rtol=1e-5)
    np.testing.assert_allclose(np.cos(moved.roll - frame.roll - 0.6), 1, atol=1e-6)
    np.testing.assert_allclose(moved.centre, move.to_photo(frame.centre), atol=1e-4)


def test_frame_maps_are_inverse():
    frame = FaceFrame(centre=np.float32([5, -3]), unit=7.0, roll=2.0)
    points = np.random.default_rng(1).normal(size=(4, 2)).astype(np.float32)
    np.testing.assert_allclose(frame.from_photo(frame.to_photo(points)), points, atol=1e-5)


def test_roll_of_a_quarter_turn():
    upright = np.array([[0, 0], [2, 0], [1, 1], [0.2, 2], [1.8, 2]], np.float32)
    clockwise = np.stack([-upright[:, 1], upright[:, 0]], axis=1)
    assert abs(face_frame(upright).roll) < 1e-5
    np.testing.assert_allclose(face_frame(clockwise).roll, np.pi / 2, atol=1e-5)
