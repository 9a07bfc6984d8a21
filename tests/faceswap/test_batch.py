"""Batches: what is kept, what is made again, and that the results are the same."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from toy_faces import toy_photo
from toy_models import COUPLE, ToyModel, toy_group

from uvface.core.blending.composite import BlendConfig
from uvface.core.errors import InputError
from uvface.core.io.images import read_photo, write_image
from uvface.core.io.sidecar import sidecar_path
from uvface.core.io.signing import ContentSigner
from uvface.editing.finder import FaceFinder, Selection
from uvface.faceswap.batch import SwapItem, swap_many, write_rows
from uvface.faceswap.jobs import Job, is_batch, jobs_of_targets, read_jobs
from uvface.faceswap.masks import masks_in
from uvface.faceswap.request import SwapOptions, SwapRequest
from uvface.faceswap.swap import SwapConfig

OPTIONS = SwapOptions(config=SwapConfig(keep=()))


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for seed in (1, 3, 4):
        write_image(folder / f"{seed}.png", toy_photo(seed)[0])
    write_image(folder / "wall.png", np.full((120, 120, 3), 0.5, np.float32))
    write_image(tmp_path / "anna.png", toy_photo(2)[0])
    return folder


def run(jobs, model, **settings):
    options = settings.pop("options", OPTIONS)
    request = settings.pop("request", SwapRequest())
    finder = FaceFinder(model)
    return swap_many(jobs, finder=finder, request=request, options=options, **settings)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_folders_globs_and_lists_make_a_batch(photos):
    assert is_batch(str(photos), None) and is_batch(str(photos / "*.png"), None)
    assert is_batch(None, photos / "pairs.csv")
    assert not is_batch(str(photos / "1.png"), None)
    assert not is_batch(str(photos / "missing[1].png"), None)  # brackets that match nothing


def test_a_failure_does_not_end_a_batch_and_has_its_row(photos, model, tmp_path):
    jobs = jobs_of_targets([photos], [tmp_path / "anna.png"], tmp_path / "out")
    model.calls.clear()
    items = list(run(jobs, model))
    assert [item.status for item in items] == ["done", "done", "done", "failed"]
    assert len(model.calls) == 5  # four targets, and the reference once
    write_rows(tmp_path / "rows.csv", items)
    rows = list(csv.DictReader((tmp_path / "rows.csv").read_text().splitlines()))
    assert [row["status"] for row in rows] == ["done", "done", "done", "failed"]
    assert "no face" in rows[3]["error"] and float(rows[0]["seen"]) > 0.5
    told = [float(rows[0][name]) for name in ("kept", "brows_left", "lips_left")]
    assert all(0.0 <= value <= 1.0 for value in told)  # none is empty
    write_rows(tmp_path / "rows.json", items)
    assert len(json.loads((tmp_path / "rows.json").read_text())) == 4
    with pytest.raises(InputError, match=r"\.csv nor \.json"):
        write_rows(tmp_path / "rows.txt", items)


def test_a_stopped_batch_goes_on_with_the_same_results(photos, model, tmp_path):
    whole = jobs_of_targets([photos], [tmp_path / "anna.png"], tmp_path / "whole")
    list(run(whole, model))
    jobs = jobs_of_targets([photos], [tmp_path / "anna.png"], tmp_path / "out")
    stopped = run(jobs, model)
    next(stopped), next(stopped)
    stopped.close()
    sidecar_path(jobs[1].output).unlink()  # as if it had been killed between the two files
    (tmp_path / "out" / ".3.png.1234.tmp").write_bytes(b"half")
    items = list(run(jobs, model, skip_existing=True))
    assert [item.status for item in items] == ["kept", "done", "done", "failed"]
    assert items[0].record["faces"] and items[0].record["settings"]["weights"] == "toy"
    (tmp_path / "out" / ".3.png.1234.tmp").unlink()
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_changed_inputs_options_and_outputs_are_made_again(photos, model, tmp_path):
    anna = tmp_path / "anna.png"
    job = Job(target=photos / "1.png", references=(anna,), output=tmp_path / "o.png")

    def status(**settings):
        return next(run([job], model, skip_existing=True, **settings)).status

    assert [status(), status()] == ["done", "kept"]
    other = SwapOptions(config=SwapConfig(keep=(), color="match"))
    assert [status(options=other), status(options=other), status()] == ["done", "kept", "done"]
    write_image(anna, toy_photo(3)[0])
    assert [status(), status()] == ["done", "kept"]
    job.output.write_bytes(b"half a picture")
    assert status() == "done"
    for blend in ({"method": "mixed"}, {"tolerance": 1e-2}):
        options = SwapOptions(config=SwapConfig(keep=(), blend=BlendConfig(**blend)))
        assert [status(options=options), status(options=options)] == ["done", "kept"]
    softer = SwapOptions(config=SwapConfig(keep=(), feather=6.0))
    assert [status(options=softer), status(options=softer)] == ["done", "kept"]


def test_a_picture_of_another_version_is_made_again(photos, model, tmp_path, monkeypatch):
    job = Job(
        target=photos / "1.png", references=(tmp_path / "anna.png",), output=tmp_path / "o.png"
    )
    with monkeypatch.context() as patch:
        patch.setattr("uvface.core.io.sidecar.software_name", lambda: "uvface 0.0")
        assert next(run([job], model)).status == "done"
    statuses = [next(run([job], model, skip_existing=True)).status for _ in range(2)]
    assert statuses == ["done", "kept"]


@pytest.mark.parametrize("given", [{"metadata": False}, {"sidecar": False}])
def test_nothing_is_kept_that_no_sidecar_tells_of(photos, model, tmp_path, given):
    """A picture newer than its inputs may be of other options."""
    jobs = jobs_of_targets([photos], [tmp_path / "anna.png"], tmp_path / "out")
    with pytest.raises(InputError, match="skip_existing without sidecars; only a sidecar"):
        next(run(jobs, model, skip_existing=True, **given))


def test_a_photo_that_was_left_out_is_looked_at_again_when_it_changes(photos, model, tmp_path):
    given = (tmp_path / "anna.png", photos / "wall.png")
    job = Job(target=photos / "1.png", references=given, output=tmp_path / "o.png")
    statuses = [next(run([job], model, skip_existing=True)).status for _ in range(2)]
    assert statuses == ["done", "kept"]
    write_image(photos / "wall.png", toy_photo(3)[0])
    assert next(run([job], model, skip_existing=True)).status == "done"


def test_a_picture_of_other_arrays_is_made_anew(photos, model, tmp_path):
    """Only files were compared, so that the picture of any array before was kept."""
    job = Job(target=photos / "1.png", references=(), output=tmp_path / "o.png")
    photo, other = toy_photo(2)[0], toy_photo(3)[0]

    def status(array):
        request = SwapRequest(mapping={0: (array,)})
        return next(run([job], model, request=request, skip_existing=True)).status

    given = (photo, photo, other, other.astype(np.float64))  # which is read as float32
    assert [status(array) for array in given] == ["done", "kept", "done", "kept"]


def test_lists_name_targets_references_and_outputs(photos, model, tmp_path):
    listing = tmp_path / "list.csv"
    listing.write_text(
        "target,reference,output\nphotos/1.png,anna.png,one.png\nphotos/3.png,anna.png;photos/4.png,\n"
    )
    jobs = read_jobs(listing, tmp_path / "out")
    assert [job.output.name for job in jobs] == ["one.png", "3_anna.png"]
    assert jobs[1].references == (tmp_path / "anna.png", photos / "4.png")
    assert [item.status for item in run(jobs[:1], model)] == ["done"]
    for text, message in [
        ("a,b\n1,2\n", "target,reference"),
        ("target,reference\n", "lists nothing"),
        ("target,reference\nx.png,\n", "line 2"),
        ("target,reference\nx.png,;\n", "line 2"),
        (f"target,reference\n{'x' * 200_000},a.png\n", "no CSV table"),
    ]:
        listing.write_text(text)
        with pytest.raises(InputError, match=message):
            read_jobs(listing, tmp_path / "out")
    listing.write_bytes(b"target,reference\rphotos/1.png,anna.png\r")
    assert [job.target for job in read_jobs(listing, tmp_path / "out")] == [photos / "1.png"]


def test_outputs_never_overwrite_each_other_or_their_inputs(photos, model, tmp_path):
    anna = (tmp_path / "anna.png",)
    jobs = [
        Job(target=photos / "1.png", references=anna, output=tmp_path / "o.png"),
        Job(target=photos / "3.png", references=anna, output=tmp_path / "o.png"),
        Job(target=photos / "4.png", references=anna, output=photos / "4.png"),
    ]
    before = (photos / "4.png").read_bytes()
    items = list(run(jobs, model))
    assert [item.status for item in items] == ["done", "failed", "failed"]
    assert "output of" in items[1].error and "an input of the batch" in items[2].error
    assert (photos / "4.png").read_bytes() == before


def test_outputs_never_overwrite_inputs_of_other_jobs(photos, model, tmp_path):
    anna = (tmp_path / "anna.png",)
    jobs = [
        Job(target=photos / "1.png", references=anna, output=photos / "3.png"),
        Job(target=photos / "3.png", references=anna, output=tmp_path / "o.png"),
    ]
    before = (photos / "3.png").read_bytes()
    items = list(run(jobs, model, skip_existing=True))
    assert [item.status for item in items] == ["failed", "done"]
    assert "an input of the batch" in items[0].error
    assert (photos / "3.png").read_bytes() == before


def test_a_target_without_its_mask_fails(photos, model, tmp_path):
    write_image(tmp_path / "masks" / "1.png", np.ones((120, 120, 3), np.float32))
    (tmp_path / "masks" / "1.png").rename(tmp_path / "masks" / "1.PNG")
    targets = [photos / "1.png", photos / "3.png"]
    jobs = jobs_of_targets(targets, [tmp_path / "anna.png"], tmp_path / "out")
    items = list(run(jobs, model, masks=tmp_path / "masks"))
    assert [item.status for item in items] == ["done", "failed"]
    assert items[0].record["settings"]["mask"].endswith("1.PNG")
    assert "no mask of 3.png" in items[1].error and not jobs[1].output.exists()


def test_other_boxes_weights_and_likenesses_are_made_again(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(FaceFinder, "_embed", lambda self, photo, face: np.array([1.0, 0.0, 0.0]))
    model, like = ToyModel(), tmp_path / "like.png"
    networks = [tmp_path / "one.onnx", tmp_path / "two.onnx"]
    for network in networks:
        network.write_bytes(b"a network")
    write_image(like, toy_photo(1)[0])
    job = Job(
        target=photos / "1.png", references=(tmp_path / "anna.png",), output=tmp_path / "o.png"
    )

    def status(boxes=None, network=networks[0], **settings):
        request = SwapRequest(target=Selection(like=like))
        finder = FaceFinder(model, boxes=boxes, recognition=network)
        made = swap_many(
            [job], finder=finder, request=request, options=OPTIONS, skip_existing=True, **settings
        )
        return next(made).status

    assert [status(), status()] == ["done", "kept"]
    boxes = {"1": [[10, 10, 110, 110]], "elsewhere": [[0, 0, 1, 1]]}
    assert [status(boxes), status(boxes), status()] == ["done", "kept", "done"]
    object.__setattr__(model, "weights_sha256", "other")
    assert [status(), status()] == ["done", "kept"]
    write_image(like, toy_photo(3)[0])
    assert [status(), status()] == ["done", "kept"]
    assert status(network=networks[1]) == "done"
    object.__setattr__(model, "detector_name", "another")
    assert [status(), status()] == ["done", "kept"]
    networks[0].unlink()  # what cannot be told of is made again, and fails by itself
    assert status() == "failed"


def test_another_detector_changes_nothing_where_all_boxes_are_given(photos, tmp_path):
    model, job = ToyModel(), jobs_of_targets([photos / "1.png"], [tmp_path / "anna.png"], tmp_path)
    boxes = {"1": [[10, 10, 110, 110]], "anna": [[10, 10, 110, 110]]}

    def status(given):
        settings = {"request": SwapRequest(), "options": OPTIONS, "skip_existing": True}
        return next(swap_many(job, finder=FaceFinder(model, boxes=given), **settings)).status

    assert [status(boxes), status(boxes)] == ["done", "kept"]
    object.__setattr__(model, "detector_name", "another")
    assert status(boxes) == "kept"
    assert [status({"1": boxes["1"]}), status({"1": boxes["1"]})] == ["done", "kept"]
    object.__setattr__(model, "detector_name", "a third")
    assert status({"1": boxes["1"]}) == "done"


def test_an_unsigned_picture_is_signed_after_all(photos, model, tmp_path, monkeypatch):
    job = Job(
        target=photos / "1.png", references=(tmp_path / "anna.png",), output=tmp_path / "o.png"
    )
    signer = ContentSigner(certificate=tmp_path / "cert.pem", key=tmp_path / "key.pem")
    monkeypatch.setattr(ContentSigner, "sign", lambda self, content, **_: content)
    assert next(run([job], model)).status == "done"
    assert next(run([job], model, skip_existing=True)).status == "kept"
    assert next(run([job], model, skip_existing=True, signer=signer)).status == "done"


def test_rows_hold_names_that_are_not_utf_8(tmp_path):
    name = os.fsdecode(b"a\xff.png")
    item = SwapItem(
        photo=Path(name), references=(Path("b.png"),), output=tmp_path / name, record={}
    )
    write_rows(tmp_path / "rows.csv", [item])
    assert b"\na\xff.png,b.png," in (tmp_path / "rows.csv").read_bytes()


def test_a_row_names_the_references_of_a_map(model, photos, tmp_path):
    """The column was empty; pictures that are kept tell, too, and those that failed."""
    write_image(tmp_path / "pair.png", toy_group(COUPLE)[0])
    mapping = {0: (tmp_path / "anna.png",), 1: (photos / "3.png",)}
    given = {"request": SwapRequest(mapping=mapping), "skip_existing": True}
    jobs = jobs_of_targets([tmp_path / "pair.png", photos / "wall.png"], [], tmp_path / "out")
    for status in ("done", "kept"):
        write_rows(tmp_path / "rows.csv", list(run(jobs, model, **given)))
        rows = list(csv.DictReader((tmp_path / "rows.csv").read_text().splitlines()))
        assert [row["status"] for row in rows] == [status, "failed"]
        assert rows[0]["reference"] == f"{tmp_path / 'anna.png'};{photos / '3.png'}"
        assert rows[1]["reference"] == rows[0]["reference"]
        assert (rows[0]["faces"], rows[1]["faces"]) == ("2", "0")


def test_a_folder_of_masks_is_listed_once(model, tmp_path, monkeypatch):
    """It was for each target before the first picture: 100 s for 3,000 of them."""
    names = [f"{k}.png" for k in range(20)]
    (tmp_path / "masks").mkdir()
    for name in names:
        (tmp_path / "masks" / name).touch()
    listed, listing = [], Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda folder: listed.append(1) or listing(folder))
    jobs = jobs_of_targets([tmp_path / name for name in names], [tmp_path / "b"], tmp_path / "out")
    listed.clear()
    assert next(run(jobs, model, masks=tmp_path / "masks")).error
    assert len(listed) == 1


def test_of_masks_with_one_stem_the_first_by_name_is_taken(tmp_path):
    for name in ("a.tif", "a.png", "a.txt", "b.PNG"):
        (tmp_path / name).touch()
    assert masks_in(tmp_path) == {"a": tmp_path / "a.png", "b": tmp_path / "b.PNG"}


def test_each_target_has_its_own_mask(photos, model, tmp_path):
    mask = np.zeros((120, 120, 3), np.float32)
    mask[:, :60] = 1.0
    write_image(tmp_path / "masks" / "1.png", mask)
    jobs = jobs_of_targets([photos / "1.png"], [tmp_path / "anna.png"], tmp_path / "out")
    item = next(run(jobs, model, masks=tmp_path / "masks"))
    assert item.record["settings"]["mask"].endswith("1.png")
    before, after = read_photo(photos / "1.png").image, read_photo(tmp_path / "out" / "1.png").image
    changed = (before != after).any(axis=(0, 2))
    assert changed[:60].any() and not changed[60:].any()
    write_image(tmp_path / "masks" / "1.png", mask[:50])
    assert "as large as the photo" in next(run(jobs, model, masks=tmp_path / "masks")).error


@pytest.mark.parametrize("name", ["../esc.png", "/abs.png", "in/../../esc.png"])
def test_outputs_of_a_list_stay_in_the_folder(tmp_path, name):
    listing = tmp_path / "list.csv"
    listing.write_text(f"target,reference,output\na.png,b.png,{name}\n")
    with pytest.raises(InputError, match=f"line 2: output {name} is not in"):
        read_jobs(listing, tmp_path / "out")


def test_swaps_do_not_go_among_their_targets(photos, tmp_path):
    """The next run would swap the faces of swaps."""
    with pytest.raises(InputError, match=r"photos holds 1\.png, one of the photos"):
        jobs_of_targets([photos], [tmp_path / "anna.png"], photos / "." / "")
