"""A batch: boxes, crops, what is skipped, what a stop leaves, and its contact sheet."""

import dataclasses
import json
import os
from pathlib import Path

import cv2
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.io
import skimage.data

from uvface.core.batch import _Names, output_names, reconstruct
from uvface.core.errors import InputError
from uvface.core.find_photos import find_photos
from uvface.core.geometry.crop import box_of_picture, crop_box, extract_crop
from uvface.core.io import contact_sheet
from uvface.core.io.boxes import read_boxes
from uvface.core.io.contact_sheet import TILE, draw_contact_sheet
from uvface.core.io.results import OUTPUTS
from uvface.core.reconstruct import ReconstructConfig, load

BOX = [177.0, 71.0, 271.0, 188.0]

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def model():
    return load()


@pytest.fixture
def astronaut(tmp_path):
    path = tmp_path / "astronaut.png"
    cv2.imwrite(str(path), skimage.data.astronaut()[..., ::-1])
    return path


def _contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _run(photos, output, model, **options):
    return list(reconstruct(photos, output, model=model, save="landmarks", **options))


@pytest.mark.parametrize("shape", [(256, 256), (100, 100), (120, 200), (333, 57)])
def test_crop_of_a_whole_picture_is_the_square_around_it(shape):
    photo_from_crop = crop_box(box_of_picture(*shape))
    side = max(shape)
    assert float(photo_from_crop.scale) == pytest.approx(side / 256)
    first = photo_from_crop.apply(jnp.array([-0.5, -0.5]))
    last = photo_from_crop.apply(jnp.array([255.5, 255.5]))
    middle = np.array([shape[1] - 1, shape[0] - 1]) / 2
    np.testing.assert_allclose(first, middle - side / 2, atol=1e-3)
    np.testing.assert_allclose(last, middle + side / 2, atol=1e-3)


def test_pre_cropped_picture_gives_the_same_face_as_its_photo(tmp_path, astronaut, model):
    photo_from_crop = crop_box(jnp.array(BOX))
    image = skimage.data.astronaut().astype(np.float32) / 255
    crop = extract_crop(image, photo_from_crop, 256)
    path = tmp_path / "crop.png"
    cv2.imwrite(str(path), np.rint(crop[..., ::-1] * 255).astype(np.uint8))
    (whole,) = _run([astronaut], tmp_path / "a", model, boxes={"astronaut.png": [BOX]})
    (small,) = _run([path], tmp_path / "b", model, cropped=True)
    (face,) = small.record["faces"]
    expected = photo_from_crop.inverse().apply(
        jnp.asarray(whole.record["faces"][0]["landmarks"], jnp.float32)
    )
    far = np.asarray(face["landmarks"])[:, :2] - np.asarray(expected)[:, :2]
    assert np.abs(far).max() < 1.0  # crop pixels; both were cut at slightly other places
    with pytest.raises(InputError, match="cropped"):
        _run([path], tmp_path / "c", model, cropped=True, boxes={"crop": [BOX]})


def test_boxes_from_a_folder_of_results(tmp_path, astronaut, model):
    (first,) = _run([astronaut], tmp_path / "a", model, boxes={"astronaut": [BOX]})
    (again,) = _run(
        [astronaut], tmp_path / "b", model, boxes=read_boxes(tmp_path / "a", [astronaut])
    )
    points = np.asarray(first.record["faces"][0]["landmarks"])[:, :2]
    np.testing.assert_allclose(
        again.record["faces"][0]["box"], [*points.min(axis=0), *points.max(axis=0)], atol=1e-2
    )


def test_a_damaged_landmark_file_fails_its_photo_and_no_other(tmp_path, astronaut, model):
    other = tmp_path / "other.png"
    other.write_bytes(astronaut.read_bytes())
    folder = tmp_path / "landmarks"
    folder.mkdir()
    (folder / "astronaut.json").write_text('{"faces": ')
    corners = np.array([[177.0, 71], [271, 71], [177, 188], [271, 188], [224, 130]])
    np.savetxt(folder / "other.txt", corners)
    boxes = read_boxes(folder, [astronaut, other])
    for options in ({}, {"skip_existing": True}):
        photos = [astronaut, other]
        failed, done = _run(photos, tmp_path / "out", model, boxes=boxes, **options)
        assert failed.error is not None and "cannot read landmarks" in failed.error
        assert (
            failed.record["error"] == failed.error
            and not (tmp_path / "out/astronaut.json").exists()
        )
        assert done.error is None and done.record["faces"][0]["box"] == BOX


def test_a_stopped_batch_goes_on_and_gives_what_a_whole_one_gives(tmp_path, astronaut, model):
    other = tmp_path / "other.png"
    cv2.imwrite(str(other), cv2.imread(str(astronaut))[:, ::-1])
    photos, boxes = [astronaut, other], {"astronaut": [BOX], "other": [[240.0, 71, 334, 188]]}
    whole = _run(photos, tmp_path / "whole", model, boxes=boxes)
    items = reconstruct(photos, tmp_path / "half", model=model, save="landmarks", boxes=boxes)
    next(items)  # and no more: the batch was stopped
    again = _run(photos, tmp_path / "half", model, boxes=boxes, skip_existing=True)
    assert [item.is_old for item in again] == [True, False]
    assert [item.record for item in again] == [item.record for item in whole]
    for path in (tmp_path / "whole").iterdir():
        assert path.read_bytes() == (tmp_path / "half" / path.name).read_bytes()


@pytest.mark.parametrize("change", ["lost", "cut", "empty", "other output", "other photo"])
def test_results_that_are_not_whole_or_not_of_this_photo_are_made_anew(
    tmp_path, astronaut, model, change
):
    boxes, out = {"astronaut": [BOX]}, tmp_path / "out"
    _run([astronaut], out, model, boxes=boxes)
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
    assert [_run([astronaut], tmp_path, model, **options)[0].is_old for _ in "12"] == [False, True]


def test_whole_results_in_a_folder_that_is_only_read_are_kept(
    tmp_path, astronaut, model, monkeypatch
):
    """Their record cannot be told the photo's new place; they failed for that."""

    def refuse(*_):
        raise InputError("read-only")

    options = {"boxes": {"astronaut": [BOX]}, "skip_existing": True}
    assert _run([astronaut], tmp_path / "out", model, **options)[0].error is None
    moved = tmp_path / "moved" / astronaut.name
    moved.parent.mkdir()
    moved.write_bytes(astronaut.read_bytes())
    astronaut.unlink()
    monkeypatch.setattr("uvface.core.batch.follow_photo", refuse)
    again = _run([moved], tmp_path / "out", model, **options)[0]
    assert again.error is None and again.is_old


def test_photos_of_one_name_do_not_overwrite_each_other(tmp_path, astronaut, model):
    twin = tmp_path / "elsewhere" / "astronaut.jpg"
    twin.parent.mkdir()
    cv2.imwrite(str(twin), cv2.imread(str(astronaut))[:, ::-1])
    first, second = _run([astronaut, twin], tmp_path / "out", model, boxes={"astronaut": [BOX]})
    assert first.error is None
    assert second.error is not None and "overwrite" in second.error
    record = json.loads((tmp_path / "out" / "astronaut.json").read_text())
    assert record["image"] == str(astronaut)


def test_unknown_output_is_named():
    with pytest.raises(InputError, match="'mash'"):
        output_names("landmarks,mash")
    with pytest.raises(InputError, match="'mash'"):
        output_names("all,mash")
    assert output_names("pose,frontal", also=["frontal", "canonical"]) == (
        "pose",
        "frontal",
        "canonical",
    )


def test_contact_sheet_has_a_tile_for_every_face_and_every_failure(tmp_path, astronaut, model):
    grey, broken = tmp_path / "grey.png", tmp_path / "broken.png"
    cv2.imwrite(str(grey), np.full((80, 120, 3), 200, np.uint8))
    broken.write_bytes(b"no picture")
    boxes = {"astronaut": [BOX, [180.0, 75, 268, 185]], "grey": []}
    items = _run([astronaut, grey, broken], tmp_path / "out", model, boxes=boxes)
    sheet = draw_contact_sheet([item.record for item in items])
    assert sheet.shape == (2 * TILE, 2 * TILE, 3)
    tiles = [sheet[y : y + TILE, x : x + TILE] for y in (0, TILE) for x in (0, TILE)]
    green = [((t[..., 1] > 229) & (t[..., 0] < 179)).sum() for t in tiles]  # drawn landmarks
    assert min(green[:2]) > 200 and max(green[2:]) == 0
    assert np.median(tiles[2][:100, :200]) == pytest.approx(200, abs=2)
    assert draw_contact_sheet([]).shape == (TILE, TILE, 3)
    nameless = {"image": os.fsdecode(b"a\xff.png"), "error": "not UTF-8"}
    assert draw_contact_sheet([nameless]).max() > 229


def test_a_large_contact_sheet_is_shrunk_to_what_files_and_memory_hold(tmp_path, monkeypatch):
    """A WebP holds 16,383 pixels: it failed after a batch of 4,100 faces was done."""
    monkeypatch.setattr(contact_sheet, "_LARGEST", 700)
    records = [{"image": f"{k}.jpg", "error": "failed"} for k in range(7)]
    gone = {"image": str(tmp_path / "gone.jpg"), "faces": [{}, {}]}
    sheet = draw_contact_sheet([*records, gone])
    assert sheet.shape == (699, 699, 3) and sheet.dtype == np.uint8
    written = [sheet[y : y + 233, x : x + 233].max() for y in (0, 233, 466) for x in (0, 233, 466)]
    assert min(written) > 150  # a caption on every tile
    contact_sheet.write_contact_sheet(tmp_path / "sheet.png", records)
    found = cv2.imread(str(tmp_path / "sheet.png"))
    np.testing.assert_array_equal(found[..., ::-1], draw_contact_sheet(records))


@pytest.mark.parametrize(
    "change",
    [{"boxes": {"astronaut": [[180.0, 75, 268, 185]]}}, {"texture_size": 64}, {"faces": 0}],
)
def test_results_of_other_options_are_made_anew(tmp_path, astronaut, model, change):
    options = {"boxes": {"astronaut": [BOX]}, "skip_existing": True}
    _run([astronaut], tmp_path / "out", model, **options)
    (item,) = _run([astronaut], tmp_path / "out", model, **options)
    assert item.is_old
    (item,) = _run([astronaut], tmp_path / "out", model, **(options | change))
    assert not item.is_old


def test_results_of_other_weights_of_the_same_network_are_made_anew(tmp_path, astronaut, model):
    options = {"boxes": {"astronaut": [BOX]}, "skip_existing": True}
    _run([astronaut], tmp_path / "out", model, **options)
    other = dataclasses.replace(model, weights_sha256="0" * 64)
    (item,) = _run([astronaut], tmp_path / "out", other, **options)
    assert not item.is_old


def test_results_read_in_another_way_are_made_anew(tmp_path, astronaut, model):
    options = {"boxes": {"astronaut": [BOX]}, "skip_existing": True}
    _run([astronaut], tmp_path / "out", model, **options)
    other = dataclasses.replace(model, config=ReconstructConfig(mirror=False))
    (item,) = _run([astronaut], tmp_path / "out", other, **options)
    assert not item.is_old


def test_results_of_another_version_are_made_anew(tmp_path, astronaut, model, monkeypatch):
    options = {"boxes": {"astronaut": [BOX]}, "skip_existing": True}
    with monkeypatch.context() as patch:
        patch.setattr("uvface.core.batch.software_name", lambda: "uvface 0.0")
        for is_old in (False, True):
            (item,) = _run([astronaut], tmp_path / "out", model, **options)
            assert item.is_old is is_old
    (item,) = _run([astronaut], tmp_path / "out", model, **options)
    assert not item.is_old


class Blind:
    """A detector that finds nothing."""

    def detect(self, image):
        return []


def test_another_detector_looks_again_unless_the_boxes_are_given(tmp_path, astronaut, model):
    blind = dataclasses.replace(model, detector=Blind())
    for given, found in (({}, 0), ({"boxes": {"astronaut": [BOX]}}, 1)):
        out, options = tmp_path / f"{found}", {"skip_existing": True, **given}
        (item,) = _run([astronaut], out, blind, **options)
        assert item.count == found
        (item,) = _run([astronaut], out, blind, **options)
        assert item.is_old
        (item,) = _run([astronaut], out, model, **options)
        assert (item.is_old, item.count) == (bool(given), 1)


@pytest.mark.parametrize("is_swapped", [False, True])
def test_faces_of_one_photo_do_not_overwrite_another_photo(tmp_path, astronaut, model, is_swapped):
    numbered = tmp_path / "astronaut_0.png"
    numbered.write_bytes(astronaut.read_bytes())
    photos = [numbered, astronaut] if is_swapped else [astronaut, numbered]
    boxes = {"astronaut": [BOX, [180.0, 75, 268, 185]], "astronaut_0": [BOX]}
    first, second = _run(photos, tmp_path / "out", model, boxes=boxes)
    assert first.error is None
    assert second.error is not None and "overwrite" in second.error


def test_a_mesh_of_one_photo_does_not_overwrite_that_of_another():
    names = _Names(save=("mesh", "frontal"))
    names.claim(Path("a.png"), 1)
    names.claim(Path("b.png"), 1)
    with pytest.raises(InputError, match="overwrite"):
        names.claim(Path("a_frontal.png"))


def test_results_beside_the_photos_are_no_photos(tmp_path, astronaut, model):
    options = {"boxes": {"astronaut": [BOX]}, "save": "mesh,overlay,visibility"}
    for _ in range(2):
        items = list(reconstruct(tmp_path, tmp_path, model=model, **options))
        assert [item.photo for item in items] == [astronaut]
    assert find_photos([tmp_path / "*"]) == [astronaut]
    overlay = tmp_path / "astronaut_overlay.png"
    assert find_photos([overlay]) == [overlay]  # it was named


def test_a_glob_takes_pictures_only(tmp_path, astronaut, model):
    (tmp_path / "sub").mkdir()
    (tmp_path / "notes.txt").write_text("no picture")
    boxes = {"astronaut": [BOX]}
    (item,) = _run(str(tmp_path / "*"), tmp_path / "out", model, boxes=boxes)
    assert item.photo == astronaut
    with pytest.raises(InputError, match="no pictures"):
        find_photos([tmp_path / "*.txt"])


def test_empty_names_of_outputs_are_passed_over_and_all_is_all():
    assert output_names("landmarks, ,pose,") == ("landmarks", "pose")
    assert output_names("landmarks,all") == output_names("all", also=["frontal"]) == tuple(OUTPUTS)


@pytest.mark.parametrize(
    ("name", "faces"),
    [("a_photo.png", 1), ("a_texture.png", 1), ("a_photo.png", 2), ("a_0.mtl", 2)],
)
def test_results_do_not_overwrite_photos(tmp_path, astronaut, model, name, faces):
    first, second = tmp_path / "a.png", tmp_path / name
    for path in (first, second):
        path.write_bytes(astronaut.read_bytes())
    boxes = {"a": [BOX, [180.0, 75, 268, 185]][:faces], second.stem: []}
    options = {"model": model, "boxes": boxes, "save": "mesh,texture,photo"}
    refused, kept = reconstruct([first, second], tmp_path, **options)
    assert refused.error is not None and f"overwrite the input {name}" in refused.error
    assert kept.error is None and second.read_bytes() == astronaut.read_bytes()
    assert not (tmp_path / "a.json").exists()


def test_files_that_boxes_were_read_from_stay(tmp_path, astronaut, model):
    found = model.reconstruct(astronaut, boxes=[BOX])[0]
    landmarks, mesh = tmp_path / "a", tmp_path / "b"
    _run([astronaut], landmarks, model, boxes={"astronaut": [BOX]})
    mesh.mkdir()
    scipy.io.savemat(mesh / "astronaut.mat", {"pt3d_68": np.asarray(found.landmarks).T})
    for folder, save in ((landmarks, "landmarks"), (mesh, "mat")):
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        boxes = read_boxes(folder, [astronaut])
        options = {"model": model, "boxes": boxes, "save": save}
        (refused,) = reconstruct([astronaut], folder, **options)
        assert refused.error is not None and "would overwrite the input" in refused.error
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        (made,) = reconstruct([astronaut], tmp_path / "out", **options)
        assert made.error is None


def test_a_photo_that_a_link_leads_to_is_not_overwritten(tmp_path, astronaut, model):
    out, link = tmp_path / "out", tmp_path / "b.png"
    out.mkdir()
    photo = (out / "astronaut_kpt.txt").absolute()
    photo.write_bytes(astronaut.read_bytes())
    link.symlink_to(photo)
    boxes = {"astronaut": [BOX], "b": [BOX]}
    refused, kept = _run([astronaut, link], out, model, boxes=boxes)
    assert refused.error is not None and kept.error is None
    assert photo.read_bytes() == astronaut.read_bytes()


def test_results_are_known_by_the_photo_s_content(tmp_path, astronaut, model, monkeypatch):
    options = {"boxes": {"astronaut": [BOX]}, "skip_existing": True}
    monkeypatch.chdir(tmp_path)
    _run(["astronaut.png"], "out", model, **options)
    (item,) = _run([astronaut], "out", model, **options)
    assert item.is_old and item.record["image"] == str(astronaut)
    other = tmp_path / "elsewhere" / "astronaut.png"
    other.parent.mkdir()
    cv2.imwrite(str(other), cv2.imread(str(astronaut))[:, ::-1])
    os.utime(other, (1, 1))
    monkeypatch.chdir(other.parent)
    before = _contents(tmp_path / "out")
    for is_skipping in (True, False):  # of the same name, seen from here, and yet another photo
        options |= {"skip_existing": is_skipping}
        (item,) = _run(["astronaut.png"], tmp_path / "out", model, **options)
        assert item.error is not None and "the result of another photo" in item.error
    assert _contents(tmp_path / "out") == before


def test_results_of_a_photo_that_was_edited_are_replaced(tmp_path, astronaut, model):
    boxes = {"astronaut": [BOX]}
    _run([astronaut], tmp_path / "out", model, boxes=boxes)
    before = _contents(tmp_path / "out")
    cv2.imwrite(str(astronaut), cv2.imread(str(astronaut))[:, ::-1])
    (item,) = _run([astronaut], tmp_path / "out", model, boxes=boxes)
    assert item.error is None and _contents(tmp_path / "out") != before


def test_results_that_are_kept_follow_their_photo(tmp_path, astronaut, model):
    """After its folder was renamed they were kept, and refused for good when it was edited."""
    boxes, folders = {"astronaut": [BOX]}, (tmp_path / "old", tmp_path / "new")
    folders[0].mkdir()
    photo = astronaut.rename(folders[0] / astronaut.name)
    _run([photo], tmp_path / "out", model, boxes=boxes)
    before = _contents(tmp_path / "out")
    folders[0].rename(folders[1])
    photo = folders[1] / photo.name
    (item,) = _run([photo], tmp_path / "out", model, boxes=boxes, skip_existing=True)
    text = (tmp_path / "out" / "astronaut.json").read_bytes()
    assert item.is_old and text == before["astronaut.json"].replace(b"/old/", b"/new/")
    cv2.imwrite(str(photo), cv2.imread(str(photo))[:, ::-1])
    (item,) = _run([photo], tmp_path / "out", model, boxes=boxes, skip_existing=True)
    assert item.error is None and not item.is_old


def test_faces_of_one_run_do_not_overwrite_the_photo_of_another_run(tmp_path, astronaut, model):
    """And the other way round: both want astronaut_0_kpt.txt."""
    numbered, out = tmp_path / "astronaut_0.png", tmp_path / "out"
    numbered.write_bytes(astronaut.read_bytes())
    boxes = {"astronaut": [BOX, [180.0, 75, 268, 185]], "astronaut_0": [BOX]}
    for first, second in ((numbered, astronaut), (astronaut, numbered)):
        folder = out / first.stem
        (made,) = _run([first], folder, model, boxes=boxes)
        before = _contents(folder)
        (refused,) = _run([second], folder, model, boxes=boxes)
        assert made.error is None and refused.error is not None
        assert "astronaut_0_kpt.txt is there and no result of this photo" in refused.error
        assert _contents(folder) == before


def test_a_photo_that_fails_keeps_no_name_from_another(tmp_path, astronaut, model):
    """It had claimed the names of its results before they were refused."""
    out, numbered = tmp_path / "out", tmp_path / "astronaut_0.png"
    numbered.write_bytes(astronaut.read_bytes())
    out.mkdir()
    (out / "astronaut_1_kpt.txt").write_bytes(b"of others")
    boxes = {"astronaut": [BOX, [180.0, 75, 268, 185]], "astronaut_0": [BOX]}
    refused, made = _run([astronaut, numbered], out, model, boxes=boxes)
    assert refused.error is not None and "no result of this photo" in refused.error
    assert made.error is None and (out / "astronaut_0_kpt.txt").is_file()


def test_results_of_another_photo_are_told_of_before_faces_are_looked_for(tmp_path, astronaut):
    """As of a second folder of frames, each of which was reconstructed to fail."""

    class Unused(Blind):
        def detect(self, image):
            raise AssertionError

    other, out = tmp_path / "elsewhere" / "astronaut.png", tmp_path / "out"
    other.parent.mkdir()
    cv2.imwrite(str(other), cv2.imread(str(astronaut))[:, ::-1])
    blind = dataclasses.replace(load(), detector=Blind())
    _run([astronaut], out, blind)
    (item,) = _run([other], out, dataclasses.replace(blind, detector=Unused()))
    assert item.error is not None and "the result of another photo" in item.error


def test_errors_name_the_photo_once(tmp_path, astronaut, model):
    missing = tmp_path / "missing.png"
    items = _run([astronaut, missing], tmp_path / "out", model, boxes={"astronaut": [BOX]}, faces=1)
    assert items[0].error is not None and items[0].error.startswith(f"{astronaut}: no face 1")
    assert items[0].record["error"] == items[0].error
    assert items[1].error is not None and items[1].error.count(str(missing)) == 1


def test_a_run_of_which_nothing_comes_leaves_no_folder(tmp_path, astronaut, model):
    (item,) = _run([tmp_path / "missing.png"], tmp_path / "new" / "out", model)
    assert item.error is not None and not (tmp_path / "new").exists()
    (tmp_path / "old").mkdir()
    _run([tmp_path / "missing.png"], tmp_path / "old", model)
    assert (tmp_path / "old").is_dir()
    _run([tmp_path / "missing.png", astronaut], tmp_path / "new", model, boxes={"astronaut": [BOX]})
    assert (tmp_path / "new" / "astronaut.json").is_file()


def test_warnings_of_faces_name_photo_and_face(tmp_path, astronaut, model):
    small = [210.0, 110, 240, 140]
    (item,) = _run([astronaut], tmp_path / "a", model, boxes={"astronaut": [small]})
    assert any(line.startswith(f"{astronaut}: the face is only 30") for line in item.warnings)
    (item,) = _run([astronaut], tmp_path / "b", model, boxes={"astronaut": [BOX, small]})
    assert any(line.startswith(f"{astronaut}, face 1: the face is") for line in item.warnings)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"texture_size": 9000}, "texture size 9000; need a whole number, 64 to 8192"),
        ({"boxes": {"anna": [BOX]}}, "boxes of 'anna', but none of astronaut.png; need"),
    ],
)
def test_a_wrong_option_ends_the_call_not_each_photo(tmp_path, astronaut, options, message):
    with pytest.raises(InputError, match=message):
        reconstruct(astronaut, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_run_of_which_nobody_takes_an_item_leaves_no_folder(astronaut, tmp_path, model):
    run = reconstruct(astronaut, tmp_path / "new/out", model=model, save="landmarks")
    assert not (tmp_path / "new").exists()
    assert next(run).error is None and (tmp_path / "new/out/astronaut.json").is_file()
    with pytest.raises(InputError, match=r"cannot make the folder .*astronaut\.png"):
        reconstruct(astronaut, astronaut, model=model)  # told at once, not with the first item
