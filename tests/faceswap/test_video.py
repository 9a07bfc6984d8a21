"""``uvface swap-video`` on a moving photo, from the command line to the file."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from moving import moved_face, read_images, read_sound, write_video

import uvface
from uvface.cli import main
from uvface.core.errors import InputError, NoFaceError

COUNT = 8
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a video of a face, in whose middle there is none, and a reference."""
    folder = tmp_path_factory.mktemp("videos")
    wall = np.full((256, 256, 3), 90, np.uint8)
    frames = [wall if k in (4, 5) else moved_face(k) for k in range(COUNT)]
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
    before, after = read_images(folder / "clip.mp4"), read_images(swapped)
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
    assert told["sidecar"]["changed"] == COUNT - 2
    assert [Path(one["path"]).name for one in told["sidecar"]["inputs"]] == [
        "clip.mp4",
        "face.png",
    ]
    warnings = ["2 of 8 frames show no face to change; they stay as they are"]
    assert told["sidecar"]["warnings"] == warnings


def test_a_video_without_a_face_writes_nothing(folder, tmp_path):
    output = tmp_path / "out.mp4"
    with pytest.raises(NoFaceError, match="any of the 3 frames of wall"):
        uvface.swap_video(folder / "wall.mp4", folder / "face.png", output)
    assert list(tmp_path.iterdir()) == []


def test_of_two_faces_both_are_swapped_or_the_one_that_is_named(folder, tmp_path):
    pairs = [np.concatenate([moved_face(k), moved_face(k)[:, ::-1]], axis=1) for k in range(3)]
    clip = write_video(tmp_path / "pair.mp4", pairs)
    before = read_images(clip)
    for faces, halves in (("all", (True, True)), (1, (False, True))):
        output = tmp_path / "out.mp4"
        result = uvface.swap_video(clip, folder / "face.png", output, faces=faces, quality=6)
        assert result.changed == 3
        for one, other in zip(before, read_images(output), strict=True):
            change = np.abs(one - other).mean(axis=(0, 2))
            is_changed = [half.mean() > 2.0 for half in np.split(change, 2)]
            assert tuple(is_changed) == halves


def _passing(k, wall):
    """Return two faces, one above the other, which change sides at k = 4."""
    frame = np.full((384, 320, 3), wall, np.uint8)
    face = cv2.resize(skimage.data.astronaut()[0:300, 80:380], (192, 192))
    frame[:192, 16 * k : 16 * k + 192] = face
    frame[192:, 128 - 16 * k : 320 - 16 * k] = face[:, ::-1]
    return frame


@pytest.fixture(scope="module")
def pair(folder):
    """Return a clip of two faces that pass each other, and then stand after a cut."""
    frames = [_passing(k, 180) for k in range(9)] + [_passing(8, 0)] * 2
    dark = cv2.imread(str(folder / "face.png")) // 3
    cv2.imwrite(str(folder / "dark.png"), dark)
    return write_video(folder / "pair.mp4", frames)


def _levels(path):
    """Return the mean levels of the middles of the upper and the lower face in each frame."""
    levels = []
    for k, image in enumerate(read_images(path)):
        left = 16 * min(k, 8)
        upper, lower = image[:192, left : left + 192], image[192:, 128 - left : 320 - left]
        levels.append([half[65:95, 82:110].mean() for half in (upper, lower)])
    return np.array(levels)


def test_mapped_faces_keep_their_references_as_they_pass_and_get_them_anew_after_a_cut(
    folder, pair, monkeypatch
):
    monkeypatch.chdir(folder)
    (folder / "map.json").write_text('{"left": "face.png", "right": "dark.png"}')
    output = folder / "passed.mp4"
    given = ["pair.mp4", "--map", "map.json", "-o", str(output), "--color", "none"]
    assert main(["swap-video", *given, "--quiet"]) == 0
    upper, lower = _levels(output).T
    assert (upper[:9] > lower[:9] + 35).all()
    assert (lower[9:] > upper[9:] + 35).all()
    told = json.loads(Path(f"{output}.json").read_text())
    assert told["settings"]["map"] == {"left": "face.png", "right": "dark.png"}
    assert "faces" not in told["settings"]  # "largest", which nobody chose and was not done
    inputs = [(one["role"], Path(one["path"]).name) for one in told["inputs"]]
    assert inputs == [
        ("target", "pair.mp4"),
        ("reference 0", "face.png"),
        ("reference 1", "dark.png"),
    ]
    assert told["warnings"] == [] and told["changed"] == 11


def test_a_mapped_face_that_is_not_there_is_told_and_the_others_are_swapped(folder, tmp_path):
    mapping = {0: folder / "face.png", 5: folder / "face.png"}
    clip, output = folder / "clip.mp4", tmp_path / "out.mp4"
    result = uvface.swap_video(clip, None, output, mapping=mapping, sidecar=False)
    assert result.changed == COUNT - 2
    assert result.warnings == (
        "face 0 is swapped in 6 of 8 frames",
        "face 5 is swapped in 0 of 8 frames",
    )
    with pytest.raises(InputError, match="no face 5"):
        uvface.swap_video(clip, None, output, mapping={5: folder / "face.png"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reference": None}, "neither a reference nor a map"),
        ({"reference": "face.png", "mapping": {0: "face.png"}}, "both a reference and a map"),
        ({"reference": None, "mapping": {}}, "need face -> photo"),
        ({"reference": None, "mapping": {"all": "face.png"}}, "names face 'all'"),
        ({"reference": None, "mapping": {0: "face.png"}, "faces": 1}, "give one of the two"),
    ],
)
def test_who_gets_which_face_is_said_once(given, said):
    """None of the files is there: to look for them would be another error."""
    with pytest.raises(InputError, match=said):
        uvface.swap_video("clip.mp4", output="out.mp4", **given)


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
    assert (result.frames, result.changed) == (COUNT, COUNT - 2)
    for one, other in zip(
        read_images(folder / "clip.mp4"), read_images(result.output), strict=True
    ):
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
        (["clip.mp4", "face.png", "-o", "out.mp4", "--map", "0=face.png"], "either REFERENCE"),
        (["clip.mp4", "face.png", "-o", "out.mp4", "--map", ""], "either REFERENCE"),
        (["clip.mp4", "-o", "out.mp4", "--map", ""], "the map '' is empty"),
        (["clip.mp4", "-o", "out.mp4", "--map", "nose=face.png"], "nose"),
        (["clip.mp4", "-o", "out.mp4", "--map", "0=face.png", "--faces", "all"], "no --faces"),
        (["clip.mp4", "-o", "out.mp4", "--map", "0=face.png", "--like", "a.png"], "no --like"),
        (["clip.mp4", "-o", "a.mp4", "--map", "0=a.mp4"], "overwrite"),
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
