"""What is timed, of what, and what is refused before anything is."""

import numpy as np
import pytest
from toy_faces import toy_photo
from toy_models import ToyModel

import uvface
from uvface.core.errors import InputError, NoFaceError
from uvface.core.io.images import write_image
from uvface.core.network import peers
from uvface.faceswap import benchmark as module
from uvface.faceswap.benchmark import Timing

WALL = np.full((120, 120, 3), 0.5, np.float32)
STAGE = Timing(stage="visibility", cold=9.0, median=5.0, low=4.0, high=6.0)
ROW = Timing(stage="prn, torch", cold=4.0, median=2.0, low=1.0, high=3.0)


class _Detector:
    def detect(self, image):
        return image


@pytest.fixture
def detector(monkeypatch):
    """Stand in for the embedded one, which is not what the tests here are about."""
    monkeypatch.setattr(module, "default_detector", _Detector)


def test_files_and_arrays_are_timed(tmp_path, monkeypatch):
    write_image(tmp_path / "target.png", toy_photo(1)[0])
    model, taken = ToyModel(), []
    monkeypatch.setattr(module, "_time_swap", lambda *given: taken.append(given) or [ROW])
    assert uvface.benchmark(str(tmp_path / "target.png"), WALL, model=model) == [ROW]
    ((target, reference, *others),) = taken
    assert target.path == tmp_path / "target.png" and target.image.shape == toy_photo(1)[0].shape
    assert np.array_equal(reference.image, WALL) and others == [model, 15]


@pytest.mark.parametrize("against", ["torch,onnxruntime", ["torch", "onnxruntime"]])
def test_other_runtimes_are_timed_after_the_stages(monkeypatch, against):
    asked = []

    def compare(names, *, repeats):
        asked.append((names, repeats))
        return [ROW]

    monkeypatch.setattr(peers, "find_spec", lambda package: package)  # as if it was installed
    monkeypatch.setattr(module, "_time_swap", lambda *_: [STAGE])
    monkeypatch.setattr(module, "compare_networks", compare)
    given = {"model": ToyModel(), "repeats": 4}
    assert uvface.benchmark(WALL, WALL, against=against, **given) == [STAGE, ROW]
    assert asked == [(("torch", "onnxruntime"), 4)]
    for none in ("none", []):
        assert uvface.benchmark(WALL, WALL, against=none, **given) == [STAGE]
    assert len(asked) == 1


def test_options_are_checked_before_the_photos_are_read(monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda package: None)
    for options, message in (
        ({"against": "caffe"}, "'caffe'; choose from onnxruntime, torch, or none"),
        ({"against": "torch"}, "torch not installed; run: pip install torch"),
        ({"repeats": 2}, "repeats 2; need a whole number, 3 or more"),
    ):
        with pytest.raises(InputError, match=message):
            uvface.benchmark("none.png", "none.png", model=ToyModel(), **options)


def test_the_photo_without_a_face_is_named(tmp_path, detector):
    write_image(tmp_path / "wall.png", WALL)
    face, model = toy_photo(1)[0], ToyModel()
    with pytest.raises(NoFaceError, match=r"no face found in .*wall\.png; give a photo"):
        uvface.benchmark(face, tmp_path / "wall.png", model=model, repeats=3)
    with pytest.raises(NoFaceError, match="no face found in the target; give a photo"):
        uvface.benchmark(WALL, face, model=model, repeats=3)
