"""A batch that is run again: which results are kept, and which are made anew."""

import dataclasses
import json
import os

import cv2
import pytest
from batches import BOX, Blind, contents, run_batch

from uvface.core.batch import reconstruct
from uvface.core.errors import InputError
from uvface.core.reconstruct import ReconstructConfig

pytestmark = pytest.mark.weights


def test_a_stopped_batch_goes_on_and_gives_what_a_whole_one_gives(tmp_path, astronaut, model):
    other = tmp_path / "other.png"
    cv2.imwrite(str(other), cv2.imread(str(astronaut))[:, ::-1])
    photos, boxes = [astronaut, other], {"astronaut": [BOX], "other": [[240.0, 71, 334, 188]]}
    whole = run_batch(photos, tmp_path / "whole", model, boxes=boxes)
    items = reconstruct(photos, tmp_path / "half", model=model, save="landmarks", boxes=boxes)
    next(items)  # and no more: the batch was stopped
    again = run_batch(photos, tmp_path / "half", model, boxes=boxes, skip_existing=True)
    assert [item.is_old for item in again] == [True, False]
    assert [item.record for item in again] == [item.record for item in whole]
    for path in (tmp_path / "whole").iterdir():
        assert path.read_bytes() == (tmp_path / "half" / path.name).read_bytes()


@pytest.mark.parametrize("change", ["lost", "cut", "empty", "other output", "other photo"])
def test_results_that_are_not_whole_or_not_of_this_photo_are_made_anew(
    tmp_path, astronaut, model, change
):
    boxes, out = {"astronaut": [BOX]}, tmp_path / "out"
    run_batch([astronaut], out, model, boxes=boxes)
    save, photo, record = "landmarks", astronaut, out / "astronaut.json"
    if change == "empty":
        (out / "astronaut_kpt.txt").write_bytes(b"")
    elif change == "lost":
        (out / "astronaut_kpt.txt").unlink()
    elif change == "cut":
        record.write_text(record.read_text()[:100])
    elif change == "other output":
        save = "landmarks,pose"
    else:
        content = json.loads(record.read_text())
        content["options"]["photo_sha256"] = "0" * 64
        record.write_text(json.dumps(content))
    options = {"model": model, "boxes": boxes, "save": save, "skip_existing": True}
    (item,) = reconstruct([photo], out, **options)
    assert not item.is_old and item.error is None
    (item,) = reconstruct([photo], out, **options)
    assert item.is_old


@pytest.mark.parametrize("ending", [".obj", ".mtl", ".glb", "_texture.png"])
def test_results_are_whole_if_every_file_of_them_is(tmp_path, astronaut, model, ending):
    def run():
        options = {"model": model, "boxes": {"astronaut": [BOX]}, "skip_existing": True}
        (item,) = reconstruct(astronaut, tmp_path / "out", save="mesh", **options)
        return item.is_old

    run()
    file = tmp_path / "out" / f"astronaut{ending}"
    whole = file.read_bytes()
    for damaged in (None, whole[:-1]):
        file.unlink() if damaged is None else file.write_bytes(damaged)
        assert [run(), run()] == [False, True] and file.read_bytes() == whole


def test_results_of_a_photo_from_the_future_are_kept(tmp_path, astronaut, model):
    """Cameras' clocks are wrong at times; what counts is the content."""
    options = {"boxes": {"astronaut": [BOX]}, "skip_existing": True}
    os.utime(astronaut, (4e9, 4e9))
    assert [run_batch([astronaut], tmp_path, model, **options)[0].is_old for _ in "12"] == [
        False,
        True,
    ]


def test_whole_results_in_a_folder_that_is_only_read_are_kept(
    tmp_path, astronaut, model, monkeypatch
):
    """Their record cannot be told the photo's new place; they failed for that."""

    def refuse(*_):
        raise InputError("read-only")

    options = {"boxes": {"astronaut": [BOX]}, "skip_existing": True}
    assert run_batch([astronaut], tmp_path / "out", model, **options)[0].error is None
    moved = tmp_path / "moved" / astronaut.name
    moved.parent.mkdir()
    moved.write_bytes(astronaut.read_bytes())
    astronaut.unlink()
    monkeypatch.setattr("uvface.core.batch.follow_photo", refuse)
    again = run_batch([moved], tmp_path / "out", model, **options)[0]
    assert again.error is None and again.is_old


@pytest.mark.parametrize(
    "change",
    [{"boxes": {"astronaut": [[180.0, 75, 268, 185]]}}, {"texture_size": 64}, {"faces": 0}],
)
def test_results_of_other_options_are_made_anew(tmp_path, astronaut, model, change):
    options = {"boxes": {"astronaut": [BOX]}, "skip_existing": True, "save": "visibility"}
    run_batch([astronaut], tmp_path / "out", model, **options)
    (item,) = run_batch([astronaut], tmp_path / "out", model, **options)
    assert item.is_old
    (item,) = run_batch([astronaut], tmp_path / "out", model, **(options | change))
    assert not item.is_old


def test_results_of_other_weights_of_the_same_network_are_made_anew(tmp_path, astronaut, model):
    options = {"boxes": {"astronaut": [BOX]}, "skip_existing": True}
    run_batch([astronaut], tmp_path / "out", model, **options)
    other = dataclasses.replace(model, weights_sha256="0" * 64)
    (item,) = run_batch([astronaut], tmp_path / "out", other, **options)
    assert not item.is_old


def test_results_read_in_another_way_are_made_anew(tmp_path, astronaut, model):
    options = {"boxes": {"astronaut": [BOX]}, "skip_existing": True}
    run_batch([astronaut], tmp_path / "out", model, **options)
    other = dataclasses.replace(model, config=ReconstructConfig(mirror=False))
    (item,) = run_batch([astronaut], tmp_path / "out", other, **options)
    assert not item.is_old


def test_results_of_another_version_are_made_anew(tmp_path, astronaut, model, monkeypatch):
    options = {"boxes": {"astronaut": [BOX]}, "skip_existing": True}
    with monkeypatch.context() as patch:
        patch.setattr("uvface.core.batch.software_name", lambda: "uvface 0.0")
        for is_old in (False, True):
            (item,) = run_batch([astronaut], tmp_path / "out", model, **options)
            assert item.is_old is is_old
    (item,) = run_batch([astronaut], tmp_path / "out", model, **options)
    assert not item.is_old


def test_another_detector_looks_again_unless_the_boxes_are_given(tmp_path, astronaut, model):
    blind = dataclasses.replace(model, detector=Blind())
    for given, found in (({}, 0), ({"boxes": {"astronaut": [BOX]}}, 1)):
        out, options = tmp_path / f"{found}", {"skip_existing": True, **given}
        (item,) = run_batch([astronaut], out, blind, **options)
        assert item.count == found
        (item,) = run_batch([astronaut], out, blind, **options)
        assert item.is_old
        (item,) = run_batch([astronaut], out, model, **options)
        assert (item.is_old, item.count) == (bool(given), 1)


def test_results_are_known_by_the_photo_s_content(tmp_path, astronaut, model, monkeypatch):
    options = {"boxes": {"astronaut": [BOX]}, "skip_existing": True}
    monkeypatch.chdir(tmp_path)
    run_batch(["astronaut.png"], "out", model, **options)
    (item,) = run_batch([astronaut], "out", model, **options)
    assert item.is_old and item.record["image"] == str(astronaut)
    other = tmp_path / "elsewhere" / "astronaut.png"
    other.parent.mkdir()
    cv2.imwrite(str(other), cv2.imread(str(astronaut))[:, ::-1])
    os.utime(other, (1, 1))
    monkeypatch.chdir(other.parent)
    before = contents(tmp_path / "out")
    for is_skipping in (True, False):  # of the same name, seen from here, and yet another photo
        options |= {"skip_existing": is_skipping}
        (item,) = run_batch(["astronaut.png"], tmp_path / "out", model, **options)
        assert item.error is not None and "the result of another photo" in item.error
    assert contents(tmp_path / "out") == before


def test_results_that_are_kept_follow_their_photo(tmp_path, astronaut, model):
    """After its folder was renamed they were kept, and refused for good when it was edited."""
    boxes, folders = {"astronaut": [BOX]}, (tmp_path / "old", tmp_path / "new")
    folders[0].mkdir()
    photo = astronaut.rename(folders[0] / astronaut.name)
    run_batch([photo], tmp_path / "out", model, boxes=boxes)
    before = contents(tmp_path / "out")
    folders[0].rename(folders[1])
    photo = folders[1] / photo.name
    (item,) = run_batch([photo], tmp_path / "out", model, boxes=boxes, skip_existing=True)
    text = (tmp_path / "out" / "astronaut.json").read_bytes()
    assert item.is_old and text == before["astronaut.json"].replace(b"/old/", b"/new/")
    cv2.imwrite(str(photo), cv2.imread(str(photo))[:, ::-1])
    (item,) = run_batch([photo], tmp_path / "out", model, boxes=boxes, skip_existing=True)
    assert item.error is None and not item.is_old
