"""``uvface exchange``, from the command line to the files, with toy faces."""

import dataclasses
import hashlib
import json
import os
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from toy_faces import SIZE, toy_photo
from toy_models import COUPLE, ToyModel, toy_group

from uvface.cli import main
from uvface.core.io.images import read_photo, write_image
from uvface.core.io.provenance import read_provenance
from uvface.core.io.sidecar import is_intact, read_sidecar


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, model):
    """Return the working folder, with a couple and two people, whom the model knows, and a wall."""
    monkeypatch.setattr("uvface.core.reconstruct.load", lambda *_: model)
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "in" / "couple.png", toy_group(COUPLE)[0])
    for seed, name in ((1, "anna"), (2, "ben")):
        write_image(tmp_path / "in" / f"{name}.png", toy_photo(seed)[0])
    write_image(tmp_path / "in" / "wall.png", np.full((120, 120, 3), 0.5, np.float32))
    return tmp_path


def run(words):
    return main(["exchange", *words.split(), "--keep", "none"])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_one_photo_becomes_one_picture(folder, capsys):
    assert run("in/couple.png -o out.png") == 0
    captured = capsys.readouterr()
    assert captured.out == "in/couple.png -> out.png\n" and captured.err == ""
    assert names(folder) == ["in", "out.png", "out.png.json"]
    before, after = (read_photo(path).image for path in ("in/couple.png", "out.png"))
    changed = (before != after).any(axis=(0, 2))
    assert changed[:SIZE].any() and changed[SIZE:].any()
    assert read_provenance("out.png").operation == "exchange"
    assert main(["inspect", "out.png"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sidecar_fits"] is True and told["sidecar"]["settings"]["keep"] == []


def test_two_photos_become_two_pictures_of_their_names(folder, capsys):
    assert run("in/anna.png in/ben.png -o new/out") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"in/{name}.png -> new/out/{name}.png" for name in ("anna", "ben")]
    out = folder / "new" / "out"
    assert names(out) == ["anna.png", "anna.png.json", "ben.png", "ben.png.json"]
    for name, other in (("anna", "ben"), ("ben", "anna")):
        sidecar = read_sidecar(out / f"{name}.png")
        assert is_intact(out / f"{name}.png", sidecar)
        assert sidecar["operation"] == read_provenance(out / f"{name}.png").operation == "exchange"
        given = {f"in/{one}.png": Path(f"in/{one}.png").read_bytes() for one in (name, other)}
        assert {one["path"]: one["sha256"] for one in sidecar["inputs"]} == {
            path: hashlib.sha256(content).hexdigest() for path, content in given.items()
        }
        swapped = folder / f"{name}.png"
        words = f"swap in/{name}.png in/{other}.png --keep none -o {swapped}"
        assert main(words.split()) == 0
        np.testing.assert_array_equal(
            read_photo(swapped).image, read_photo(out / f"{name}.png").image
        )


def test_every_picture_has_its_json(capsys):
    assert run("in/anna.png in/ben.png -o out --json --faces left") == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["image"] for one in records] == ["out/anna.png", "out/ben.png"]
    assert [one["photo"] for one in records] == ["in/anna.png", "in/ben.png"]
    assert all(one["settings"]["faces"] == "left" for one in records)


def test_a_mark_alone_or_none_is_written_where_asked_for(folder, capsys):
    assert run("in/anna.png in/ben.png -o out") == 0
    assert run("in/anna.png in/ben.png -o out --no-sidecar --quiet") == 0
    assert names(folder / "out") == ["anna.png", "ben.png"]
    assert read_provenance(folder / "out" / "ben.png").operation == "exchange"
    assert run("in/couple.png -o out.png --no-metadata --quiet") == 0
    assert read_provenance("out.png") is None and not Path("out.png.json").exists()
    assert capsys.readouterr().out.count("\n") == 2  # of the first alone


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("in/anna.png -o out.png", "one face found in anna.png, and two change places; give"),
        ("in/wall.png -o out.png", "no face found in wall.png"),
        ("in/couple.png -o out.png --faces right,1", "face 1 is chosen twice"),
        ("in/couple.png -o out.png --faces 0,2", "no face 2: the photo has 2"),
        ("in/anna.png in/wall.png -o out", "no face found in wall.png"),
        ("in/anna.png in/no.png -o out", "in/no.png does not exist"),
        ("in/anna.png in/ben.png -o out --faces 0,1", "no face 1: the photo has 1"),
    ],
)
def test_what_fails_is_one_line_and_leaves_nothing(words, said, folder, capsys):
    assert run(words) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and said in error and error.count("\n") == 1
    assert names(folder) == ["in"] and len(names(folder / "in")) == 4


def test_of_two_pictures_none_is_written_where_one_cannot_be(folder, capsys):
    (folder / "out" / "ben.png").mkdir(parents=True)
    assert run("in/anna.png in/ben.png -o out") == 1
    assert capsys.readouterr().err == "error: cannot write out/ben.png: it is a folder\n"
    assert names(folder / "out") == ["ben.png"]


def test_warnings_say_of_which_picture(monkeypatch, capsys):
    """Anna's face is said to be small: Ben's photo gets a soft one."""
    model = ToyModel()
    image, (face,) = model.known[0]
    small = dataclasses.replace(face, box=jnp.array([40.0, 40.0, 70.0, 70.0]))
    model.known[0] = (image, [small])
    monkeypatch.setattr("uvface.core.reconstruct.load", lambda *_: model)
    assert run("in/anna.png in/ben.png -o out --quiet") == 0
    tiny = "photo anna.png: the face is only 30 pixels wide; its details are guessed"
    soft = "the reference's face measures 30 pixels, the target's 100: the result is soft"
    assert capsys.readouterr().err.splitlines() == [
        f"warning: {line}" for line in (f"anna.png: {tiny}", f"ben.png: {tiny}", f"ben.png: {soft}")
    ]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_inputs_are_not_written_over_through_links(folder, capsys):
    (folder / "out").mkdir()
    (folder / "out" / "anna.png").symlink_to(folder / "in" / "anna.png")
    before = (folder / "in" / "anna.png").read_bytes()
    assert run("in/anna.png in/ben.png -o out") == 2
    assert "would overwrite an input; choose another folder" in capsys.readouterr().err
    Path("file").write_text("")
    assert run("in/anna.png in/ben.png -o file") == 2
    assert "output file is a file; of two photos it is a folder" in capsys.readouterr().err
    assert (folder / "in" / "anna.png").read_bytes() == before
