"""Folders of varied faces: what is written, and labels that fit."""

import json
from pathlib import Path

import cv2
import jax.numpy as jnp
import numpy as np
import pytest
import toy_faces
from augments import AugmentModel, augment_toys, content
from pycocotools.coco import COCO

import uvface
from uvface.cli import main
from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.io.images import write_image
from uvface.core.io.provenance import read_provenance
from uvface.editing.augment.files import augment
from uvface.editing.augment.recipe import SUBJECTS
from uvface.editing.reshape.deform import PROPORTIONS

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "photos"


def test_every_picture_has_its_files_and_says_that_it_is_synthetic(whole):
    stems = [f"{name}_{number:03d}" for name in ("anna", "ben") for number in (0, 1)]
    endings = (".png", ".png.json", "_posmap.npz")
    expected = {f"{stem}{ending}" for stem in stems for ending in endings} | {"labels.json"}
    assert set(content(whole)) == expected
    for stem in stems:
        found = read_provenance(whole / f"{stem}.png")
        assert found.is_synthetic and found.operation == "augment"
    assert len({(whole / f"{stem}.png").read_bytes() for stem in stems}) == 4


def test_labels_fit_pictures_and_position_maps(whole, photos):
    coco = COCO(str(whole / "labels.json"))
    assert len(coco.getImgIds()) == 4
    for label in coco.loadAnns(coco.getAnnIds(catIds=coco.getCatIds(catNms=["face"]))):
        picture = coco.loadImgs(label["image_id"])[0]
        assert cv2.imread(str(whole / picture["file_name"])).shape == (320, 320, 3)
        stem = Path(picture["file_name"]).stem
        assert label["position_map"] == f"{stem}_posmap.npz"
        with np.load(whole / label["position_map"]) as stored:
            keys = {"position_map", "visibility", "mask", "layout", "layout_digest"}
            assert set(stored) == keys and str(stored["layout"]) == "toy"
            positions, seen = stored["position_map"], stored["visibility"]
        layout = toy_faces.layout()
        landmarks = read_landmarks(jnp.asarray(positions), layout.landmark_uv)
        points = np.array(label["keypoints"]).reshape(68, 3)
        np.testing.assert_allclose(label["landmarks_3d"], landmarks, atol=2e-2)
        np.testing.assert_array_equal(points[:, :2], np.array(label["landmarks_3d"])[:, :2])
        left, top, width, height = label["bbox"]
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        np.testing.assert_allclose(
            [left, top, left + width, top + height], [*low, *high], atol=0.01
        )
        assert seen.shape == layout.mask.shape and 0.1 < seen.mean() < 0.9
        assert set(label["varied"]) == set(SUBJECTS) - {"expression"}  # the toy layout knows none
        assert label["varied"]["shape"].keys() <= PROPORTIONS.keys()
        source = label["source"]
        assert source["photo"] == f"{stem[:-4]}.png" and source["number"] == int(stem[-3:])
        assert (photos / source["photo"]).is_file() and source["seed"] == 0


def test_of_a_group_the_chosen_face_alone_is_read(photos, tmp_path):
    model = AugmentModel(groups=[(1, 3)])
    (item,) = augment(photos / "two.png", tmp_path, model=model, count=1, faces="right")
    assert item.error is None and model.calls == ["right"]


def test_a_face_has_its_number_and_its_pictures_however_it_is_chosen(photos, tmp_path):
    """The number was that among the chosen faces: 0 of one, wherever it stands."""

    def made(faces, stem):
        options = {"count": 1, "vary": "light", "faces": faces}
        augment_toys(photos / "two.png", tmp_path / f"{faces}", **options)
        (item,) = augment_toys(
            photos / "two.png", tmp_path / f"{faces}", skip_existing=True, **options
        )
        assert item.is_old
        picture = tmp_path / f"{faces}" / f"{stem}_000.png"
        record = json.loads(picture.with_name(f"{picture.name}.json").read_text())
        assert record["label"]["source"]["face"] == 1
        return picture.read_bytes()

    assert made("all", "two_1") == made("right", "two") == made(1, "two")


@pytest.mark.weights
def test_a_real_face_is_found_where_its_label_says(tmp_path, capsys):
    out = tmp_path / "out"
    grey = tmp_path / "grey.png"
    write_image(grey, np.full((120, 160, 3), 0.5, np.float32))
    arguments = ["augment", str(grey), str(EXAMPLES / "reference.jpg"), "-o", str(out), "--json"]
    arguments += ["-n", "2", "--max-yaw", "30", "--vary", "pose,light,color"]
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: no face found in grey.png")
    assert captured.err.count("\n") == 1
    failed, record = map(json.loads, captured.out.splitlines())
    assert "error" in failed and len(record["faces"][0]["pictures"]) == 2
    model = uvface.load()
    labels = json.loads((out / "labels.json").read_text())
    for picture, label in zip(labels["images"], labels["annotations"], strict=True):
        left, top, width, height = label["bbox"]
        boxes = [[left, top, left + width, top + height]]
        (face,) = model.reconstruct(out / picture["file_name"], boxes=boxes)
        miss = np.asarray(face.landmarks)[:, :2] - np.array(label["landmarks_3d"])[:, :2]
        assert np.linalg.norm(miss, axis=1).mean() / (width * height) ** 0.5 < 0.03
        assert abs(label["pose"]["yaw"]) < 60.0
