"""The numbered examples run from start to end and write what they say."""

import runpy
import sys
from pathlib import Path

import cv2
import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"

pytestmark = pytest.mark.weights


def _run(
    name: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> str:
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    return str(capsys.readouterr().out)


def test_every_example_has_a_test_and_is_short() -> None:
    examples = {path.name: len(path.read_text().splitlines()) for path in EXAMPLES.glob("*.py")}
    assert set(examples) == {
        "01_reconstruct.py",
        "02_swap.py",
        "03_edit.py",
        "04_augment.py",
    }
    assert max(examples.values()) < 60


def test_reconstruct(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    target = str(EXAMPLES / "photos" / "target.jpg")
    shown = _run("01_reconstruct.py", [target, str(tmp_path)], monkeypatch, capsys)
    assert "1 face(s)" in shown
    assert (tmp_path / "target.json").is_file() and (tmp_path / "target.glb").is_file()


def test_augment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    photo = str(EXAMPLES / "photos" / "target.jpg")
    shown = _run("04_augment.py", [photo, str(tmp_path / "out")], monkeypatch, capsys)
    assert shown.splitlines()[0] == "target.jpg: 1 face(s)"
    assert shown.count("of 68 landmarks seen") == 4
    assert len(list((tmp_path / "out").glob("target_*.png"))) == 4


@pytest.mark.parametrize("name", ["02_swap.py", "03_edit.py"])
def test_swap_and_edit_change_the_face(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    target, reference = (str(EXAMPLES / "photos" / f"{n}.jpg") for n in ("target", "reference"))
    out = tmp_path / "out.png"
    _run(name, [target, reference, str(out)], monkeypatch, capsys)
    before, after = cv2.imread(target).astype(int), cv2.imread(str(out)).astype(int)
    changed = abs(before - after).max(axis=-1) > 8
    assert 0.005 < changed.mean() < 0.4
