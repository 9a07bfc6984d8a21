import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import skimage.data

from uvface.core.detection import insightface_pack
from uvface.core.detection.centerface import CenterFace
from uvface.core.detection.default import FirstThatFinds, default_detector, detector_name
from uvface.core.detection.insightface_pack import InsightfacePack, find_pack, load_any_pack
from uvface.core.detection.protocol import Detector
from uvface.core.errors import AssetError


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """Replace insightface's cache folder by an empty one that does not exist yet."""
    monkeypatch.setattr(insightface_pack, "CACHE", tmp_path / "models")
    default_detector.cache_clear()
    yield tmp_path / "models"
    default_detector.cache_clear()


@pytest.fixture(scope="session")
def test_pack(shared_data) -> Path:
    return shared_data / "detectors_test" / "models" / "buffalo_sc"


def add_pack(cache: Path, name: str) -> None:
    (cache / name).mkdir(parents=True)
    (cache / name / "det_10g.onnx").write_bytes(b"not a network")


def test_without_pack_the_embedded_detector_is_used(cache):
    assert find_pack() is None
    assert isinstance(default_detector(), CenterFace)
    assert not cache.exists()  # insightface would have made it and gone to the network


def test_named_pack_that_is_missing_is_an_error(cache):
    with pytest.raises(AssetError, match="no insightface pack buffalo_l"):
        default_detector("buffalo_l")
    with pytest.raises(AssetError, match="no insightface pack"):
        InsightfacePack(cache / "nowhere")
    assert not cache.exists()


def test_best_known_pack_comes_first(cache):
    for name in ("zzz", "buffalo_sc", "buffalo_l", "aaa"):
        add_pack(cache, name)
    (cache / "antelopev2").mkdir()  # empty: an interrupted download
    assert find_pack() == cache / "buffalo_l"
    assert find_pack("aaa") == cache / "aaa"
    shutil.rmtree(cache / "buffalo_l")
    shutil.rmtree(cache / "buffalo_sc")
    assert find_pack() == cache / "aaa"


def test_damaged_pack_is_one_clear_line_where_it_is_named(cache):
    add_pack(cache, "buffalo_l")
    with pytest.raises(AssetError, match="cannot load the pack") as caught:
        default_detector("buffalo_l")
    assert "\n" not in str(caught.value)
    with pytest.raises(AssetError, match="cannot load the pack"):
        load_any_pack()  # what the doctor tells


def test_unusable_pack_that_nobody_named_is_passed_over(cache):
    add_pack(cache, "buffalo_l")
    assert isinstance(default_detector(), CenterFace)


def test_a_usable_pack_behind_an_unusable_one_is_taken(cache, test_pack):
    add_pack(cache, "antelopev2")
    (cache / "buffalo_sc").symlink_to(test_pack)
    assert load_any_pack().folder == cache / "buffalo_sc"


def _add_detector_without_points(folder: Path) -> None:
    """Write a network that insightface takes for a detector: boxes and scores of three strides."""
    kind, opset = onnx.TensorProto.FLOAT, [onnx.helper.make_opsetid("", 13)]
    given = onnx.helper.make_tensor_value_info("input", kind, [1, 3, 640, 640])
    nodes = [onnx.helper.make_node("Identity", ["input"], [f"out{k}"]) for k in range(6)]
    outputs = [
        onnx.helper.make_tensor_value_info(f"out{k}", kind, [1, 3, 640, 640]) for k in range(6)
    ]
    graph = onnx.helper.make_graph(nodes, "detector", [given], outputs)
    folder.mkdir(parents=True)
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.save(model, str(folder / "det.onnx"))


def test_a_detector_without_points_is_told_when_it_is_loaded(cache):
    """It was when each photo was looked at, so that none was read though nobody named the pack."""
    _add_detector_without_points(cache / "buffalo_l")
    assert isinstance(default_detector(), CenterFace)
    with pytest.raises(AssetError, match=r"buffalo_l gives no points; use another pack"):
        load_any_pack()  # what the doctor tells


def test_every_detector_has_a_name(cache):
    class Own:
        def detect(self, image):
            return []

    assert detector_name(default_detector()) == "CenterFace"
    assert detector_name(FirstThatFinds((Own(), CenterFace()))) == "Own, CenterFace"


def test_the_detector_of_a_pack_is_called_as_the_pack(test_pack):
    assert detector_name(default_detector(test_pack)) == "buffalo_sc, CenterFace"


def test_pack_finds_the_astronaut(test_pack):
    detector = InsightfacePack(test_pack)
    assert isinstance(detector, Detector)
    image = skimage.data.astronaut()
    (face,) = detector.detect(image)
    (expected,) = CenterFace().detect(image)
    assert face.score > 0.6
    assert np.abs(face.points - expected.points).max() < 8
    (filling,) = detector.detect(np.ascontiguousarray(image[60:178, 172:280]))
    np.testing.assert_allclose(filling.points, face.points - np.float32([172, 60]), atol=8)


@pytest.mark.parametrize("size", [(10, 1300), (1300, 10), (4, 700), (1, 129), (1, 1)])
def test_pack_looks_at_pictures_of_any_proportions(test_pack, size):
    """Of one narrower than 1:128, insightface's resizing left no pixel: a batch ended there."""
    assert InsightfacePack(test_pack).detect(np.zeros((*size, 3), np.uint8)) == []


def test_embedded_detector_looks_where_the_pack_finds_nothing(test_pack):
    detector = default_detector(test_pack)
    assert isinstance(detector, FirstThatFinds)
    image = np.ascontiguousarray(skimage.data.astronaut()[::-1, ::-1])
    assert len(detector.detect(image)) == 1
