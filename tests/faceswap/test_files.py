"""Swaps and edits of files: what is read, found, kept and written."""

import dataclasses
import hashlib
import inspect
import os
from functools import partial

import numpy as np
import pytest
from toy_faces import toy_photo

from uvface.core.errors import InputError, NoFaceError
from uvface.core.io.images import Photo, read_photo, write_image
from uvface.core.io.provenance import read_provenance
from uvface.core.io.sidecar import is_intact, read_sidecar
from uvface.editing.photos import edit
from uvface.editing.references import reference_list
from uvface.editing.texture import texture
from uvface.faceswap.photos import swap
from uvface.faceswap.report import report_page, write_report
from uvface.faceswap.request import swap_options


@pytest.fixture
def files(tmp_path):
    for seed, name in ((1, "target.png"), (2, "reference.png")):
        write_image(tmp_path / name, toy_photo(seed)[0])
    return tmp_path / "target.png", tmp_path / "reference.png"


def test_swap_of_files_says_so_in_the_output(files, model, tmp_path):
    result = swap(*files, model=model, keep=())
    result.save(tmp_path / "out.png")
    assert len(result.faces) == 1
    provenance = read_provenance(tmp_path / "out.png")
    assert provenance.is_synthetic and provenance.operation == "swap"
    sidecar = read_sidecar(tmp_path / "out.png")
    assert [entry["path"] for entry in sidecar["inputs"]] == [str(path) for path in files]
    assert sidecar["settings"]["keep"] == [] and is_intact(tmp_path / "out.png", sidecar)
    result.save(tmp_path / "plain.png", metadata=False)
    assert read_provenance(tmp_path / "plain.png") is None
    assert read_sidecar(tmp_path / "plain.png") is None
    result.save(tmp_path / "alone.png", sidecar=False)
    assert read_provenance(tmp_path / "alone.png") and read_sidecar(tmp_path / "alone.png") is None
    # Written over the first one, its sidecar goes; a file that is no sidecar stays.
    result.save(tmp_path / "out.png", metadata=False)
    (tmp_path / "plain.png.json").write_text('{"mine": 1}')
    result.save(tmp_path / "plain.png", metadata=False)
    assert not (tmp_path / "out.png.json").exists()
    assert (tmp_path / "plain.png.json").read_text() == '{"mine": 1}'
    record = result.record(tmp_path / "out.png")
    assert record["operation"] == "swap" and record["settings"]["reference"].endswith(".png")


def test_no_input_is_overwritten(files, model):
    before = [path.read_bytes() for path in files]
    results = (
        swap(*files, model=model, keep=()),
        edit(files[0], model=model, regions=["nose"], reference=files[1]),
    )
    for result in results:
        for path in files:
            with pytest.raises(InputError, match="choose another name"):
                result.save(path.parent / ".." / path.parent.name / path.name)
    assert [path.read_bytes() for path in files] == before


def test_the_preset_prnet_claims_nothing_of_our_pipeline(files, model, tmp_path):
    result = swap(*files, model=model, preset="prnet", keep=["nonsense"], strength=0.0)
    result.save(tmp_path / "out.png")
    record = read_sidecar(tmp_path / "out.png")
    assert record["settings"] == {
        "reference": str(files[1]),
        "faces": "largest",
        "reference_face": "largest",
        "detector": "toy detector",
        "preset": "prnet",
        "weights": "toy",
        "weights_sha256": "",
        "reading": {"passes": 3, "tolerance": 12.0, "mirror": True},
    }
    assert "skin" not in record["faces"][0] and record["faces"][0]["yaw"] is not None
    assert not any("skin" in line or "covered" in line for line in record["warnings"])
    assert "seen in the reference" not in report_page(result, output="out.png")


def test_the_preset_prnet_takes_no_mask_as_it_would_paste_over_it(files, model):
    with pytest.raises(InputError, match="a mask and the preset prnet"):
        swap(*files, model=model, preset="prnet", mask=files[0])


def test_what_cannot_be_recorded_is_not_written(files, model, tmp_path, monkeypatch):
    result = swap(*files, model=model, keep=())
    monkeypatch.setattr("uvface.faceswap.photos.diagnose", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        result.save(tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("color", "luminance"),
        ("blend", "poison"),
        ("complete", "al"),
        ("sharpness", "most"),
        ("preset", "prn"),
    ],
)
def test_unknown_choices_are_input_errors(files, model, monkeypatch, name, value):
    # As they are without the tests' own type checker.
    monkeypatch.setattr("uvface.faceswap.photos.swap_options", inspect.unwrap(swap_options))
    unchecked = inspect.unwrap(swap)
    with pytest.raises(InputError, match=f"{name} '{value}'; choose from"):
        unchecked(*files, model=model, **{name: value})


def test_a_face_file_of_any_case_is_one(files, model, tmp_path):
    face, _ = texture(files[1], model=model)
    face.save(tmp_path / "a.uvface")
    (tmp_path / "a.uvface").rename(tmp_path / "A.UVFACE")
    result = swap(files[0], tmp_path / "A.UVFACE", model=model, keep=())
    assert "a face file" in report_page(result, output="out.png")


def test_a_face_that_texture_made_is_a_reference_as_its_file_is(files, model, tmp_path):
    """It had to be saved and given as a file; its warnings go along."""
    target, photo = files
    wall = np.full((120, 120, 3), 0.5, np.float32)
    made = texture([photo, wall], model=model)
    made[0].save(tmp_path / "a.uvface")
    expected = swap(target, tmp_path / "a.uvface", model=model, keep=())
    for given in (made, made[0]):
        result = swap(target, given, model=model, keep=())
        np.testing.assert_allclose(result.image, expected.image, atol=2e-3)
        assert (result.warnings == made[1]) == (given is made)
    mapped = swap(target, model=model, keep=(), mapping={0: made})
    assert (mapped.image == result.image).all()
    result.save(tmp_path / "out.png")
    sidecar = read_sidecar(tmp_path / "out.png")
    sources = sidecar["settings"]["reference"]["sources"]
    assert [source["name"] for source in sources] == ["reference.png"] and sources[0]["sha256"]
    assert "several photos, fused" in report_page(result, output="out.png")


def test_a_face_that_texture_made_is_a_reference_of_an_edit(files, model, tmp_path):
    target, photo = files
    made = texture(photo, model=model)
    made[0].save(tmp_path / "a.uvface")
    of_nose = partial(edit, target, model=model, regions=["nose"])
    result, expected = of_nose(reference=made), of_nose(reference=tmp_path / "a.uvface")
    np.testing.assert_allclose(result.image, expected.image, atol=2e-3)
    sources = result.record("out.png")["settings"]["reference"]["sources"]
    assert [source["name"] for source in sources] == ["reference.png"]
    with pytest.raises(InputError, match="leave out the choice"):
        of_nose(reference=made, reference_face=1)


def test_a_face_that_texture_made_stands_alone_and_fits_the_weights(files, model):
    target, photo = files
    face, _ = texture(photo, model=model)
    unchecked = inspect.unwrap(reference_list)  # as it is without the tests' own type checker
    for given in ([face, photo], [photo, face], (face, face)):
        with pytest.raises(InputError, match="stands alone"):
            unchecked(given)
    for choice in ({"reference_face": 1}, {"reference_like": photo}):
        with pytest.raises(InputError, match="leave out the choice"):
            swap(target, face, model=model, **choice)
    other = dataclasses.replace(face, layout="prnet", layout_digest="0")
    with pytest.raises(InputError, match="is made for the UV layout prnet, not for"):
        swap(target, other, model=model)


def test_photos_that_were_left_out_are_no_references(files, model, tmp_path):
    wall = tmp_path / "wall.png"
    write_image(wall, np.full((120, 120, 3), 0.5, np.float32))
    result = swap(files[0], [wall, files[1]], model=model, keep=())
    result.save(tmp_path / "out.png")
    sidecar = read_sidecar(tmp_path / "out.png")
    roles = {entry["role"]: entry["path"] for entry in sidecar["inputs"]}
    target, reference = map(str, files)
    assert roles == {"target": target, "reference 0": reference, "left out 0": str(wall)}
    assert sidecar["faces"][0]["reference"] == [reference]
    assert result.references == (files[1],)
    assert any(line.startswith("left out: ") for line in sidecar["warnings"])
    with pytest.raises(InputError, match="would overwrite an input"):
        result.save(wall)


def test_several_photos_are_no_face_file(files, model):
    result = swap(files[0], [files[1], files[1]], model=model, keep=())
    page = report_page(result, output=os.fsdecode(b"a\xff.png"))
    assert "several photos, fused" in page and "a face file" not in page


def test_names_that_are_not_utf_8_are_written(files, model, tmp_path):
    result = swap(*files, model=model, keep=())
    write_report(tmp_path / "report.html", result, output=os.fsdecode(b"a\xff.png"))
    assert "Swap: a?.png" in (tmp_path / "report.html").read_text()


def test_untouched_pixels_of_the_file_are_the_same_numbers(files, model, tmp_path):
    result = swap(*files, model=model, keep=())
    result.save(tmp_path / "out.png")
    before, after = read_photo(files[0]).image, read_photo(tmp_path / "out.png").image
    is_same = (result.image == before).all(axis=-1)
    assert 0.3 < is_same.mean() < 0.95
    assert (after[is_same] == before[is_same]).all()


def test_alpha_and_16_bits_are_kept(model, tmp_path):
    image = toy_photo(1)[0]
    alpha = np.linspace(0, 1, image.shape[0])[:, None] * np.ones(image.shape[1])
    path = tmp_path / "target.png"
    write_image(path, image, alpha=alpha.astype(np.float32), bit_depth=16)
    swap(path, toy_photo(2)[0], model=model, keep=()).save(tmp_path / "out.png")
    photo = read_photo(tmp_path / "out.png")
    assert photo.bit_depth == 16
    np.testing.assert_allclose(photo.alpha, alpha, atol=1e-4)


def test_edit_of_arrays(model):
    result = edit(toy_photo(1)[0], model=model, regions=["nose"], reference=toy_photo(2)[0])
    assert result.operation == "edit nose"
    assert 0.0 < (result.image != toy_photo(1)[0]).mean() < 0.1
    photo = Photo(image=toy_photo(1)[0])
    assert edit(photo, model=model, regions=["lips"], recolor="#a03040").photo is photo


def test_a_swap_of_arrays_tells_of_each(model, tmp_path):
    """The sidecar said nothing of its inputs."""
    target, other = toy_photo(1)[0], (255 * toy_photo(2)[0]).astype(np.uint8)
    mask, wall = np.ones(target.shape[:2], bool), np.full((120, 120, 3), 0.5, np.float32)
    swap(target, [wall, other], model=model, keep=(), mask=mask).save(tmp_path / "out.png")
    inputs = read_sidecar(tmp_path / "out.png")["inputs"]
    assert [one["role"] for one in inputs] == ["target", "reference 0", "left out 0", "mask"]
    assert [one["array"]["dtype"] for one in inputs] == ["float32", "uint8", "float32", "bool"]
    given = [target.tobytes(), other.tobytes(), wall.tobytes()]
    assert [one["sha256"] for one in inputs[:3]] == [hashlib.sha256(g).hexdigest() for g in given]


def test_no_face_names_the_photo(files, model, tmp_path):
    write_image(tmp_path / "wall.png", np.full((120, 120, 3), 0.5, np.float32))
    with pytest.raises(NoFaceError, match=r"wall\.png"):
        swap(tmp_path / "wall.png", files[1], model=model, keep=())
    with pytest.raises(NoFaceError, match="the reference"):
        swap(files[0], np.zeros((120, 120, 3), np.float32), model=model, keep=())
    for name in ("target", "target.png"):
        with pytest.raises(NoFaceError, match=r"target\.png"):
            swap(*files, model=model, keep=(), boxes={name: []})


def test_arrays_that_are_no_photos_are_input_errors(model):
    with pytest.raises(InputError, match="not finite"):
        edit(np.full((4, 4, 3), np.nan, np.float32), model=model, regions=["nose"])


def test_boxes_of_no_photo_of_the_call_are_refused(files, model):
    """A misspelt name would be detection, silently; names of arrays count."""
    target, reference = files
    strange, image = {"taget": [[1, 2, 30, 40]]}, toy_photo(1)[0]
    named = r"boxes of 'taget', but none of {}; need"
    with pytest.raises(InputError, match=named.format(r"target\.png")):
        swap(target, reference, model=model, keep=(), boxes=strange)
    with pytest.raises(InputError, match=named.format(r"target\.png")):
        swap(target, model=model, keep=(), mapping={0: reference}, boxes=strange)
    with pytest.raises(InputError, match=named.format("photo")):
        edit(image, model=model, regions=["lips"], recolor="#a03040", boxes=strange)
    with pytest.raises(InputError, match=named.format(r"target\.png")):
        texture(files, model=model, boxes=strange)
    box = [[20.0, 20.0, 100.0, 100.0]]
    for name in ("target", "reference.png", "reference"):
        assert swap(target, reference, model=model, keep=(), boxes={name: box}).faces
    assert swap(image, reference, model=model, keep=(), boxes={"target": box}).faces


def test_boxes_of_arrays_are_told_and_no_detector_that_was_not_asked(model, tmp_path):
    """A detector was named that never ran, and the boxes were not."""
    image, other = toy_photo(1)[0], toy_photo(2)[0]
    box = [[20.0, 20.0, 100.0, 100.0]]
    both = {"target": box, "reference": box}
    told = swap(image, other, model=model, keep=(), boxes=both).settings
    assert told["boxes"] == both and told["detector"] is None
    told = swap(image, other, model=model, keep=(), boxes={"reference": box}).settings
    assert told["boxes"] == {"reference": box} and told["detector"] == "toy detector"
    colored = {"model": model, "regions": ["lips"], "recolor": "#a03040"}
    told = edit(image, boxes={"photo": box}, **colored).settings
    assert told["boxes"] == {"photo": box} and told["detector"] is None
    # In a face file no face is looked for.
    texture(other, model=model)[0].save(tmp_path / "face.uvface")
    told = swap(image, tmp_path / "face.uvface", model=model, keep=(), boxes={"target": box})
    assert told.settings["boxes"] == {"target": box} and told.settings["detector"] is None


def test_photos_of_one_name_have_boxes_of_their_own(files, model, tmp_path):
    """They shared them, and the record held one of the two."""
    (tmp_path / "other").mkdir()
    other = files[1].rename(tmp_path / "other" / "target.png")
    one, two = [[20.0, 20.0, 100.0, 100.0]], [[24.0, 20.0, 104.0, 100.0]]
    both = {str(files[0]): one, str(other): two}
    result = swap(files[0], other, model=model, keep=(), boxes=both)
    assert result.settings["boxes"] == both
