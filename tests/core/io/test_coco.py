"""COCO labels: names, skeleton and numbers, as pycocotools reads them."""

import json

import numpy as np
import pytest
from pycocotools.coco import COCO

from uvface.core.errors import InputError
from uvface.core.io.coco import CATEGORY, LANDMARK_NAMES, face_annotation, write_coco


def _landmarks(seed=0):
    return np.random.default_rng(seed).uniform(0, 300, (68, 3)).astype(np.float32)


def test_names_and_skeleton_follow_the_68_landmarks():
    assert len(set(LANDMARK_NAMES)) == 68
    names = {17: "right_brow_0", 30: "nose_bridge_3", 36: "right_eye_0", 60: "inner_lip_0"}
    assert {k: LANDMARK_NAMES[k] for k in names} == names
    pairs = np.array(CATEGORY["skeleton"])
    assert sorted(set(pairs.ravel().tolist())) == list(range(1, 69))
    groups = [{LANDMARK_NAMES[k - 1].rsplit("_", 1)[0] for k in pair} for pair in pairs]
    assert all(len(group) == 1 for group in groups)
    assert [42, 37] in CATEGORY["skeleton"] and [17, 1] not in CATEGORY["skeleton"]


def test_an_annotation_tells_places_and_what_is_seen():
    landmarks, seen = _landmarks(), np.arange(68) % 3 > 0
    told = face_annotation(landmarks, seen)
    points = np.array(told["keypoints"]).reshape(68, 3)
    np.testing.assert_allclose(points[:, :2], landmarks[:, :2], atol=6e-4)
    assert (points[:, 2] == np.where(seen, 2, 1)).all() and told["num_keypoints"] == 68
    np.testing.assert_allclose(told["landmarks_3d"], landmarks, atol=6e-4)
    left, top, width, height = told["bbox"]
    assert left == pytest.approx(landmarks[:, 0].min(), abs=1e-3)
    assert top + height == pytest.approx(landmarks[:, 1].max(), abs=2e-3)
    assert told["area"] == pytest.approx(width * height)


def test_pycocotools_reads_the_file(tmp_path, capsys):
    path = tmp_path / "labels.json"
    told = [face_annotation(_landmarks(k), np.ones(68, bool)) | {"pose": k} for k in range(3)]
    write_coco(path, [(f"{k}.png", 320, 240, label) for k, label in enumerate(told)])
    coco = COCO(str(path))
    assert coco.loadCats(coco.getCatIds(catNms=["face"]))[0]["keypoints"][0] == "jaw_0"
    for k, number in enumerate(coco.getImgIds()):
        picture = coco.loadImgs(number)[0]
        assert picture["file_name"] == f"{k}.png"
        assert (picture["width"], picture["height"]) == (320, 240)
        (found,) = coco.loadAnns(coco.getAnnIds(imgIds=number, iscrowd=False))
        assert found["pose"] == k and found["keypoints"] == told[k]["keypoints"]
    assert "ompositeSynthetic" in json.loads(path.read_text())["info"]["digital_source_type"]


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        write_coco(tmp_path / "file" / "labels.json", [])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
