"""``uvface edit-video`` on a moving photo, from the command line to the file."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from moving import moved_face, read_images, read_sound, write_video
from PIL import Image
from toy_models import ToyModel

import uvface
from uvface.cli import main
from uvface.core.errors import InputError, NoFaceError

COUNT = 8
EMPTY = (4, 5)  # frames without a face
SIDE = 256


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a video of a face, in whose middle there is none, and others."""
    folder = tmp_path_factory.mktemp("videos")
    wall = np.full((SIDE, SIDE, 3), 90, np.uint8)
    frames = [wall if k in EMPTY else moved_face(k) for k in range(COUNT)]
    write_video(folder / "clip.mp4", frames, sound="aac")
    write_video(folder / "wall.mp4", [wall] * 3)
    Image.fromarray(skimage.data.astronaut()[0:300, 80:380, ::-1]).save(folder / "blue.png")
    return folder


@pytest.fixture(scope="module")
def painted(folder):
    """Return the video with green lips, by the command."""
    output = folder / "out.mp4"
    given = ["edit-video", str(folder / "clip.mp4"), "-o", str(output), "--quiet"]
    assert main([*given, "--makeup", "lipstick=1:#20a040", "--quality", "6"]) == 0
    return output


def _green(image):
    """Return where there is as much more green than red as nowhere in the astronaut's face."""
    return image[..., 1] > image[..., 0] + 30


def test_lips_change_and_nothing_else_does(folder, painted):
    before, after = read_images(folder / "clip.mp4"), read_images(painted)
    assert len(after) == COUNT
    for k, (one, other) in enumerate(zip(before, after, strict=True)):
        lips = _green(other) & ~_green(one)
        assert (lips.sum() > 150) == (k not in EMPTY), k
        assert np.abs(one - other).mean(axis=-1)[~lips].mean() < 1.5  # what encoding does
        if lips.any():
            rows, columns = np.nonzero(lips)
            assert np.ptp(rows) < 40 and np.ptp(columns) < 80
    assert read_sound(painted) == read_sound(folder / "clip.mp4")


def test_the_file_and_its_sidecar_tell_of_the_making(painted, capsys):
    assert main(["inspect", str(painted)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["operation"] == "edit lipstick"
    assert told["source_type"].endswith("compositeSynthetic")
    assert told["sidecar_fits"] is True
    sidecar = told["sidecar"]
    assert (sidecar["frames"], sidecar["changed"]) == (COUNT, COUNT - len(EMPTY))
    assert sidecar["settings"]["makeup"] == {"lipstick": [1.0, "#20a040"]}
    assert sidecar["settings"]["quality"] == 6
    assert [Path(one["path"]).name for one in sidecar["inputs"]] == ["clip.mp4"]
    assert sidecar["warnings"] == ["2 of 8 frames show no face to change; they stay as they are"]


@pytest.mark.parametrize(
    "given",
    [
        {"reshape": {"smile": 0.8, "nose_width": -0.6}, "light": {"left": 0.8}},
        {"retouch": {"skin": 1.0, "tone": 1.0}},
        {"regions": "eyes,brows", "reference": "blue.png"},
    ],
    ids=["reshape and light", "retouch", "regions"],
)
def test_frames_are_those_that_edit_makes(folder, tmp_path, monkeypatch, given):
    """But for what steadies them: they are much nearer to each other than to the video."""
    monkeypatch.chdir(folder)
    model = uvface.load()
    result = uvface.edit_video("clip.mp4", tmp_path / "out.mp4", model=model, quality=2, **given)
    assert (result.frames, result.changed) == (COUNT, COUNT - len(EMPTY))
    before, after = read_images(folder / "clip.mp4"), read_images(result.output)
    for k in (0, 3, 7):
        alone = 255 * uvface.edit(before[k] / 255, model=model, **given).image
        change, difference = np.abs(alone - before[k]), np.abs(alone - after[k])
        changed = change.max(axis=-1) > 10
        assert changed.sum() > 200
        assert difference[changed].mean() < 0.5 * change[changed].mean(), k
        assert difference[~changed].mean() < 1.5


def test_of_two_faces_both_are_edited_or_the_one_that_is_named(tmp_path):
    pairs = [np.concatenate([moved_face(k), moved_face(k)[:, ::-1]], axis=1) for k in range(3)]
    clip = write_video(tmp_path / "pair.mp4", pairs)
    for faces, halves in (("all", (True, True)), (1, (False, True))):
        result = uvface.edit_video(
            clip, tmp_path / "out.mp4", makeup="lipstick=1:#20a040", faces=faces, quality=6
        )
        assert result.changed == 3
        for image in read_images(result.output):
            found = [_green(half).sum() > 150 for half in np.split(image, 2, axis=1)]
            assert tuple(found) == halves


def test_an_edit_that_nobody_sees_is_told(folder, tmp_path):
    result = uvface.edit_video(
        folder / "clip.mp4", tmp_path / "out.mp4", makeup="blush=0.01", sidecar=False
    )
    assert result.warnings[-1] == "nothing that one sees changed: blush hardly shows there"


def test_strength_0_keeps_the_frames(folder, tmp_path):
    result = uvface.edit_video(
        folder / "clip.mp4",
        tmp_path / "out.mp4",
        makeup="lipstick=1",
        light="left=1",
        strength=0.0,
        quality=4,
        metadata=False,
    )
    assert result.warnings == ("2 of 8 frames show no face to change; they stay as they are",)
    for one, other in zip(
        read_images(folder / "clip.mp4"), read_images(result.output), strict=True
    ):
        assert np.abs(one - other).mean() < 1.5
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_video_without_a_face_writes_nothing(folder, tmp_path):
    with pytest.raises(NoFaceError, match="any of the 3 frames of wall"):
        uvface.edit_video(folder / "wall.mp4", tmp_path / "out.mp4", retouch="skin=1")
    with pytest.raises(InputError, match="no face 3"):
        uvface.edit_video(folder / "clip.mp4", tmp_path / "out.mp4", retouch="skin=1", faces=3)
    assert list(tmp_path.iterdir()) == []


def test_no_boxes_are_advised_where_none_can_be_given(folder, tmp_path):
    """They were, and swap-video and edit-video take none."""
    model, wall = ToyModel(), tmp_path / "wall.png"
    Image.fromarray(np.full((120, 120, 3), 128, np.uint8)).save(wall)
    clip, output = folder / "clip.mp4", tmp_path / "out.mp4"
    face_file = "no face found in wall.png; make a face file by uvface texture with --boxes"
    for video in (uvface.edit_video, uvface.swap_video):
        given = {"model": model, "reference": wall, "output": output}
        given |= {"regions": "nose"} if video is uvface.edit_video else {"keep": ()}
        with pytest.raises(NoFaceError, match=face_file):
            video(clip, **given)
        with pytest.raises(NoFaceError, match=r"in wall\.png; give another photo of the person"):
            video(clip, **given, like=wall)
    with pytest.raises(NoFaceError, match="say where it is with a --boxes file"):
        uvface.edit(wall, model=model, retouch="skin=1")
    with pytest.raises(NoFaceError, match="say where it is with a --boxes file"):
        uvface.texture(wall, model=model)


def test_a_failure_at_the_end_leaves_an_older_video_and_its_sidecar(
    folder, painted, tmp_path, monkeypatch
):
    """The sidecar was removed before the new video had its name."""
    output = tmp_path / "out.mp4"
    shutil.copy(painted, output)
    shutil.copy(f"{painted}.json", f"{output}.json")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("uvface.core.io.video_writer.move_file", fail)
    with pytest.raises(InputError, match="No space left"):
        uvface.edit_video(folder / "clip.mp4", output, light="left=1", sidecar=False)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    monkeypatch.undo()
    uvface.edit_video(folder / "clip.mp4", output, light="left=1", sidecar=False)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clip.mp4", "-o", "out.mp4"], "nothing to do"),
        (["clip.mp4", "-o", "out.mp4", "--from", "blue.png"], "no region given"),
        (["clip.mp4", "-o", "out.mp4", "--region", "beak", "--recolor", "red"], "beak"),
        (["clip.mp4", "-o", "out.mp4", "--region", "lips"], "nothing to do"),
        (["clip.mp4", "-o", "out.mp4", "--makeup", "lipstick=2"], "lipstick"),
        (["clip.mp4", "-o", "out.webm", "--light", "left=1"], ".mp4"),
        (["clip.mp4", "-o", "clip.mp4", "--light", "left=1"], "overwrite"),
        (["clip.mp4", "-o", "o.mp4", "--light", "left=1", "--quality", "52"], "quality"),
        (["clip.mp4", "-o", "o.mp4", "--light", "left=1", "--reference-face", "1"], "--from"),
        (
            "a.mp4 -o o.mp4 --region lips --from a.png --reference-face all".split(),
            "name it",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(folder, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(folder)
    assert main(["edit-video", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_edit_points_to_edit_video(folder, capsys):
    given = ["--light", "left=1", "-o", str(folder / "o.png")]
    assert main(["edit", str(folder / "clip.mp4"), *given]) == 2
    assert "edit-video" in capsys.readouterr().err


def test_a_folder_may_have_the_name_of_a_video(tmp_path, capsys):
    frames = tmp_path / "frames.mov"
    frames.mkdir()
    assert main(["edit", str(frames), "--light", "left=1", "-o", str(tmp_path / "out")]) == 1
    assert "no pictures in" in capsys.readouterr().err
