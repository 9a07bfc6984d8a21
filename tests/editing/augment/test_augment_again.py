"""Runs of augment that are repeated, stopped or killed: the same bytes again."""

import json

import cv2
import numpy as np
import pytest
from augments import AugmentModel, augment_toys, content
from pycocotools.coco import COCO

from uvface.editing.augment import pictures as augment_pictures
from uvface.editing.augment.files import augment
from uvface.editing.augment.recipe import SUBJECTS


def test_the_same_bytes_again_whatever_else_is_made(whole, photos, tmp_path):
    again, other = tmp_path / "again", tmp_path / "other"
    augment_toys(photos / "ben.png", again, count=1)
    same = content(again)
    assert all(
        (whole / name).read_bytes() == text for name, text in same.items() if name != "labels.json"
    )
    augment_toys(photos / "ben.png", other, count=1, seed=1)
    assert (other / "ben_000.png").read_bytes() != (whole / "ben_000.png").read_bytes()


def test_a_stopped_run_tells_the_truth_and_goes_on(whole, photos, tmp_path):
    out, files = tmp_path / "out", [photos / "anna.png", photos / "ben.png"]
    run = augment(files, out, model=AugmentModel(), count=2)
    next(run)
    run.close()  # as when the user stops it
    assert len(COCO(str(out / "labels.json")).imgs) == 2
    # Labels of pictures that are being made anew are not there, whatever ends the run.
    run = augment(files, out, model=AugmentModel(), count=2, seed=9)
    next(run)
    assert not (out / "labels.json").exists()
    run.close()
    labels = json.loads((out / "labels.json").read_text())["annotations"]
    assert [label["source"]["seed"] for label in labels] == [9, 9]
    augment_toys(files[0], out)
    # As when it is killed: a picture without its sidecar, a broken one, no labels.
    (out / "labels.json").unlink()
    (out / "anna_000.png.json").unlink()
    (out / "anna_001_posmap.npz").write_bytes(b"half")
    made = augment_toys(files, out, skip_existing=True)
    assert [item.is_old for item in made] == [False, False]
    assert content(out) == content(whole)
    times = {path: path.stat().st_mtime_ns for path in out.glob("*_0*")}
    kept = augment_toys(files, out, skip_existing=True)
    assert [item.is_old for item in kept] == [True, True] and kept[0].count == 1
    assert content(out) == content(whole)
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())


def test_kept_are_only_pictures_of_the_same_photo_and_options(whole, photos, tmp_path):
    photo, out = photos / "anna.png", tmp_path / "out"
    first = augment_toys(photo, out, count=1)
    assert first[0].record["faces"][0]["pictures"][0]["file"] == "anna_000.png"
    for options in ({"seed": 3}, {"vary": "light"}, {"max_yaw": 20}):
        before = content(out)
        (item,) = augment_toys(photo, out, count=1, skip_existing=True, **options)
        assert not item.is_old and content(out)["anna_000.png"] != before["anna_000.png"]
    label = json.loads((out / "labels.json").read_text())["annotations"][0]
    assert label["varied"].keys() == set(SUBJECTS) - {"expression"}  # not of the toy layout
    (out / "anna_000.png").write_bytes((whole / "anna_001.png").read_bytes())
    (item,) = augment_toys(photo, out, count=1, skip_existing=True, max_yaw=20)
    assert not item.is_old and content(out) == before | content(out)


def test_a_picture_that_was_changed_is_not_labelled(photos, tmp_path):
    augment_toys(photos / "anna.png", tmp_path)
    cv2.imwrite(str(tmp_path / "anna_000.png"), np.zeros((320, 320, 3), np.uint8))
    augment_toys(photos / "ben.png", tmp_path, count=1)
    pictures = json.loads((tmp_path / "labels.json").read_text())["images"]
    assert [picture["file_name"] for picture in pictures] == ["anna_001.png", "ben_000.png"]


def test_several_faces_are_numbered_and_kept(photos, tmp_path):
    (item,) = augment_toys(photos / "two.png", tmp_path, count=1, faces="all")
    assert item.count == 2
    assert {path.name for path in tmp_path.glob("*.png")} == {"two_0_000.png", "two_1_000.png"}
    (item,) = augment_toys(photos / "two.png", tmp_path, count=1, faces="all", skip_existing=True)
    assert item.is_old and item.count == 2


def test_pictures_of_another_detector_are_made_again_where_it_was_asked(photos, tmp_path):
    """It says where the face is: in other boxes other pictures are made."""
    model, boxes = AugmentModel(), {"anna": [[10, 10, 110, 110]]}

    def is_kept(boxes=None):
        options = {"model": model, "count": 1, "boxes": boxes, "skip_existing": True}
        (item,) = augment(photos / "anna.png", tmp_path, **options)
        return item.is_old

    assert [is_kept(), is_kept()] == [False, True]
    object.__setattr__(model, "detector_name", "another")
    assert [is_kept(), is_kept()] == [False, True]
    assert [is_kept(boxes), is_kept(boxes)] == [False, True]
    object.__setattr__(model, "detector_name", "a third")
    assert is_kept(boxes)


@pytest.mark.parametrize("writer", ["write_image", "write_bytes_atomic", "write_sidecar"])
def test_a_run_that_is_killed_at_a_file_goes_on(photos, tmp_path, monkeypatch, writer):
    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(augment_pictures, writer, die)
        augment_toys(photos / "ben.png", tmp_path, count=1)
    (item,) = augment_toys(photos / "ben.png", tmp_path, count=1, skip_existing=True)
    names = {"ben_000.png", "ben_000.png.json", "ben_000_posmap.npz", "labels.json"}
    assert item.error is None and {path.name for path in tmp_path.iterdir()} == names


@pytest.mark.parametrize("writer", ["write_bytes_atomic", "write_sidecar"])
def test_a_run_into_the_photos_folder_that_is_killed_goes_on(photos, tmp_path, monkeypatch, writer):
    """The picture that was left without a sidecar counted as a photo."""
    (tmp_path / "ben.png").write_bytes((photos / "ben.png").read_bytes())

    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(augment_pictures, writer, die)
        augment_toys(tmp_path, tmp_path, count=1)
    assert (tmp_path / "ben_000.png").is_file() and not (tmp_path / "ben_000.png.json").exists()
    (item,) = augment_toys(tmp_path, tmp_path, count=1, skip_existing=True)
    names = {"ben_000.png", "ben_000.png.json", "ben_000_posmap.npz", "labels.json", "ben.png"}
    assert item.error is None and {path.name for path in tmp_path.iterdir()} == names


def test_a_picture_left_without_a_sidecar_by_a_stopped_run_is_made_again(photos, tmp_path):
    augment_toys(photos / "anna.png", tmp_path, count=1)
    (tmp_path / "anna_000.png.json").unlink()
    (item,) = augment_toys(photos / "anna.png", tmp_path, count=1, skip_existing=True)
    assert item.error is None and (tmp_path / "anna_000.png.json").is_file()


@pytest.mark.parametrize("change", [{"label": None}, {"settings": []}])
def test_sidecars_that_were_changed_cost_their_own_picture_only(photos, tmp_path, change):
    """They ended the run with a traceback, and no picture of the folder had a label."""
    augment_toys(photos / "anna.png", tmp_path, vary="light")
    path = tmp_path / "anna_000.png.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    augment_toys(photos / "ben.png", tmp_path, count=1, vary="light")
    named = {
        one["file_name"] for one in json.loads((tmp_path / "labels.json").read_text())["images"]
    }
    assert named >= {"anna_001.png", "ben_000.png"}
    (item,) = augment_toys(photos / "anna.png", tmp_path, vary="light", skip_existing=True)
    assert item.error is None and not item.is_old
    told = json.loads(path.read_text())
    assert isinstance(told["label"], dict) and told["settings"]["vary"] == ["light"]
