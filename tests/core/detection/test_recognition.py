import shutil

import numpy as np
import pytest
from onnx import TensorProto, helper, save_model

from uvface.core.detection import recognition
from uvface.core.detection.recognition import (
    Recognizer,
    crop_from_photo,
    find_recognition,
    five_of_68,
)
from uvface.core.errors import AssetError
from uvface.core.reconstruct import load


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(recognition, "CACHE", tmp_path / "models")
    return tmp_path / "models"


def test_the_network_is_looked_for_in_the_packs(cache):
    with pytest.raises(AssetError, match=r"buffalo_l.*models"):
        find_recognition()
    (cache / "buffalo_s").mkdir(parents=True)
    (cache / "buffalo_s" / "det_500m.onnx").write_bytes(b"x")
    with pytest.raises(AssetError, match="--recognition"):
        find_recognition()
    (cache / "buffalo_s" / "w600k_mbf.onnx").write_bytes(b"x")
    assert find_recognition().name == "w600k_mbf.onnx"
    with pytest.raises(AssetError, match="cannot load"):
        Recognizer()
    with pytest.raises(AssetError, match=r"no\.onnx"):
        find_recognition(cache / "no.onnx")


def test_a_network_of_another_kind_is_refused(tmp_path):
    node = helper.make_node("Relu", ["x"], ["y"])
    shape = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 64, 64])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 64, 64])
    model = helper.make_model(
        helper.make_graph([node], "g", [shape], [result]),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
    )
    save_model(model, tmp_path / "other.onnx")
    with pytest.raises(AssetError, match="3x112x112"):
        Recognizer(tmp_path / "other.onnx")


def test_five_points_are_the_eyes_nose_and_mouth():
    landmarks = np.arange(68 * 3, dtype=np.float32).reshape(68, 3)
    five = five_of_68(landmarks)
    assert five.shape == (5, 2)
    np.testing.assert_allclose(five[0], landmarks[36:42, :2].mean(axis=0))
    np.testing.assert_allclose(five[2:], landmarks[[30, 48, 54], :2])


def test_the_five_points_come_to_where_networks_expect_them():
    """The numbers are those of insightface's crops of 112 pixels."""
    places = np.float32([[38.3, 51.7], [73.5, 51.5], [56.0, 71.7], [41.5, 92.4], [70.7, 92.2]])
    turn = 2.5 * np.float32([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    landmarks = np.zeros((68, 3), np.float32)
    for rows, place in zip((slice(36, 42), slice(42, 48), 30, 48, 54), places, strict=True):
        landmarks[rows, :2] = turn @ place + [300.0, 80.0]
    matrix = crop_from_photo(landmarks)
    found = five_of_68(landmarks) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(found, places, atol=0.1)


@pytest.mark.shared
@pytest.mark.weights
def test_the_same_person_is_more_alike_than_another(shared_data, cache):
    network = shared_data / "detectors_test" / "recognition" / "mobilefacenet_a.onnx"
    (cache / "pack").mkdir(parents=True)
    shutil.copy(network, cache / "pack" / "w600k_test.onnx")
    recognizer, model = Recognizer(), load()
    photos = sorted((shared_data / "photos_cc_by" / "images").glob("neutral_*.jpg"))[:3]
    photos += [p.with_name(p.name.replace("neutral", "smiling")) for p in photos]
    photos = [next(p.parent.glob(f"{p.stem[:-3]}*")) for p in photos]
    vectors = []
    for path in photos:
        from uvface.core.io.images import read_photo

        image = read_photo(path).image
        face = model.reconstruct(image, faces="largest")[0]
        vectors.append(recognizer.embed(image, np.asarray(face.landmarks)))
    likeness = np.stack(vectors[:3]) @ np.stack(vectors[3:]).T
    assert np.diag(likeness).min() > 0.6 > 0.45 > likeness[~np.eye(3, dtype=bool)].max()
