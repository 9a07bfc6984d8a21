"""``uvface swap`` on a real photo, from the command line to the files."""

import json
from pathlib import Path

import cv2
import jax
import numpy as np
import pytest
import skimage.data

from uvface.cli import main
from uvface.core.errors import InputError
from uvface.core.geometry.layout import load_layout
from uvface.core.io import boxes
from uvface.editing import plan
from uvface.faceswap.photos import prepare_swap
from uvface.faceswap.request import SwapOptions, SwapRequest


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a face, its mirror image, and both side by side."""
    folder = tmp_path_factory.mktemp("photos")
    face = skimage.data.astronaut()[20:276, 90:346, ::-1]
    cv2.imwrite(str(folder / "face.png"), face)
    cv2.imwrite(str(folder / "mirrored.png"), face[:, ::-1])
    cv2.imwrite(str(folder / "pair.png"), np.concatenate([face, face[:, ::-1]], axis=1))
    return folder


@pytest.mark.parametrize("options", [[], ["--color", "none"]])
def test_what_is_loaded_ahead_is_what_the_swap_asks_for(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    asked, planner = [], plan._planner

    def recorded(config):
        def run(*arguments):
            leaves = jax.tree.leaves(arguments)
            asked.append((config, [(leaf.shape, leaf.dtype) for leaf in leaves]))
            return planner(config)(*arguments)

        return run

    pair = [str(photos / "face.png"), str(photos / "mirrored.png")]
    command = ["swap", *pair, "-o", str(tmp_path / "out.png"), *options]
    assert main(command) == 0  # nothing is loaded ahead that no earlier run has kept
    monkeypatch.setattr(plan, "_planner", recorded)
    assert main(command) == 0
    assert len(asked) == 3 and all(one == asked[0] for one in asked)  # ahead, drawn, reported


@pytest.mark.parametrize("references", [("a.png", "b.png"), ("anna.uvface",), ()])
def test_textures_have_no_plan_that_is_loaded_ahead(
    monkeypatch: pytest.MonkeyPatch, references: tuple[str, ...]
) -> None:
    planned = []
    monkeypatch.setattr("uvface.faceswap.photos.plan_stages", lambda *a, **k: planned.append(1))
    for given in (references, ("a.png",)):
        request = SwapRequest(references=tuple(Path(name) for name in given))
        prepare_swap(load_layout(), request, SwapOptions())
    assert planned == [1]  # of the one photo


@pytest.mark.parametrize(
    "arguments",
    [
        ["swap", "a.png", "-o", "out.png"],
        ["swap", "a.png", "b.png", "--map", "0=c.png", "-o", "out.png"],
        ["swap", "a.png", "--map", "nose=c.png", "-o", "out.png"],
        ["swap", "a.png", "b.png", "--faces", "tallest", "-o", "out.png"],
        ["swap", "-o", "out.png"],
        ["swap", "a.png", "b.png", "-o", "out.doc"],
        ["swap", "a.png", "b.png", "-o", "out.png", "--blend", "glue"],
        ["swap", "a.png", "b.png", "-o", "out.png", "--shape", "2"],
        ["swap", "a.png", "b.png", "-o", "out.png", "--report", "report.csv"],
        ["swap", "a.png", "b.png", "-o", "out.png", "--skip-existing"],
        ["swap", "a*.png", "b.png", "-o", "out", "--skip-existing", "--no-sidecar"],
        ["swap", "a*.png", "b.png", "-o", "out", "--skip-existing", "--no-metadata"],
        ["swap", "a.png", "--list", "list.csv", "-o", "out"],
        ["swap", "--list", "list.csv", "-o", "out", "--mask", "mask.png"],
        ["swap", "a.png", "b.png", "-o", "out.png", "--reference-face", "all"],
        ["swap", "a.png", "--map", "0=c.png", "-o", "out.png", "--faces", "all"],
        ["swap", "a.png", "--map", "0=c.png", "-o", "out.png", "--like", "d.png"],
        "edit a.png --from b.png --region nose -o out.png --reference-face all".split(),
        "edit a.png --recolor #a01830 --region nose -o c.png --reference-face left".split(),
        "edit a.png --recolor #a01830 --region nose -o c.png --reference-like b.png".split(),
        "edit a.png --from b.png --region nose -o c.png --like c.png".split(),
        "edit a.png --from b.png --region nose -o c.png --reference-like c.png".split(),
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert main(arguments) == 2


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        ("--list pairs.csv -o out --report pairs.csv", "pairs.csv"),
        ("--list out/swaps.csv -o out", "out/swaps.csv"),  # the report's own place
        ("--list pairs.csv -o out --report out/../b.csv", "b.csv"),
        ("in --map map.json -o out --report map.json", "map.json"),
        ("in --map out/swaps.csv -o out", "out/swaps.csv"),
        ("in b.csv -o out --boxes boxes.json --report boxes.json", "boxes.json"),
        ("in/a.png b.html -o out.png --report b.html", "b.html"),
        ("in/a.png b.csv -o out.png --like b.html --report b.html", "b.html"),
        ("in b.csv -o out --report out/a.png.json", "out/a.png.json"),  # of the same run
    ],
)
def test_a_report_over_what_is_read_is_refused_before_any_work(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: str,
    read: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    contents = {
        "in/a.png": "a photo",
        "b.csv": "a photo, whatever its name",
        "b.html": "another",
        "pairs.csv": "target,reference\nin/a.png,b.csv\n",
        "map.json": '{"0": "b.csv"}',
        "boxes.json": '{"a": [[1, 2, 30, 40]]}',
        "out/swaps.csv": "face,reference,target\n0,b.csv,in/a.png\n",
        "out/a.png.json": "its sidecar",
    }
    for name, text in contents.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    assert main(["swap", *arguments.split()]) == 2
    assert "overwrite" in capsys.readouterr().err
    assert Path(read).read_text() == contents[read] and not Path("out.png").exists()


@pytest.mark.weights
def test_a_map_changes_its_face_and_no_other(photos: Path, tmp_path: Path) -> None:
    pair, out = photos / "pair.png", tmp_path / "out.png"
    mapping = f"1={photos / 'face.png'}"
    assert main(["swap", str(pair), "--map", mapping, "-o", str(out)]) == 0
    before, after = cv2.imread(str(pair)), cv2.imread(str(out))
    assert (before[:, :256] == after[:, :256]).all()
    assert (before[:, 256:] != after[:, 256:]).any()


def test_the_shape_is_an_option_and_told(photos: Path, tmp_path: Path) -> None:
    target, reference = (str(photos / name) for name in ("face.png", "mirrored.png"))
    pictures = []
    for shape in ("0", "1"):
        out = tmp_path / f"{shape}.png"
        assert main(["swap", target, reference, "-o", str(out), "--shape", shape]) == 0
        assert json.loads(Path(f"{out}.json").read_text())["settings"]["shape"] == float(shape)
        pictures.append(cv2.imread(str(out)).astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() > 10


def test_the_sharpness_is_an_option_and_told(photos: Path, tmp_path: Path) -> None:
    target, reference = tmp_path / "soft.png", str(photos / "mirrored.png")
    cv2.imwrite(str(target), cv2.GaussianBlur(cv2.imread(str(photos / "face.png")), (0, 0), 2.0))
    details = {}
    for sharpness in ("none", "match"):
        out = tmp_path / f"{sharpness}.png"
        command = ["swap", str(target), reference, "-o", str(out), "--sharpness", sharpness]
        assert main(command) == 0
        assert json.loads(Path(f"{out}.json").read_text())["settings"]["sharpness"] == sharpness
        details[sharpness] = np.abs(cv2.Laplacian(cv2.imread(str(out)), cv2.CV_32F)).mean()
    assert details["match"] < details["none"]


@pytest.mark.weights
def test_likeness_without_a_network_is_one_line(
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("uvface.core.detection.recognition.CACHE", tmp_path / "none")
    pair, face = str(photos / "pair.png"), str(photos / "face.png")
    assert main(["swap", pair, face, "--like", face, "-o", str(tmp_path / "out.png")]) == 1
    error = capsys.readouterr().err
    assert "--recognition FILE.onnx" in error and error.count("\n") == 1
    assert not (tmp_path / "out.png").exists()


@pytest.mark.weights
def test_a_face_file_swaps_nearly_as_its_photo(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, reference = str(photos / "mirrored.png"), str(photos / "face.png")
    face, by_file, by_photo = (tmp_path / name for name in ("a.uvface", "a.png", "b.png"))
    assert main(["texture", reference, "-o", str(face), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["photos"] == 1
    assert main(["swap", target, str(face), "-o", str(by_file)]) == 0
    assert main(["swap", target, reference, "-o", str(by_photo)]) == 0
    before, one, other = (cv2.imread(str(p)).astype(float) for p in (target, by_photo, by_file))
    changed = (one != before).any(axis=-1)
    error = np.mean((one[changed] - other[changed]) ** 2)
    assert changed.mean() > 0.05 and 10 * np.log10(255**2 / error) > 30.0
    assert main(["texture", reference, "-o", str(tmp_path / "a.png")]) == 2


@pytest.mark.weights
def test_report_warnings_and_the_record_tell_the_same(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, reference, out = (
        str(photos / "mirrored.png"),
        str(photos / "face.png"),
        tmp_path / "o.png",
    )
    mask = np.zeros((256, 256, 3), np.uint8)
    mask[:, :128] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    arguments = ["swap", target, reference, "-o", str(out), "--json", "--complete", "none"]
    arguments += ["--report", str(tmp_path / "report.html"), "--mask", str(tmp_path / "mask.png")]
    assert main(arguments) == 0
    captured = capsys.readouterr()
    record = json.loads(captured.out)
    skin = record["faces"][0]["skin"]
    assert skin["mirrored"] == skin["filled"] == 0.0 and skin["seen"] > 0.3
    lines = [line.removeprefix("warning: ") for line in captured.err.splitlines()]
    assert lines == record["warnings"]
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/jpeg") >= 12 and "<script" not in page
    before, after = cv2.imread(target), cv2.imread(str(out))
    assert (before[:, 128:] == after[:, 128:]).all() and (before != after).any()
    assert main(["inspect", str(out)]) == 0
    inspected = json.loads(capsys.readouterr().out)
    assert inspected["sidecar_fits"] is True and inspected["operation"] == "swap"
    assert [entry["role"] for entry in inspected["sidecar"]["inputs"]][-1] == "mask"
    cv2.imwrite(str(out), before)
    assert main(["inspect", str(out)]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["sidecar_fits"] is False and "changed" in captured.err


@pytest.mark.weights
def test_strict_fails_after_a_warning_and_writes(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = cv2.resize(cv2.imread(str(photos / "face.png")), (96, 96), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(tmp_path / "small.png"), small)
    arguments = ["swap", str(photos / "mirrored.png"), str(tmp_path / "small.png")]
    out = tmp_path / "o.png"
    assert main([*arguments, "-o", str(out), "--strict", "--no-metadata"]) == 1
    assert "warning: the reference's face measures" in capsys.readouterr().err
    assert out.is_file() and not (tmp_path / "o.png.json").exists()


@pytest.mark.weights
def test_a_folder_is_a_batch(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "a.png").write_bytes((photos / "mirrored.png").read_bytes())
    (folder / "b.png").write_bytes(b"no picture")
    arguments = ["swap", str(folder), str(photos / "face.png"), "-o", str(out)]
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].startswith("error: ") and "b.png" in captured.err
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "a.png.json", "swaps.csv"]
    first = (out / "a.png").read_bytes()
    assert main([*arguments, "--skip-existing", "--report", str(out / "rows.json")]) == 1
    assert "(kept)" in capsys.readouterr().out and (out / "a.png").read_bytes() == first
    rows = json.loads((out / "rows.json").read_text())
    assert [row["status"] for row in rows] == ["kept", "failed"]


@pytest.mark.parametrize(
    "command",
    [
        "swap face.png mirrored.png --reference-like ref.png",
        "edit face.png --from mirrored.png --region nose --reference-like ref.png",
        "texture face.png mirrored.png",
    ],
)
def test_boxes_may_be_given_for_every_photo_that_is_read(
    command: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the people whom a face is to be like, too."""
    asked: list[str] = []

    def stand_in(path: Path, photos: list[Path]) -> None:
        asked.extend(photo.stem for photo in photos)
        raise InputError("enough")

    monkeypatch.setattr(boxes, "read_boxes", stand_in)
    monkeypatch.chdir(photos)
    output = str(tmp_path / ("out.uvface" if command.startswith("texture") else "out.png"))
    given = ["--like", "like.png", "--boxes", "boxes.json", "-o", output]
    assert main([*command.split(), *given]) == 1
    assert {"face", "mirrored", "like"} <= set(asked)
    assert ("ref" in asked) == ("--reference-like" in command)


def test_an_edit_takes_several_regions_and_says_where_nothing_shows(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["edit", str(photos / "face.png"), "--recolor", "#a01830", "-o", str(tmp_path / "a.png")]
    assert main([*run, "--region", "lips, nose"]) == 0
    told = capsys.readouterr()
    assert "edited lips, nose" in told.out and "nothing that one sees" not in told.err
    assert main([*run, "--region", "lips", "--strength", "0.001"]) == 0
    assert "nothing that one sees changed: lips" in " ".join(capsys.readouterr().err.split())
