"""Things that are made once, whoever asks and however many at the same time."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from uvface.core.detection import centerface, default
from uvface.core.detection.default import default_detector
from uvface.core.once import once
from uvface.editing import finder
from uvface.editing.finder import FaceFinder


def _at_once(call, count=4):
    """Return what threads get that all call at the same moment."""
    start = Barrier(count)

    def wait_and_call():
        start.wait()
        return call()

    with ThreadPoolExecutor(max_workers=count) as pool:
        return [asked.result() for asked in [pool.submit(wait_and_call) for _ in range(count)]]


class Slow:
    """Takes its time to be made, and counts how often that was."""

    made = 0

    def __init__(self, *_, **__):
        time.sleep(0.05)
        type(self).made += 1

    def detect(self, image):
        return []


@pytest.fixture(autouse=True)
def count():
    Slow.made = 0
    yield
    assert Slow.made == 1


def test_threads_that_ask_at_the_same_time_get_one_thing():
    assert len(set(_at_once(once(Slow)))) == 1


def test_the_detector_is_loaded_once(monkeypatch):
    monkeypatch.setattr(default, "CenterFace", Slow)
    monkeypatch.setattr(default, "load_any_pack", lambda: None)
    default_detector.cache_clear()
    assert len(set(_at_once(default_detector))) == 1
    default_detector.cache_clear()


def test_the_network_of_centerface_is_loaded_once(monkeypatch):
    monkeypatch.setattr(centerface, "_free_network", Slow)
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda network, *_, **__: network)
    centerface._session.cache_clear()
    assert len(set(_at_once(lambda: centerface._session()))) == 1
    centerface._session.cache_clear()


def test_the_recognition_network_is_loaded_once(monkeypatch):
    monkeypatch.setattr(finder, "Recognizer", Slow)
    monkeypatch.setattr(finder, "as_model", lambda model: model)
    found = FaceFinder(None)
    assert len(set(_at_once(found._recognizer))) == 1


def test_a_failure_is_not_kept_and_other_arguments_give_other_things():
    calls = []

    @once
    def make(number):
        calls.append(number)
        if len(calls) == 1:
            raise ValueError(number)
        return Slow() if number == 2 else number

    with pytest.raises(ValueError, match="1"):
        make(1)
    assert make(1) == 1 and make(2) is make(2) and calls == [1, 1, 2]
