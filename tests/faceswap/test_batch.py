"""Batches: what is kept, what is made again, and that the results are the same."""

import csv
import json

import numpy as np
import pytest
from toy_faces import toy_photo
from toy_models import ToyModel

from uvface.core.errors import InputError
from uvface.core.io.images import read_photo, write_image
from uvface.core.io.sidecar import sidecar_path
from uvface.editing.finder import FaceFinder
from uvface.faceswap.batch import Job, jobs_of_targets, read_jobs, swap_many, write_rows
from uvface.faceswap.photos import SwapOptions, SwapRequest
from uvface.faceswap.swap import SwapConfig

OPTIONS = SwapOptions(config=SwapConfig(keep=()))


@pytest.fixture(scope="module")
def model():
    return ToyModel()


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
    assert [status(metadata=False)] == ["kept"]


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
    ]:
        listing.write_text(text)
        with pytest.raises(InputError, match=message):
            read_jobs(listing, tmp_path / "out")


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
    assert "output of" in items[1].error and "its own input" in items[2].error
    assert (photos / "4.png").read_bytes() == before


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
