"""Edits of many photos: each has its picture, what is whole is kept, a failure ends nothing."""

import dataclasses
import json

import numpy as np
import pytest
from toy_faces import layout, toy_photo

from uvface.core.errors import InputError
from uvface.core.io.images import read_photo, write_image
from uvface.core.io.sidecar import read_sidecar, sidecar_path
from uvface.editing.commands.batch import tell_picture
from uvface.editing.finder import FaceFinder
from uvface.editing.many import edit_many
from uvface.editing.output_names import output_name, outputs_in
from uvface.editing.photos import edit
from uvface.editing.request import edit_request
from uvface.editing.texture import texture


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for seed in (1, 3):
        write_image(folder / f"{seed}.png", toy_photo(seed)[0])
    write_image(folder / "wall.png", np.full((120, 120, 3), 0.5, np.float32))
    write_image(tmp_path / "anna.png", toy_photo(2)[0])
    return sorted(folder.iterdir())


def run(photos, folder, model, *, settings=None, **options):
    request = edit_request(layout(), **(settings or {"regions": "nose", "recolor": "#903050"}))
    outputs = outputs_in(folder, photos)
    return edit_many(photos, outputs, request, finder=FaceFinder(model), **options)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_each_photo_has_its_picture_and_one_without_a_face_ends_nothing(photos, model, tmp_path):
    items = list(run(photos[::-1], tmp_path / "out", model))
    assert [item.status for item in items] == ["failed", "done", "done"]
    assert "no face" in items[0].error
    alone = edit(photos[0], model=model, regions="nose", recolor="#903050")
    made = read_photo(tmp_path / "out" / "1.png").image
    np.testing.assert_allclose(made, alone.image, atol=0.5 / 255 + 1e-6)
    record = read_sidecar(tmp_path / "out" / "1.png")
    assert record["settings"] == json.loads(json.dumps(alone.settings))
    assert [entry["path"] for entry in record["inputs"]] == [str(photos[0])]
    assert not (tmp_path / "out" / "wall.png").exists()


def test_a_reference_is_read_once_and_its_change_makes_all_anew(photos, model, tmp_path):
    settings = {"regions": "nose", "reference": tmp_path / "anna.png"}
    model.calls.clear()
    list(run(photos[:2], tmp_path / "out", model, settings=settings))
    assert len(model.calls) == 3
    again = run(photos[:2], tmp_path / "out", model, settings=settings, skip_existing=True)
    assert [item.status for item in again] == ["kept", "kept"]
    write_image(tmp_path / "anna.png", toy_photo(4)[0])
    again = run(photos[:2], tmp_path / "out", model, settings=settings, skip_existing=True)
    assert [item.status for item in again] == ["done", "done"]


def test_a_stopped_batch_goes_on_with_the_same_results(photos, model, tmp_path):
    list(run(photos, tmp_path / "whole", model))
    stopped = run(photos, tmp_path / "out", model)
    next(stopped)
    stopped.close()
    items = list(run(photos, tmp_path / "out", model, skip_existing=True))
    assert [item.status for item in items] == ["kept", "done", "failed"]
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    sidecar_path(tmp_path / "out" / "1.png").unlink()
    other = {"regions": "nose", "recolor": "#903051"}
    for settings, status in ((None, "done"), (None, "kept"), (other, "done"), (None, "done")):
        item = next(run(photos, tmp_path / "out", model, settings=settings, skip_existing=True))
        assert item.status == status


@pytest.mark.parametrize("name", ["faces", "warnings"])
def test_a_picture_whose_sidecar_was_changed_is_made_anew(photos, model, tmp_path, name):
    """It ended the batch with a TypeError."""
    (first,) = run(photos[:1], tmp_path / "out", model)
    path = sidecar_path(first.output)
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: None}))
    (again,) = run(photos[:1], tmp_path / "out", model, skip_existing=True)
    assert again.status == "done" and again.warnings == first.warnings


def test_pictures_are_kept_by_their_sidecars_alone(photos, model, tmp_path):
    for left_out in ("metadata", "sidecar"):
        options = {left_out: False, "skip_existing": True}
        with pytest.raises(InputError, match="only a sidecar tells"):
            next(run(photos, tmp_path / "out", model, **options))


def test_no_picture_is_made_twice_or_over_a_photo(photos, model, tmp_path):
    with pytest.raises(InputError, match=r"photos holds 1\.png, one of the photos"):
        outputs_in(photos[0].parent, photos)
    request = edit_request(layout(), regions="nose", reference=tmp_path / "anna.png")
    outputs = [tmp_path / "a.png", tmp_path / "a.png"]
    finder = FaceFinder(model)
    first, second = edit_many(photos[:2], outputs, request, finder=finder)
    assert first.status == "done" and "is the output of" in second.error
    (item,) = edit_many(photos[:1], [tmp_path / "anna.png"], request, finder=finder)
    assert "would overwrite an input of the batch" in item.error
    (tmp_path / "b.png.json").write_text("notes")
    unread = [tmp_path / "gone.png"]  # it is told of before a photo is read
    (item,) = edit_many(unread, [tmp_path / "b.png"], request, finder=finder)
    assert "no sidecar of uvface" in item.error
    (item,) = edit_many(unread, [tmp_path / "b.png"], request, finder=finder, sidecar=False)
    assert "does not exist" in item.error


def test_pictures_take_their_photo_s_name_and_a_format_that_is_written(tmp_path):
    assert output_name(tmp_path / "a.JPG") == "a.JPG"
    assert output_name(tmp_path / "a.gif", addition="_b") == "a_b.png"


def test_what_became_of_a_photo_is_told_in_a_line(photos, model, tmp_path, capsys):
    for item in run(photos, tmp_path / "out", model, skip_existing=True):
        tell_picture(item, quiet=False, as_json=False)
    out, err = capsys.readouterr()
    assert out.splitlines() == [f"{p} -> {tmp_path / 'out' / p.name}" for p in photos[:2]]
    assert err.startswith(f"error: {photos[2]}: ") or str(photos[2]) in err
    for item in run(photos[:1], tmp_path / "out", model, skip_existing=True):
        tell_picture(item, quiet=True, as_json=True)
    assert json.loads(capsys.readouterr().out)["status"] == "kept"


def test_what_all_photos_need_is_no_photo_s_failure(photos, model, tmp_path):
    settings = {"regions": "nose", "reference": tmp_path / "missing.png"}
    with pytest.raises(InputError, match=r"missing\.png does not exist"):
        next(run(photos, tmp_path / "out", model, settings=settings))


def test_a_reference_without_a_face_is_told_and_its_pictures_are_kept(photos, model, tmp_path):
    settings = {"regions": "nose", "reference": [tmp_path / "anna.png", photos[2]]}
    for status in ("done", "kept"):
        item = next(run(photos, tmp_path / "out", model, settings=settings, skip_existing=True))
        assert item.status == status
    roles = [entry["role"] for entry in read_sidecar(tmp_path / "out" / "1.png")["inputs"]]
    assert roles == ["target", "reference 0", "left out 0"]


def test_other_faces_of_the_same_photo_make_pictures_anew(photos, model, tmp_path):
    """Of a face that `texture` made, only its photos were compared."""
    face, warnings = texture([tmp_path / "anna.png"], model=model, size=64)
    other = dataclasses.replace(face, texture=face.texture[:, ::-1])
    for reference, status in ((face, "done"), ((face, warnings), "kept"), (other, "done")):
        settings = {"regions": "nose", "reference": reference}
        item = next(run(photos, tmp_path / "out", model, settings=settings, skip_existing=True))
        assert item.status == status


def test_a_picture_has_one_photo_whatever_its_path(photos, model, tmp_path):
    """Before, two jobs of one path object wrote one picture, the second over the first."""
    request = edit_request(layout(), regions="nose", recolor="#903050")
    (tmp_path / "out").mkdir()
    outputs = [tmp_path / "out" / "a.png", tmp_path / "out" / ".." / "out" / "a.png"]
    first, second = edit_many([photos[0]] * 2, outputs, request, finder=FaceFinder(model))
    assert first.status == "done" and "is the output of" in second.error
