"""``uvface swap-video`` on a moving photo, from the command line to the file."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from moving import read_sound, write_video

import uvface
from uvface.cli import main
from uvface.core.errors import InputError, NoFaceError
from uvface.core.io.video import VideoReader

COUNT = 8
ROOT = Path(__file__).resolve().parents[2]


def _moved(k):
    """Return the astronaut's face, a little further and more tilted with each frame."""
    picture = skimage.data.astronaut()[0:300, 80:380]
    turn = cv2.getRotationMatrix2D((150, 140), 1.0 * k, 1 + 0.01 * k)
    turn[:, 2] += [2.0 * k, -1.0 * k]
    return cv2.warpAffine(picture, turn, (256, 256), borderMode=cv2.BORDER_REFLECT)


def _images(path):
    with VideoReader(path) as video:
        return [frame.image.astype(np.float32) for frame in video.frames()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a video of a face, in whose middle there is none, and a reference."""
    folder = tmp_path_factory.mktemp("videos")
    wall = np.full((256, 256, 3), 90, np.uint8)
    frames = [wall if k in (4, 5) else _moved(k) for k in range(COUNT)]
    write_video(folder / "clip.mp4", frames, sound="aac")
    write_video(folder / "wall.mp4", [wall] * 3)
    reference = cv2.imread(str(ROOT / "examples/photos/reference.jpg"))
    cv2.imwrite(str(folder / "face.png"), reference)
    return folder


@pytest.fixture(scope="module")
def swapped(folder):
    """Return the video with the face swapped, by the command."""
    output = folder / "out.mp4"
    given = [str(folder / "clip.mp4"), str(folder / "face.png")]
    assert main(["swap-video", *given, "-o", str(output), "--quality", "6", "--quiet"]) == 0
    return output


def test_faces_change_and_nothing_else_does(folder, swapped):
    before, after = _images(folder / "clip.mp4"), _images(swapped)
    assert len(after) == COUNT
    for k, (one, other) in enumerate(zip(before, after, strict=True)):
        change = np.abs(one - other).mean(axis=-1)
        border = np.concatenate([change[:8].ravel(), change[:, :8].ravel(), change[-8:].ravel()])
        assert border.mean() < 3.0  # what encoding does
        assert (change.mean() < 1.5) == (k in (4, 5)), k
    assert read_sound(swapped) == read_sound(folder / "clip.mp4")


def test_the_file_and_its_sidecar_tell_of_the_making(folder, swapped, capsys):
    assert main(["inspect", str(swapped)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["operation"] == "swap"
    assert told["source_type"].endswith("compositeSynthetic")
    assert told["sidecar_fits"] is True
    assert told["sidecar"]["frames"] == COUNT
    assert told["sidecar"]["swapped"] == COUNT - 2
    assert [Path(one["path"]).name for one in told["sidecar"]["inputs"]] == [
        "clip.mp4",
        "face.png",
    ]
    assert "2 of 8 frames show no face; they stay as they are" in told["sidecar"]["warnings"]


def test_a_video_without_a_face_writes_nothing(folder, tmp_path):
    output = tmp_path / "out.mp4"
    with pytest.raises(NoFaceError, match="any of the 3 frames of wall"):
        uvface.swap_video(folder / "wall.mp4", folder / "face.png", output)
    assert list(tmp_path.iterdir()) == []


def test_of_two_faces_both_are_swapped_or_the_one_that_is_named(folder, tmp_path):
    pairs = [np.concatenate([_moved(k), _moved(k)[:, ::-1]], axis=1) for k in range(3)]
    clip = write_video(tmp_path / "pair.mp4", pairs)
    before = _images(clip)
    for faces, halves in (("all", (True, True)), (1, (False, True))):
        output = tmp_path / "out.mp4"
        result = uvface.swap_video(clip, folder / "face.png", output, faces=faces, quality=6)
        assert result.swapped == 3
        for one, other in zip(before, _images(output), strict=True):
            change = np.abs(one - other).mean(axis=(0, 2))
            is_changed = [half.mean() > 2.0 for half in np.split(change, 2)]
            assert tuple(is_changed) == halves


def test_a_number_that_no_frame_has_is_told(folder, tmp_path):
    with pytest.raises(InputError, match="no face 3"):
        uvface.swap_video(folder / "clip.mp4", folder / "face.png", tmp_path / "out.mp4", faces=3)


def test_strength_0_keeps_the_frames(folder, tmp_path):
    result = uvface.swap_video(
        folder / "clip.mp4",
        folder / "face.png",
        tmp_path / "out.mp4",
        strength=0.0,
        quality=4,
        metadata=False,
    )
    assert (result.frames, result.swapped) == (COUNT, COUNT - 2)
    for one, other in zip(_images(folder / "clip.mp4"), _images(result.output), strict=True):
        assert np.abs(one - other).mean() < 1.5
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clip.mp4", "face.png", "-o", "out.webm"], ".mp4"),
        (["clip.mp4", "face.png", "-o", "clip.mp4"], "overwrite"),
        (["clip.mp4", "face.png", "-o", "out.mp4", "--keep", "beak"], "beak"),
        (["clip.mp4", "face.png", "-o", "out.mp4", "--quality", "52"], "quality"),
        (["clip.mp4", "face.png", "-o", "out.mp4", "--reference-face", "all"], "all"),
        (["clip.mp4", "-o", "out.mp4"], "REFERENCE"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(folder, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(folder)
    assert main(["swap-video", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_swap_points_to_swap_video(folder, capsys):
    given = [str(folder / "clip.mp4"), str(folder / "face.png"), "-o", str(folder / "o.png")]
    assert main(["swap", *given]) == 2
    assert "swap-video" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "code"), [("missing.mp4", 1), ("face.png", 1)])
def test_what_is_no_video_with_a_face_fails_in_a_line(folder, tmp_path, capsys, name, code):
    output = tmp_path / "out.mp4"
    if name == "face.png":
        (folder / "text.mp4").write_text("no video")
        name = "text.mp4"
    given = [str(folder / name), str(folder / "face.png"), "-o", str(output)]
    assert main(["swap-video", *given]) == code
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and name in error[0]
    assert not output.exists()


def test_without_pyav_a_line_says_what_to_install(folder, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match=r"uvface\[video\]"):
        uvface.swap_video(folder / "clip.mp4", folder / "face.png", folder / "never.mp4")
