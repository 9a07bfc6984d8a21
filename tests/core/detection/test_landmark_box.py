import cv2
import numpy as np
import pytest

from uvface.core.detection import landmark_box
from uvface.core.detection.fit_landmark_box import Sample, collect_samples, fit_coefficients
from uvface.core.detection.five_points import FaceFrame
from uvface.core.detection.protocol import Detection, box_overlap
from uvface.core.errors import InputError

POINTS = np.array([[204, 106], [249, 102], [226, 124], [206, 145], [245, 142]], np.float32)


def predict(points: np.ndarray) -> np.ndarray:
    return landmark_box.landmark_box(Detection(box=np.zeros(4), points=points, score=1.0))


def turned_heads(count: int, seed: int) -> list[Sample]:
    """Return the points of a rigid egg-like head, seen from many sides."""
    rng = np.random.default_rng(seed)
    across = np.linspace(-1, 1, 68)
    head = np.stack([1.9 * across, 2.2 - 3.2 * across**2, -1.5 * across**2], axis=1)
    five = np.array([[-0.8, -0.9, 0], [0.8, -0.9, 0], [0, 0.1, 0.9], [-0.6, 0.8, 0], [0.6, 0.8, 0]])
    samples = []
    for yaw, roll in rng.uniform(-0.8, 0.8, (count, 2)):
        cos, sin = np.cos(yaw), np.sin(yaw)
        turn = np.array([[cos, 0, sin], [0, 1, 0]], np.float32)
        frame = FaceFrame(centre=rng.uniform(50, 90, 2).astype(np.float32), unit=30.0, roll=roll)
        seen = [frame.to_photo((shape @ turn.T).astype(np.float32)) for shape in (five, head)]
        samples.append(Sample(points=seen[0], landmarks=seen[1]))
    return samples


def test_box_of_the_astronaut_is_plausible():
    left, top, right, bottom = predict(POINTS)
    assert 165 < left < 190 and 75 < top < 100 and 262 < right < 290 and 165 < bottom < 190


def test_box_moves_and_grows_with_the_face():
    box = predict(POINTS)
    moved = predict(POINTS * np.float32(3) + np.float32([5, -7]))
    np.testing.assert_allclose(moved, box * 3 + [5, -7, 5, -7], atol=0.01)


def test_box_turns_with_the_face():
    left, top, right, bottom = predict(POINTS)
    quarter = np.stack([-POINTS[:, 1], POINTS[:, 0]], axis=1)
    np.testing.assert_allclose(predict(quarter), [-bottom, left, -top, right], atol=0.01)


def test_mirrored_face_gives_the_mirrored_box():
    left, top, right, bottom = predict(POINTS)
    mirrored = (POINTS * np.float32([-1, 1]))[[1, 0, 2, 4, 3]]
    np.testing.assert_allclose(predict(mirrored), [-right, top, -left, bottom], atol=0.5)


def test_fit_predicts_boxes_of_turned_heads(monkeypatch):
    coefficients = fit_coefficients(turned_heads(300, seed=0))
    monkeypatch.setattr(landmark_box, "COEFFICIENTS", coefficients)
    errors = []
    for sample in turned_heads(40, seed=1):
        truth = np.r_[sample.landmarks.min(axis=0), sample.landmarks.max(axis=0)]
        errors.append(np.abs(predict(sample.points) - truth).max() / np.ptp(sample.landmarks))
    assert np.mean(errors) < 0.06


def test_samples_keep_only_the_face_with_landmarks(tmp_path):
    points = POINTS - np.float32([150, 50])
    around = np.random.default_rng(0).normal(size=(68, 2)) * 25 + points.mean(axis=0)
    done, coded = cv2.imencode(".jpg", np.zeros((160, 160, 3), np.uint8))
    assert done
    landmarks = np.pad(around, ((0, 0), (0, 1)))[None]
    stored = {"jpeg": coded, "offset": np.array([0, len(coded)]), "landmarks": landmarks}
    np.savez(tmp_path / "shard_0000.npz", **stored)

    class Fixed:
        def detect(self, image):
            boxes = np.zeros(4, np.float32)
            far = points + np.float32(300)
            return [Detection(box=boxes, points=p, score=1.0) for p in (points, far)]

    rng = np.random.default_rng(0)
    shard = tmp_path / "shard_0000.npz"
    (found,) = collect_samples(shard, Fixed(), rng=rng, roll=0.0)
    np.testing.assert_allclose(found.landmarks, around, atol=1e-3)


@pytest.mark.shared
def test_boxes_of_real_photos(shared_data):
    from scipy.io import loadmat

    from uvface.core.detection.centerface import CenterFace

    detector = CenterFace()
    overlaps = []
    for path in sorted((shared_data / "eval_public" / "aflw40_images").glob("*.jpg"))[:8]:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        landmarks = loadmat(path.with_suffix(".mat"))["pt3d_68"][:2].T
        truth = np.r_[landmarks.min(axis=0), landmarks.max(axis=0)].astype(np.float32)
        boxes = [landmark_box.landmark_box(face) for face in detector.detect(image)]
        assert boxes, path.name
        overlaps.append(box_overlap(np.stack(boxes), truth).max())
    assert np.mean(overlaps) > 0.75


class NoFace:
    def detect(self, image):
        return []


def test_fit_is_told_of_a_damaged_pool(tmp_path):
    stored = {"jpeg": np.zeros(4, np.uint8), "offset": np.array([0, 4])}
    np.savez(tmp_path / "s.npz", landmarks=np.zeros((1, 68, 3), np.float32), **stored)
    with pytest.raises(InputError, match="no JPEG"):
        list(collect_samples(tmp_path / "s.npz", NoFace(), rng=np.random.default_rng(0)))
