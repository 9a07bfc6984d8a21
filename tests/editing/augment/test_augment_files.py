"""Folders of varied faces: the same bytes again, labels that fit, stops and bad inputs."""

import json
from pathlib import Path

import cv2
import jax.numpy as jnp
import numpy as np
import pytest
import toy_faces
from pycocotools.coco import COCO
from toy_models import ToyModel, toy_group

import uvface
from uvface.cli import main
from uvface.core.errors import InputError
from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.io.images import write_image
from uvface.core.io.provenance import read_provenance
from uvface.editing.augment import pictures as augment_pictures
from uvface.editing.augment.files import augment
from uvface.editing.augment.recipe import SUBJECTS
from uvface.editing.reshape.deform import PROPORTIONS

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "photos"


class _Model(ToyModel):
    weights_sha256 = "toy"


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name, seed in (("anna", 1), ("ben", 2)):
        write_image(folder / f"{name}.png", toy_faces.toy_photo(seed)[0])
    write_image(folder / "two.png", toy_group((1, 3))[0])
    write_image(folder / "wall.png", np.full((90, 90, 3), 0.5, np.float32))
    return folder


def _augment(photos, output, **options):
    model = _Model(groups=[(1, 3)])
    return list(augment(photos, output, model=model, **{"count": 2} | options))


def _content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def whole(photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    items = _augment([photos / "anna.png", photos / "ben.png"], folder)
    assert [(item.count, item.error) for item in items] == [(1, None)] * 2
    return folder


def test_every_picture_has_its_files_and_says_that_it_is_synthetic(whole):
    stems = [f"{name}_{number:03d}" for name in ("anna", "ben") for number in (0, 1)]
    endings = (".png", ".png.json", "_posmap.npz")
    expected = {f"{stem}{ending}" for stem in stems for ending in endings} | {"labels.json"}
    assert set(_content(whole)) == expected
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


def test_the_same_bytes_again_whatever_else_is_made(whole, photos, tmp_path):
    again, other = tmp_path / "again", tmp_path / "other"
    _augment(photos / "ben.png", again, count=1)
    same = _content(again)
    assert all(
        (whole / name).read_bytes() == text for name, text in same.items() if name != "labels.json"
    )
    _augment(photos / "ben.png", other, count=1, seed=1)
    assert (other / "ben_000.png").read_bytes() != (whole / "ben_000.png").read_bytes()


def test_a_stopped_run_tells_the_truth_and_goes_on(whole, photos, tmp_path):
    out, files = tmp_path / "out", [photos / "anna.png", photos / "ben.png"]
    run = augment(files, out, model=_Model(), count=2)
    next(run)
    run.close()  # as when the user stops it
    assert len(COCO(str(out / "labels.json")).imgs) == 2
    # Labels of pictures that are being made anew are not there, whatever ends the run.
    run = augment(files, out, model=_Model(), count=2, seed=9)
    next(run)
    assert not (out / "labels.json").exists()
    run.close()
    labels = json.loads((out / "labels.json").read_text())["annotations"]
    assert [label["source"]["seed"] for label in labels] == [9, 9]
    _augment(files[0], out)
    # As when it is killed: a picture without its sidecar, a broken one, no labels.
    (out / "labels.json").unlink()
    (out / "anna_000.png.json").unlink()
    (out / "anna_001_posmap.npz").write_bytes(b"half")
    made = _augment(files, out, skip_existing=True)
    assert [item.is_old for item in made] == [False, False]
    assert _content(out) == _content(whole)
    times = {path: path.stat().st_mtime_ns for path in out.glob("*_0*")}
    kept = _augment(files, out, skip_existing=True)
    assert [item.is_old for item in kept] == [True, True] and kept[0].count == 1
    assert _content(out) == _content(whole)
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())


def test_kept_are_only_pictures_of_the_same_photo_and_options(whole, photos, tmp_path):
    photo, out = photos / "anna.png", tmp_path / "out"
    first = _augment(photo, out, count=1)
    assert first[0].record["faces"][0]["pictures"][0]["file"] == "anna_000.png"
    for options in ({"seed": 3}, {"vary": "light"}, {"max_yaw": 20}):
        before = _content(out)
        (item,) = _augment(photo, out, count=1, skip_existing=True, **options)
        assert not item.is_old and _content(out)["anna_000.png"] != before["anna_000.png"]
    label = json.loads((out / "labels.json").read_text())["annotations"][0]
    assert label["varied"].keys() == set(SUBJECTS) - {"expression"}  # not of the toy layout
    (out / "anna_000.png").write_bytes((whole / "anna_001.png").read_bytes())
    (item,) = _augment(photo, out, count=1, skip_existing=True, max_yaw=20)
    assert not item.is_old and _content(out) == before | _content(out)


def test_a_picture_that_was_changed_is_not_labelled(photos, tmp_path):
    _augment(photos / "anna.png", tmp_path)
    cv2.imwrite(str(tmp_path / "anna_000.png"), np.zeros((320, 320, 3), np.uint8))
    _augment(photos / "ben.png", tmp_path, count=1)
    pictures = json.loads((tmp_path / "labels.json").read_text())["images"]
    assert [picture["file_name"] for picture in pictures] == ["anna_001.png", "ben_000.png"]


def test_several_faces_are_numbered_and_kept(photos, tmp_path):
    (item,) = _augment(photos / "two.png", tmp_path, count=1, faces="all")
    assert item.count == 2
    assert {path.name for path in tmp_path.glob("*.png")} == {"two_0_000.png", "two_1_000.png"}
    (item,) = _augment(photos / "two.png", tmp_path, count=1, faces="all", skip_existing=True)
    assert item.is_old and item.count == 2


def test_of_a_group_the_chosen_face_alone_is_read(photos, tmp_path):
    model = _Model(groups=[(1, 3)])
    (item,) = augment(photos / "two.png", tmp_path, model=model, count=1, faces="right")
    assert item.error is None and model.calls == ["right"]


def test_a_face_has_its_number_and_its_pictures_however_it_is_chosen(photos, tmp_path):
    """The number was that among the chosen faces: 0 of one, wherever it stands."""

    def made(faces, stem):
        options = {"count": 1, "vary": "light", "faces": faces}
        _augment(photos / "two.png", tmp_path / f"{faces}", **options)
        (item,) = _augment(photos / "two.png", tmp_path / f"{faces}", skip_existing=True, **options)
        assert item.is_old
        picture = tmp_path / f"{faces}" / f"{stem}_000.png"
        record = json.loads(picture.with_name(f"{picture.name}.json").read_text())
        assert record["label"]["source"]["face"] == 1
        return picture.read_bytes()

    assert made("all", "two_1") == made("right", "two") == made(1, "two")


def test_pictures_of_another_detector_are_made_again_where_it_was_asked(photos, tmp_path):
    """It says where the face is: in other boxes other pictures are made."""
    model, boxes = _Model(), {"anna": [[10, 10, 110, 110]]}

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


def test_bad_photos_do_not_end_a_batch(photos, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    out = tmp_path / "out"
    given = [broken, photos / "wall.png", tmp_path / "no.png", photos / "anna.png"]
    items = _augment(given, out, count=1)
    assert [item.error is None for item in items] == [False, False, False, True]
    assert "broken.jpg" in items[0].error and "no face found in wall.png" in items[1].error
    assert {path.name for path in out.glob("*.png")} == {"anna_000.png"}


def test_labels_and_pictures_of_others_stay(photos, tmp_path):
    own = {"labels.json": b'{"images": [], "annotations": []}', "ben_000.png": b"a photo"}
    for name, content in own.items():
        folder = tmp_path / Path(name).stem
        folder.mkdir()
        (folder / name).write_bytes(content)
    with pytest.raises(InputError, match="was not made by augment"):
        _augment(photos / "ben.png", tmp_path / "labels", count=1)
    items = _augment([photos / "ben.png", photos / "anna.png"], tmp_path / "ben_000", count=1)
    assert "was not made by augment" in items[0].error and items[1].error is None
    for name, content in own.items():
        assert (tmp_path / Path(name).stem / name).read_bytes() == content


def test_position_maps_of_others_stay(photos, tmp_path):
    """They were written over, such as that of a photo ben_000.png of a reconstruction."""
    posmap = tmp_path / "ben_000_posmap.npz"
    posmap.write_bytes(b"of others")
    refused, made = _augment([photos / "ben.png", photos / "anna.png"], tmp_path, count=1)
    assert refused.error == (
        f"{posmap} is there without a picture of augment; remove it, or choose another folder"
    )
    assert made.error is None and posmap.read_bytes() == b"of others"
    assert not list(tmp_path.glob("ben_000.png*"))


def test_a_photo_s_name_that_is_too_long_is_said_to_be(photos, tmp_path):
    """The sidecar's was said to be, which cannot be left out; the position map's is longer."""
    for count in (241, 244, 247):  # too long for the position map, for the sidecar too, for all
        photo = tmp_path / f"{'b' * count}.png"
        photo.write_bytes((photos / "ben.png").read_bytes())
        (refused,) = _augment(photo, tmp_path / "out", count=1)
        said = f"{photo.stem}_000_posmap.npz: the name is too long for a file; give the photo a"
        assert f"{said} shorter one" in refused.error
    (made,) = _augment(photos / "ben.png", tmp_path / "out", count=1)
    assert made.error is None


def test_an_input_to_which_a_position_map_leads_stays(photos, tmp_path):
    """Of an earlier picture's files only the picture was looked at."""
    photo, out = tmp_path / "ben.png", tmp_path / "out"
    photo.write_bytes((photos / "ben.png").read_bytes())
    _augment(photo, out, count=1)
    (out / "ben_000_posmap.npz").unlink()
    (out / "ben_000_posmap.npz").symlink_to(photo)
    (refused,) = _augment(photo, out, count=1)
    assert "ben_000_posmap.npz would overwrite an input" in refused.error
    assert photo.read_bytes() == (photos / "ben.png").read_bytes()


@pytest.mark.parametrize("writer", ["write_image", "write_bytes_atomic", "write_sidecar"])
def test_a_run_that_is_killed_at_a_file_goes_on(photos, tmp_path, monkeypatch, writer):
    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(augment_pictures, writer, die)
        _augment(photos / "ben.png", tmp_path, count=1)
    (item,) = _augment(photos / "ben.png", tmp_path, count=1, skip_existing=True)
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
        _augment(tmp_path, tmp_path, count=1)
    assert (tmp_path / "ben_000.png").is_file() and not (tmp_path / "ben_000.png.json").exists()
    (item,) = _augment(tmp_path, tmp_path, count=1, skip_existing=True)
    names = {"ben_000.png", "ben_000.png.json", "ben_000_posmap.npz", "labels.json", "ben.png"}
    assert item.error is None and {path.name for path in tmp_path.iterdir()} == names


def test_a_run_of_which_nothing_comes_leaves_no_folder(photos, tmp_path):
    """An empty folder was left, and its parents."""
    (item,) = _augment(tmp_path / "missing.png", tmp_path / "a" / "b")
    assert "does not exist" in item.error and not (tmp_path / "a").exists()
    (tmp_path / "own").mkdir()
    _augment(photos / "wall.png", tmp_path / "own" / "new")
    assert list((tmp_path / "own").iterdir()) == []  # it stood there before


def test_a_run_of_which_nobody_takes_an_item_leaves_no_folder(photos, tmp_path):
    run = augment(photos, tmp_path / "new/out", model=_Model(groups=[(1, 3)]), count=1)
    assert not (tmp_path / "new").exists()
    assert next(run).error is None and (tmp_path / "new/out").is_dir()


def test_a_picture_left_without_a_sidecar_by_a_stopped_run_is_made_again(photos, tmp_path):
    _augment(photos / "anna.png", tmp_path, count=1)
    (tmp_path / "anna_000.png.json").unlink()
    (item,) = _augment(photos / "anna.png", tmp_path, count=1, skip_existing=True)
    assert item.error is None and (tmp_path / "anna_000.png.json").is_file()


@pytest.mark.parametrize("change", [{"label": None}, {"settings": []}])
def test_sidecars_that_were_changed_cost_their_own_picture_only(photos, tmp_path, change):
    """They ended the run with a traceback, and no picture of the folder had a label."""
    _augment(photos / "anna.png", tmp_path, vary="light")
    path = tmp_path / "anna_000.png.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    _augment(photos / "ben.png", tmp_path, count=1, vary="light")
    named = {
        one["file_name"] for one in json.loads((tmp_path / "labels.json").read_text())["images"]
    }
    assert named >= {"anna_001.png", "ben_000.png"}
    (item,) = _augment(photos / "anna.png", tmp_path, vary="light", skip_existing=True)
    assert item.error is None and not item.is_old
    told = json.loads(path.read_text())
    assert isinstance(told["label"], dict) and told["settings"]["vary"] == ["light"]


def test_no_input_and_no_other_photo_s_picture_is_overwritten(photos, tmp_path):
    for name, seed in (("a", 1), ("a_000", 2)):
        write_image(tmp_path / f"{name}.png", toy_faces.toy_photo(seed)[0])
    items = _augment([tmp_path / "a.png", tmp_path / "a_000.png"], tmp_path, count=1)
    assert "would overwrite an input" in items[0].error and items[1].error is None
    # Pictures of an earlier run are no photos of the next one.
    again = _augment(tmp_path, tmp_path, count=1)
    assert [item.photo.name for item in again] == ["a.png", "a_000.png"]
    write_image(tmp_path / "other" / "anna.png", toy_faces.toy_photo(2)[0])
    twice = [photos / "anna.png", tmp_path / "other" / "anna.png"]
    items = _augment(twice, tmp_path / "out", count=1)
    assert items[0].error is None and "would overwrite pictures of" in items[1].error
    with pytest.raises(InputError, match="made by an earlier run"):
        _augment(tmp_path / "out" / "anna_000.png", tmp_path / "out")


@pytest.mark.parametrize(
    ("vary", "instead"),
    [("expression", "choose another subject"), ("pose,expression,light", "vary pose,light")],
)
def test_expressions_that_a_layout_does_not_know_are_refused(photos, tmp_path, vary, instead):
    """Those of PRNet's released weights are such: every picture had the photo's expression."""
    with pytest.raises(InputError, match=f"no expressions; {instead}$"):
        _augment(photos / "anna.png", tmp_path / "out", vary=vary)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options",
    [
        {"count": 0},
        {"max_yaw": 80.0},
        {"vary": "hats"},
        {"max_yaw": float("nan")},
        {"max_yaw": 20, "vary": "light"},
    ],
)
def test_options_are_checked_before_anything_is_made(photos, tmp_path, options):
    with pytest.raises(InputError, match=r"choose from|need a (whole )?number|is for pose; vary"):
        _augment(photos / "anna.png", tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["-o", "out", "-n", "0"], 2),
        (["-o", "out", "--vary", "pose,hats"], 2),
        (["-o", "out", "--max-yaw", "90"], 2),
        (["-o", "photo.png"], 2),
        ([], 2),
        (["-o", "photo.png/out"], 1),
    ],
)
@pytest.mark.weights
def test_wrong_usage_and_unwritable_folders(arguments, code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_image("photo.png", np.full((90, 90, 3), 0.5, np.float32))
    assert main(["augment", "photo.png", *arguments]) == code
    error = capsys.readouterr().err
    assert error and [path.name for path in tmp_path.iterdir()] == ["photo.png"]
    if code == 1:
        assert error.startswith("error: cannot make the folder") and error.count("\n") == 1


def test_a_folder_without_the_right_to_write_is_one_error(photos, tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(InputError, match="cannot write to the folder"):
        _augment(photos / "anna.png", tmp_path)


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
