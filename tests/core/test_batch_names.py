"""Names of a batch's results: nothing of another photo, and no input, is overwritten."""

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io
from batches import BOX, Blind, contents, run_batch

from uvface.core.batch import _Names, reconstruct
from uvface.core.errors import InputError
from uvface.core.io.boxes import read_boxes
from uvface.core.reconstruct import load

pytestmark = pytest.mark.weights


def test_photos_of_one_name_do_not_overwrite_each_other(tmp_path, astronaut, model):
    twin = tmp_path / "elsewhere" / "astronaut.jpg"
    twin.parent.mkdir()
    cv2.imwrite(str(twin), cv2.imread(str(astronaut))[:, ::-1])
    first, second = run_batch(
        [astronaut, twin], tmp_path / "out", model, boxes={"astronaut": [BOX]}
    )
    assert first.error is None
    assert second.error is not None and "overwrite" in second.error
    record = json.loads((tmp_path / "out" / "astronaut.json").read_text())
    assert record["image"] == str(astronaut)


@pytest.mark.parametrize("is_swapped", [False, True])
def test_faces_of_one_photo_do_not_overwrite_another_photo(tmp_path, astronaut, model, is_swapped):
    numbered = tmp_path / "astronaut_0.png"
    numbered.write_bytes(astronaut.read_bytes())
    photos = [numbered, astronaut] if is_swapped else [astronaut, numbered]
    boxes = {"astronaut": [BOX, [180.0, 75, 268, 185]], "astronaut_0": [BOX]}
    first, second = run_batch(photos, tmp_path / "out", model, boxes=boxes)
    assert first.error is None
    assert second.error is not None and "overwrite" in second.error


def test_a_mesh_of_one_photo_does_not_overwrite_that_of_another():
    names = _Names(save=("mesh", "frontal"))
    names.claim(Path("a.png"), 1)
    names.claim(Path("b.png"), 1)
    with pytest.raises(InputError, match="overwrite"):
        names.claim(Path("a_frontal.png"))


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
    run_batch([astronaut], landmarks, model, boxes={"astronaut": [BOX]})
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
    refused, kept = run_batch([astronaut, link], out, model, boxes=boxes)
    assert refused.error is not None and kept.error is None
    assert photo.read_bytes() == astronaut.read_bytes()


def test_results_of_a_photo_that_was_edited_are_replaced(tmp_path, astronaut, model):
    boxes = {"astronaut": [BOX]}
    run_batch([astronaut], tmp_path / "out", model, boxes=boxes)
    before = contents(tmp_path / "out")
    cv2.imwrite(str(astronaut), cv2.imread(str(astronaut))[:, ::-1])
    (item,) = run_batch([astronaut], tmp_path / "out", model, boxes=boxes)
    assert item.error is None and contents(tmp_path / "out") != before


def test_faces_of_one_run_do_not_overwrite_the_photo_of_another_run(tmp_path, astronaut, model):
    """And the other way round: both want astronaut_0_kpt.txt."""
    numbered, out = tmp_path / "astronaut_0.png", tmp_path / "out"
    numbered.write_bytes(astronaut.read_bytes())
    boxes = {"astronaut": [BOX, [180.0, 75, 268, 185]], "astronaut_0": [BOX]}
    for first, second in ((numbered, astronaut), (astronaut, numbered)):
        folder = out / first.stem
        (made,) = run_batch([first], folder, model, boxes=boxes)
        before = contents(folder)
        (refused,) = run_batch([second], folder, model, boxes=boxes)
        assert made.error is None and refused.error is not None
        assert "astronaut_0_kpt.txt is there and no result of this photo" in refused.error
        assert contents(folder) == before


def test_a_photo_that_fails_keeps_no_name_from_another(tmp_path, astronaut, model):
    """It had claimed the names of its results before they were refused."""
    out, numbered = tmp_path / "out", tmp_path / "astronaut_0.png"
    numbered.write_bytes(astronaut.read_bytes())
    out.mkdir()
    (out / "astronaut_1_kpt.txt").write_bytes(b"of others")
    boxes = {"astronaut": [BOX, [180.0, 75, 268, 185]], "astronaut_0": [BOX]}
    refused, made = run_batch([astronaut, numbered], out, model, boxes=boxes)
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
    run_batch([astronaut], out, blind)
    (item,) = run_batch([other], out, dataclasses.replace(blind, detector=Unused()))
    assert item.error is not None and "the result of another photo" in item.error


def test_a_name_too_long_for_some_result_is_told_of_before_faces_are_looked_for(tmp_path):
    """Only that of the record was, and the face was found in vain."""
    (tmp_path / "out").mkdir()
    names = _Names(save=("mesh", "texture"), folder=tmp_path / "out")
    names.claim(Path("a" * 243 + ".png"), 1)
    with pytest.raises(
        InputError, match=r"a_texture\.png: .* too long .*; give the photo a shorter"
    ):
        names.claim(Path("a" * 244 + ".png"))
    with pytest.raises(InputError, match=r"a_0_texture\.png: .* too long"):
        names.claim(Path("a" * 243 + ".jpg"), 2)
    _Names(save=("ply",), folder=tmp_path / "out").claim(Path("a" * 250 + ".png"))


def test_a_photo_whose_name_is_too_long_fails_alone(tmp_path, astronaut, model):
    photo = tmp_path / f"{'a' * 248}.jpg"
    photo.write_bytes(astronaut.read_bytes())
    boxes = {photo.stem: [BOX], "astronaut": [BOX]}
    refused, made = run_batch([photo, astronaut], tmp_path / "out", model, boxes=boxes)
    assert made.error is None
    assert refused.error is not None and "give the photo a shorter one" in refused.error
