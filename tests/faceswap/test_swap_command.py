"""``uvface swap`` on a real photo, from the command line to the files."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from uvface.cli import main


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a face, its mirror image, and both side by side."""
    folder = tmp_path_factory.mktemp("photos")
    face = skimage.data.astronaut()[20:276, 90:346, ::-1]
    cv2.imwrite(str(folder / "face.png"), face)
    cv2.imwrite(str(folder / "mirrored.png"), face[:, ::-1])
    cv2.imwrite(str(folder / "pair.png"), np.concatenate([face, face[:, ::-1]], axis=1))
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ["swap", "a.png", "-o", "out.png"],
        ["swap", "a.png", "b.png", "--map", "0=c.png", "-o", "out.png"],
        ["swap", "a.png", "--map", "nose=c.png", "-o", "out.png"],
        ["swap", "a.png", "b.png", "--faces", "tallest", "-o", "out.png"],
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert main(arguments) == 2


@pytest.mark.weights
def test_a_map_changes_its_face_and_no_other(photos: Path, tmp_path: Path) -> None:
    pair, out = photos / "pair.png", tmp_path / "out.png"
    mapping = f"1={photos / 'face.png'}"
    assert main(["swap", str(pair), "--map", mapping, "-o", str(out)]) == 0
    before, after = cv2.imread(str(pair)), cv2.imread(str(out))
    assert (before[:, :256] == after[:, :256]).all()
    assert (before[:, 256:] != after[:, 256:]).any()


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
