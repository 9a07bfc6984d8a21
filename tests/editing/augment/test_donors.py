"""Donors of parts: who is drawn, that nothing else changes, and donors that show no face."""

import hashlib
import json
import shutil
from collections import Counter

import cv2
import jax.numpy as jnp
import numpy as np
import pytest
import toy_faces
from toy_models import ToyModel

from uvface.cli import main
from uvface.core.errors import InputError
from uvface.core.geometry.sampling import sample_texture
from uvface.core.io.boxes import as_boxes
from uvface.core.io.images import write_image
from uvface.editing.augment.donors import Donors, _cut_out
from uvface.editing.augment.files import augment
from uvface.editing.augment.parts import PARTS, WHOLE, moved_face
from uvface.editing.texture import texture


class _Model(ToyModel):
    weights_sha256 = "toy"


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name, seed in (("anna", 1), ("ben", 2), ("cleo", 3)):
        write_image(folder / f"{name}.png", toy_faces.toy_photo(seed)[0])
    write_image(folder / "wall.png", np.full((90, 90, 3), 0.5, np.float32))
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def _augment(photo, output, **options):
    given = {"count": 6, "vary": "light"} | options
    return list(augment(photo, output, model=_Model(), **given))


def _labels(folder):
    return json.loads((folder / "labels.json").read_text())["annotations"]


def _content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.p*"))}


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def whole(photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    (item,) = _augment(
        photos / "anna.png", folder, donors=[photos / "ben.png", photos / "cleo.png"]
    )
    assert item.error is None and not item.warnings
    return folder


def test_pictures_without_parts_are_those_of_a_run_without_donors(whole, photos, tmp_path):
    _augment(photos / "anna.png", tmp_path, donors=[])
    kinds = Counter()
    for with_donors, plain in zip(_labels(whole), _labels(tmp_path), strict=True):
        parts = with_donors["varied"].pop("parts")
        assert "parts" not in plain["varied"] and with_donors == plain
        stem = plain["position_map"].removesuffix("_posmap.npz")
        assert (whole / f"{stem}_posmap.npz").read_bytes() == (
            tmp_path / f"{stem}_posmap.npz"
        ).read_bytes()
        same = _content(whole)[f"{stem}.png"] == _content(tmp_path)[f"{stem}.png"]
        assert same == (parts is None)
        kinds[parts is None] += 1
    assert min(kinds.values()) >= 1 and len(kinds) == 2


def test_the_label_and_the_sidecar_tell_whose_parts_they_are(whole, photos):
    told = [label["varied"]["parts"] for label in _labels(whole)]
    for number, parts in enumerate(told):
        inputs = json.loads((whole / f"anna_{number:03d}.png.json").read_text())["inputs"]
        if parts is None:
            assert [one["role"] for one in inputs] == ["photo"]
            continue
        assert tuple(parts["regions"]) == WHOLE or set(parts["regions"]) <= set(PARTS)
        assert parts["donor"] in ("ben.png", "cleo.png")
        assert parts["sha256"] == _sha256(photos / parts["donor"])
        assert [one["role"] for one in inputs] == ["photo", "donor"]
        assert inputs[1]["sha256"] == parts["sha256"]
    assert any(told)


def test_neither_names_nor_places_nor_order_of_donors_count(whole, photos, tmp_path):
    for name, other in (("ben", "z"), ("cleo", "a")):
        shutil.copy(photos / f"{name}.png", tmp_path / f"{other}.png")
    shutil.copy(tmp_path / "a.png", tmp_path / "again.png")
    donors = [tmp_path / "z.png", tmp_path / "again.png", tmp_path / "a.png"]
    _augment(photos / "anna.png", tmp_path / "out", donors=donors)
    assert _content(tmp_path / "out").keys() == _content(whole).keys()
    for name, content in _content(whole).items():
        if not name.endswith(".json"):
            assert (tmp_path / "out" / name).read_bytes() == content
    shas = [
        [parts and parts["sha256"] for parts in (one["varied"]["parts"] for one in _labels(folder))]
        for folder in (whole, tmp_path / "out")
    ]
    assert shas[0] == shas[1]


def test_kept_are_only_pictures_of_the_same_donors(photos, tmp_path):
    given = {"count": 1, "skip_existing": True}

    def is_kept(*names, **options):
        donors = [photos / f"{name}.png" for name in names] or None
        (item,) = _augment(photos / "anna.png", tmp_path, donors=donors, **given | options)
        return item.is_old

    assert [is_kept(), is_kept()] == [False, True]
    assert [is_kept("ben"), is_kept("ben")] == [False, True]
    assert [is_kept("ben", "cleo"), is_kept("cleo", "ben")] == [False, True]
    boxes = {"ben": [[10, 10, 110, 110]]}
    assert [is_kept("cleo", "ben", boxes=boxes), is_kept("cleo", "ben")] == [False, False]


def test_donors_without_a_face_are_left_out_with_one_warning_each(photos, tmp_path):
    bad = [photos / "wall.png", photos / "broken.png", photos / "missing.png"]
    given = [photos / "anna.png", photos / "cleo.png"]
    items = _augment(given, tmp_path / "out", donors=[*bad, photos / "ben.png"], count=8)
    assert [item.error for item in items] == [None, None]
    warned = [line for item in items for line in item.warnings]
    assert sorted({path.name for path in bad for line in warned if path.name in line}) == sorted(
        path.name for path in bad
    )
    assert len(warned) == 3 and all(line.startswith("donor left out: ") for line in warned)
    parts = [label["varied"]["parts"] for label in _labels(tmp_path / "out")]
    assert {one["donor"] for one in parts if one} == {"ben.png"} and None in parts
    with pytest.raises(InputError, match="no donor shows a face; give others"):
        _augment(photos / "anna.png", tmp_path / "none", donors=bad)
    assert not (tmp_path / "none").exists()


def test_boxes_of_donors_count(photos, tmp_path):
    donors, boxes = [photos / "ben.png", photos / "cleo.png"], {"ben.png": []}
    items = _augment(photos / "anna.png", tmp_path, donors=donors, boxes=boxes, count=8)
    parts = [label["varied"]["parts"] for label in _labels(tmp_path)]
    assert {one["donor"] for one in parts if one} == {"cleo.png"}
    assert any("ben.png" in line for line in items[0].warnings)


def test_a_photo_is_no_donor_for_itself(photos, tmp_path):
    _augment(photos / "anna.png", tmp_path / "a", donors=[photos / "anna.png", photos / "ben.png"])
    parts = [label["varied"]["parts"] for label in _labels(tmp_path / "a")]
    assert {one["donor"] for one in parts if one} == {"ben.png"}
    given = [photos / "anna.png", photos / "ben.png"]
    items = _augment(given, tmp_path / "b", donors=photos / "anna.png")
    name = str(photos / "anna.png")
    assert items[0].error == f"{name} is itself the only donor that shows a face; give others"
    assert items[1].error is None and not list((tmp_path / "b").glob("anna_*"))  # refused at once


def test_earlier_pictures_in_the_output_folder_are_no_donors(whole, photos, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    shutil.copy(photos / "ben.png", out)
    shutil.copy(photos / "cleo.png", out)
    (item,) = _augment(photos / "anna.png", out, donors=out, skip_existing=True)
    assert item.is_old and not item.warnings


def test_a_face_file_is_a_donor(photos, tmp_path):
    file = tmp_path / "ben.uvface"
    texture(photos / "ben.png", model=_Model())[0].save(file)
    (item,) = _augment(photos / "anna.png", tmp_path / "out", donors=file)
    parts = [label["varied"]["parts"] for label in _labels(tmp_path / "out")]
    told = {(one["donor"], one["sha256"]) for one in parts if one}
    assert item.error is None and told == {("ben.uvface", _sha256(file))}


def test_half_of_the_pictures_have_parts_and_these_vary(photos):
    donors = Donors([photos / "ben.png", photos / "cleo.png"], _Model(), as_boxes(None))
    drawn = [donors.draw(np.random.default_rng(seed), "") for seed in range(600)]
    some = [parts for parts in drawn if parts is not None]
    assert 0.42 < len(some) / 600 < 0.58
    assert 0.15 < np.mean([parts.regions == WHOLE for parts in some]) < 0.35
    assert len({parts.regions for parts in some}) == 16
    assert 0.4 < np.mean([parts.path.name == "ben.png" for parts in some]) < 0.6


def test_a_donor_that_is_opened_again_is_told_of_once(photos, monkeypatch):
    monkeypatch.setattr("uvface.editing.augment.donors.face_warnings", lambda *given: ["it is odd"])
    donors, told = Donors([photos / "ben.png"], _Model(), as_boxes(None)), []
    for seed in range(6):
        donors.draw(np.random.default_rng(seed), "")
        donors._open.cache_clear()  # as when hundreds of others were opened since
        told += donors.take_notes()
    assert told == ["donor ben.png: it is odd"]


@pytest.mark.parametrize("larger", [2.0, 7.0])
def test_a_cut_out_donor_is_small_and_shows_the_face_where_it_says(larger):
    image, face = toy_faces.toy_photo(1)
    big = cv2.resize(image, None, fx=larger, fy=larger, interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(big, 200, 300, 250, 350, cv2.BORDER_CONSTANT)
    shift = jnp.array([250.0, 200.0]) + (larger - 1) / 2
    cut, moved = _cut_out(framed, moved_face(face, larger, shift), toy_faces.layout())
    assert max(cut.shape) < 720
    seen = np.asarray(face.visibility) > 0.9
    miss = [
        np.abs(
            np.asarray(sample_texture(jnp.asarray(cut), moved.position_map + step) - face.texture)
        )[seen].mean()
        for step in (0.0, 1.0, -1.0)
    ]
    assert miss[0] < 0.01 and miss[0] < 0.5 * min(miss[1:]), miss


@pytest.mark.weights
def test_the_command_takes_several_donors_and_says_what_is_wrong(photos, tmp_path, capsys):
    photo, out = str(photos / "anna.png"), tmp_path / "out"
    assert main(["augment", photo, "-o", str(out), "--donors", str(photos / "*.tif")]) == 1
    assert capsys.readouterr().err.startswith("error: no pictures in")
    bad = [
        option
        for name in ("wall", "broken")
        for option in ("--donors", str(photos / f"{name}.png"))
    ]
    assert main(["augment", photo, "-o", str(out), *bad]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: no donor shows a face") and error.count("\n") == 1
    assert not out.exists()
