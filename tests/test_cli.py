"""The command line: exit codes, one-line errors, no half-written files."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import jax.numpy as jnp
import numpy as np
import pytest
import skimage.data
from typer.main import get_command

import uvface
from uvface.cli import app, main
from uvface.core.geometry.sampling import sample_texture
from uvface.core.io.images import read_photo, write_image
from uvface.core.io.provenance import Provenance
from uvface.core.reconstruct import load

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = ROOT / "examples" / "photos"
ASTRONAUT_BOX = [177.0, 71.0, 271.0, 188.0]


@pytest.fixture(scope="module")
def astronaut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "astronaut.png"
    cv2.imwrite(str(path), skimage.data.astronaut()[..., ::-1])
    return path


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    names = (
        "reconstruct swap exchange edit texture augment inspect synthesize train evaluate doctor "
        "benchmark models"
    )
    assert all(f" {name} " in shown for name in names.split())


def test_a_picture_that_is_a_crop_already_needs_no_boxes(astronaut: Path, tmp_path: Path) -> None:
    left, top, right, bottom = (int(edge) for edge in ASTRONAUT_BOX)
    crop, out = tmp_path / "crop.png", tmp_path / "out"
    cv2.imwrite(
        str(crop), cv2.imread(str(astronaut))[top - 25 : bottom + 25, left - 40 : right + 40]
    )
    assert main(["reconstruct", str(crop), "-o", str(out), "--cropped", "--save", "landmarks"]) == 0
    (face,) = json.loads((out / "crop.json").read_text())["faces"]
    assert len(face["landmarks"]) == 68


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    """It was "No such option: --version"; sidecars have named the same one."""
    for words in (["--version"], ["--version", "swap"]):
        assert main(words) == 0
        captured = capsys.readouterr()
        assert captured.out == f"uvface {metadata.version('uvface')}\n" and captured.err == ""


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_neither_jax_nor_opencv(option: str) -> None:
    code = (
        f"import sys; from uvface.cli import main; main([{option!r}]); "
        "sys.exit(bool({'jax', 'cv2'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.weights
def test_missing_photo_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.png"
    assert main(["swap", str(tmp_path / "no.png"), str(tmp_path / "no2.png"), "-o", str(out)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "no.png" in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.weights
def test_photo_without_a_face_fails_a_swap_and_not_a_batch(
    tmp_path: Path, astronaut: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grey = tmp_path / "grey.png"
    cv2.imwrite(str(grey), np.full((120, 160, 3), 128, np.uint8))
    assert main(["swap", str(grey), str(astronaut), "-o", str(tmp_path / "out.png")]) == 1
    assert "no face" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()
    assert main(["reconstruct", str(grey), "-o", str(tmp_path / "out"), "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["faces"] == []
    assert captured.err.startswith("warning: ")


@pytest.mark.weights
def test_bad_photo_does_not_end_a_batch(
    tmp_path: Path, astronaut: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"not a picture")
    out = tmp_path / "out"
    assert main(["reconstruct", str(broken), str(astronaut), "-o", str(out), "--save", "all"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and "broken.jpg" in captured.err
    record = json.loads((out / "astronaut.json").read_text())
    face = record["faces"][0]
    assert len(face["landmarks"]) == 68
    assert abs(face["pose"]["yaw"]) < 35
    assert all((out / name).is_file() for name in face["files"].values())
    nose = np.array(face["landmarks"][30][:2])
    assert np.abs(nose - [224, 130]).max() < 15
    left, top, right, bottom = face["box"]
    assert np.abs(np.array([left, top, right, bottom]) - ASTRONAUT_BOX).max() < 25


@pytest.mark.weights
def test_boxes_skip_detection(
    tmp_path: Path, astronaut: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps({"astronaut": [ASTRONAUT_BOX]}))
    arguments = ["reconstruct", str(astronaut), "-o", str(tmp_path / "out"), "--json"]
    assert main([*arguments, "--boxes", str(boxes)]) == 0
    assert json.loads(capsys.readouterr().out)["faces"][0]["box"] == ASTRONAUT_BOX
    boxes.write_text('{"astronaut": [1, 2, 3, 4]}')
    assert main([*arguments, "--boxes", str(boxes)]) == 1
    assert "left, top, right, bottom" in capsys.readouterr().err


@pytest.mark.weights
def test_warnings_of_faces_are_printed_also_where_it_is_quiet(
    tmp_path: Path, astronaut: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps({astronaut.name: [[210, 110, 240, 140]]}))
    arguments = ["reconstruct", str(astronaut), "-o", str(tmp_path / "out"), "--quiet"]
    assert main([*arguments, "--save", "landmarks,", "--boxes", str(boxes)]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"warning: {astronaut}: the face is only 30 pixels wide" in captured.err


@pytest.mark.weights
def test_names_that_are_not_utf_8_are_printed_and_read(
    tmp_path: Path, astronaut: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, boxes = tmp_path / os.fsdecode(b"a\xff.png"), tmp_path / "boxes.json"
    photo.write_bytes(astronaut.read_bytes())
    boxes.write_text(json.dumps({photo.stem: [ASTRONAUT_BOX]}))
    arguments = ["reconstruct", str(photo), "-o", str(tmp_path / "out"), "--boxes", str(boxes)]
    assert main([*arguments, "--save", "landmarks"]) == 0
    assert f"{tmp_path}/a?.png: 1 face" in capsys.readouterr().out


@pytest.mark.weights
def test_several_faces_are_numbered_from_the_left_and_can_be_chosen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, out, boxes = tmp_path / "two.png", tmp_path / "out", tmp_path / "boxes.json"
    one = skimage.data.astronaut()[..., ::-1]
    cv2.imwrite(str(photo), np.concatenate([one[:, :400], one[:, 100:400]], axis=1))
    right = [ASTRONAUT_BOX[0] + 300, ASTRONAUT_BOX[1], ASTRONAUT_BOX[2] + 300, ASTRONAUT_BOX[3]]
    boxes.write_text(json.dumps({"two": [right, ASTRONAUT_BOX]}))
    arguments = ["reconstruct", str(photo), "-o", str(out), "--boxes", str(boxes), "--json"]
    arguments += ["--save", "pose"]
    assert main([*arguments, "--frontal", "--canonical"]) == 0
    first, second = json.loads(capsys.readouterr().out)["faces"]
    assert (first["box"], second["box"]) == (ASTRONAUT_BOX, right)
    assert first["files"]["frontal_obj"] == "two_0_frontal.obj"
    assert second["files"]["canonical_glb"] == "two_1_canonical.glb"
    for name in (*first["files"].values(), *second["files"].values()):
        assert (out / name).is_file()
    assert main([*arguments, "--faces", "1"]) == 0
    (chosen,) = json.loads(capsys.readouterr().out)["faces"]
    assert chosen["box"] == right and chosen["files"] == {"pose": "two_pose.txt"}
    assert main([*arguments, "--faces", "2"]) == 1
    captured = capsys.readouterr()
    assert "no face 2: the photo has 2" in captured.err and "error" in json.loads(captured.out)


@pytest.mark.weights
def test_a_second_run_keeps_results_and_draws_the_sheet(
    tmp_path: Path, astronaut: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.png"
    arguments = ["reconstruct", str(astronaut), "-o", str(tmp_path / "out"), "--skip-existing"]
    arguments += ["--save", "landmarks", "--contact-sheet", str(sheet)]
    assert main(arguments) == 0 and "(kept)" not in capsys.readouterr().out
    first = cv2.imread(str(sheet))
    assert main(arguments) == 0 and "(kept)" in capsys.readouterr().out
    assert first.shape == (256, 256, 3) and (cv2.imread(str(sheet)) == first).all()
    before = astronaut.read_bytes()
    assert main([*arguments[:-1], str(astronaut)]) == 2
    assert "one of the photos" in capsys.readouterr().err and astronaut.read_bytes() == before


@pytest.mark.weights
@pytest.mark.parametrize("name", ["sheet.png", "sheet.jpg", "sheet.webp", "sheet.tif"])
def test_a_contact_sheet_among_the_photos_is_no_photo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    grey, photos = np.full((60, 80, 3), 128, np.uint8), tmp_path / "photos"
    photos.mkdir()
    cv2.imwrite(str(photos / "grey.png"), grey)
    arguments = ["reconstruct", str(photos), "-o", str(tmp_path / "out"), "--json"]
    sheet = ["--contact-sheet", str(photos / name)]
    for option in (sheet, sheet, []):
        assert main([*arguments, *option]) == 0
        record = json.loads(capsys.readouterr().out)  # of one photo
        assert Path(record["image"]).name == "grey.png"
    assert main(["inspect", str(photos / name)]) == 0
    assert json.loads(capsys.readouterr().out)["operation"] == "contact sheet"


@pytest.mark.weights
def test_swap_and_edit_write_marked_pictures(
    tmp_path: Path, astronaut: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mirrored = tmp_path / "mirrored.png"
    cv2.imwrite(str(mirrored), cv2.imread(str(astronaut))[:, ::-1])
    out = tmp_path / "swap.png"
    assert main(["swap", str(astronaut), str(mirrored), "-o", str(out)]) == 0
    assert cv2.imread(str(out)).shape == (512, 512, 3)
    capsys.readouterr()
    assert main(["inspect", str(out)]) == 0
    assert "digitalsourcetype" in capsys.readouterr().out.lower()
    red = tmp_path / "red.png"
    edit = ["edit", str(astronaut), "-o", str(red), "--region", "lips", "--recolor", "#a01830"]
    assert main(edit) == 0
    before, after = cv2.imread(str(astronaut)).astype(int), cv2.imread(str(red)).astype(int)
    changed = np.abs(before - after).max(axis=-1) > 0
    assert 50 < changed.sum() < 4000


@pytest.mark.weights
def test_a_reshaped_face_is_read_as_it_was_reshaped(tmp_path: Path, astronaut: Path) -> None:
    """The network, shown the new picture, finds landmarks about where the moved face says."""
    out, model = tmp_path / "reshaped.png", uvface.load()
    amounts = {"mouth_open": 0.6, "smile": 0.6, "brows_up": 1.0, "nose_length": 0.8}
    text = ",".join(f"{name}={amount}" for name, amount in amounts.items())
    assert main(["edit", str(astronaut), "-o", str(out), "--reshape", text]) == 0
    result = uvface.edit(astronaut, model=model, reshape=amounts)
    assert np.abs(cv2.imread(str(out))[..., ::-1] / 255 - result.image).max() < 2.0 / 255
    (before,) = model.reconstruct(astronaut)
    (after,) = model.reconstruct(result.image, boxes=[np.asarray(before.box).tolist()])
    (told,) = result.faces
    face = slice(17, 68)  # without the jaw, which a box of the old face does not hold
    moved, left = (
        np.linalg.norm(np.asarray(a.landmarks - b.landmarks)[face, :2], axis=-1)
        for a, b in ((told, before), (told, after))
    )
    assert moved.max() > 4.0 and left.mean() < 0.5 * moved.mean()


@pytest.mark.weights
def test_a_folder_of_photos_is_edited_and_goes_on(
    tmp_path: Path, astronaut: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    (photos / "b.png").write_bytes(astronaut.read_bytes())
    cv2.imwrite(str(photos / "a.png"), np.full((200, 200, 3), 128, np.uint8))
    command = ["edit", str(photos), "-o", str(out), "--retouch", "skin=1", "--skip-existing"]
    for told in ("", " (kept)"):
        assert main(command) == 1  # a wall has no face
        printed = capsys.readouterr()
        assert printed.out == f"{photos / 'b.png'} -> {out / 'b.png'}{told}\n"
        assert "no face" in printed.err and "a.png" in printed.err
        assert sorted(path.name for path in out.iterdir()) == ["b.png", "b.png.json"]


@pytest.mark.weights
def test_benchmark_times_every_stage(astronaut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["benchmark", str(astronaut), str(astronaut), "--repeats", "3"]
    assert main([*arguments, "--json"]) == 0
    rows = {r["stage"]: r for r in map(json.loads, capsys.readouterr().out.splitlines())}
    assert all(0.0 < row["low"] <= row["median"] <= row["high"] for row in rows.values())
    drawn, seen = (rows[k] for k in ("mask, colours, visibility, depth", "visibility"))
    assert drawn["median"] > seen["low"]
    assert rows["network, one crop"]["median"] < rows["reconstruct, box given"]["median"]
    assert rows["swap, faces given"]["median"] < rows["whole swap, boxes given"]["median"]
    assert main(["benchmark", str(astronaut), "no.png"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_no_gpu_where_one_was_asked_for_is_one_line(
    astronaut: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import jax

    def fail() -> None:
        raise RuntimeError("Unable to initialize backend\n'cuda'")

    monkeypatch.setenv("JAX_PLATFORMS", "cpu")  # so that it is put back
    monkeypatch.setattr(jax, "devices", fail)
    assert main(["reconstruct", str(astronaut), "-o", "out", "--device", "gpu"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "no GPU that JAX can use" in line and "--device auto" in line


def test_inspect_passes_over_a_sidecar_of_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.jpg"
    cv2.imwrite(str(path), np.zeros((8, 8, 3), np.uint8))
    Path(f"{path}.json").write_text('{"camera": "mine"}')
    assert main(["inspect", str(path)]) == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == "null"
    assert captured.err == f"no provenance: nothing in {path} says that it is synthetic\n"


@pytest.mark.parametrize(
    "content", [b'{"format": "uvface side', b"", b"\xff\xfe\x00", b"[" * 100_000]
)
def test_inspect_names_a_damaged_sidecar_and_tells_what_the_picture_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "a.jpg"
    grey = np.full((8, 8, 3), 0.5, np.float32)
    write_image(path, grey, provenance=Provenance(operation="swap"))
    Path(f"{path}.json").write_bytes(content)
    assert main(["inspect", str(path)]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["operation"] == "swap" and found["sidecar"] is None
    (line,) = captured.err.splitlines()
    assert line.startswith(f"warning: {path}.json is ")


@pytest.mark.weights
def test_edit_puts_the_eyes_of_another_photo_in_and_changes_nothing_else(tmp_path: Path) -> None:
    target, reference, out = PHOTOS / "target.jpg", PHOTOS / "reference.jpg", tmp_path / "out.png"
    arguments = [str(target), "--region", "eyes", "--from", str(reference), "-o", str(out)]
    assert main(["edit", *arguments]) == 0
    before, after, other = (read_photo(path).image for path in (target, out, reference))
    model = load()
    (face,), (donor,) = model.reconstruct(before), model.reconstruct(other)
    rows, columns = np.nonzero((before != after).any(axis=-1))
    is_near = np.zeros(len(rows), bool)
    for eye in (slice(36, 42), slice(42, 48)):
        points = np.asarray(face.landmarks)[eye, :2]
        low, high = points.min(axis=0), points.max(axis=0)
        reach = high[0] - low[0]  # the width of the eye
        places = np.stack([columns, rows], axis=1)
        is_near |= ((places > low - reach / 2) & (places < high + reach / 2)).all(axis=1)
    assert len(rows) > 500 and is_near.all()
    eyes = np.asarray(model.layout.region("eyes")) > 0.5
    edited = np.asarray(sample_texture(jnp.asarray(after), face.position_map))[eyes]
    old, goal = np.asarray(face.texture)[eyes], np.asarray(donor.texture)[eyes]
    assert np.abs(edited - goal).mean() < 0.75 * np.abs(old - goal).mean()


def _commands(group: Any, *path: str) -> Iterator[tuple[list[str], Any]]:
    """Give the words that call each command, and the command."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, *path, name)
        else:
            yield [*path, name], command


@pytest.mark.parametrize(
    ("words", "command"),
    [pytest.param(*found, id=" ".join(found[0])) for found in _commands(get_command(app))],
)
def test_help_shows_what_stands_in_brackets(words, command, capsys, monkeypatch) -> None:
    """Words in brackets are markup to what prints the help, which leaves them out."""
    monkeypatch.setenv("COLUMNS", "400")
    assert main([*words, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    texts = [command.help, *(getattr(parameter, "help", "") for parameter in command.params)]
    written = " ".join(text or "" for text in texts).replace("\\", "")
    for text in re.findall(r"\[[^]]+\]", written):
        assert text in shown


def test_inspect_names_the_file_that_is_no_picture(tmp_path, capsys) -> None:
    (tmp_path / "a.json").write_text("{}")
    assert main(["inspect", str(tmp_path / "a.json")]) == 1
    error = f"error: {tmp_path / 'a.json'} is not an image we know; give a picture\n"
    assert capsys.readouterr().err == error
