"""What augment refuses, and whose files it leaves alone."""

from pathlib import Path

import numpy as np
import pytest
import toy_faces
from augments import AugmentModel, augment_toys

from uvface.cli import main
from uvface.core.errors import InputError
from uvface.core.io.images import write_image
from uvface.editing.augment.files import augment


def test_bad_photos_do_not_end_a_batch(photos, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    out = tmp_path / "out"
    given = [broken, photos / "wall.png", tmp_path / "no.png", photos / "anna.png"]
    items = augment_toys(given, out, count=1)
    assert [item.error is None for item in items] == [False, False, False, True]
    assert "broken.jpg" in items[0].error and "no face found in wall.png" in items[1].error
    assert {path.name for path in out.glob("*.png")} == {"anna_000.png"}


def test_labels_and_pictures_of_others_stay(photos, tmp_path):
    own = {"labels.json": b'{"images": [], "annotations": []}', "ben_000.png": b"a photo"}
    for name, content in own.items():
        folder = tmp_path / Path(name).stem
        folder.mkdir()
        (folder / name).write_bytes(content)
    with pytest.raises(InputError, match="was not made by augment"):
        augment_toys(photos / "ben.png", tmp_path / "labels", count=1)
    items = augment_toys([photos / "ben.png", photos / "anna.png"], tmp_path / "ben_000", count=1)
    assert "was not made by augment" in items[0].error and items[1].error is None
    for name, content in own.items():
        assert (tmp_path / Path(name).stem / name).read_bytes() == content


def test_position_maps_of_others_stay(photos, tmp_path):
    """They were written over, such as that of a photo ben_000.png of a reconstruction."""
    posmap = tmp_path / "ben_000_posmap.npz"
    posmap.write_bytes(b"of others")
    refused, made = augment_toys([photos / "ben.png", photos / "anna.png"], tmp_path, count=1)
    assert refused.error == (
        f"{posmap} is there without a picture of augment; remove it, or choose another folder"
    )
    assert made.error is None and posmap.read_bytes() == b"of others"
    assert not list(tmp_path.glob("ben_000.png*"))


def test_a_photo_s_name_that_is_too_long_is_said_to_be(photos, tmp_path):
    """The sidecar's was said to be, which cannot be left out; the position map's is longer."""
    for count in (241, 244, 247):  # too long for the position map, for the sidecar too, for all
        photo = tmp_path / f"{'b' * count}.png"
        photo.write_bytes((photos / "ben.png").read_bytes())
        (refused,) = augment_toys(photo, tmp_path / "out", count=1)
        said = f"{photo.stem}_000_posmap.npz: the name is too long for a file; give the photo a"
        assert f"{said} shorter one" in refused.error
    (made,) = augment_toys(photos / "ben.png", tmp_path / "out", count=1)
    assert made.error is None


def test_an_input_to_which_a_position_map_leads_stays(photos, tmp_path):
    """Of an earlier picture's files only the picture was looked at."""
    photo, out = tmp_path / "ben.png", tmp_path / "out"
    photo.write_bytes((photos / "ben.png").read_bytes())
    augment_toys(photo, out, count=1)
    (out / "ben_000_posmap.npz").unlink()
    (out / "ben_000_posmap.npz").symlink_to(photo)
    (refused,) = augment_toys(photo, out, count=1)
    assert "ben_000_posmap.npz would overwrite an input" in refused.error
    assert photo.read_bytes() == (photos / "ben.png").read_bytes()


def test_no_input_and_no_other_photo_s_picture_is_overwritten(photos, tmp_path):
    for name, seed in (("a", 1), ("a_000", 2)):
        write_image(tmp_path / f"{name}.png", toy_faces.toy_photo(seed)[0])
    items = augment_toys([tmp_path / "a.png", tmp_path / "a_000.png"], tmp_path, count=1)
    assert "would overwrite an input" in items[0].error and items[1].error is None
    # Pictures of an earlier run are no photos of the next one.
    again = augment_toys(tmp_path, tmp_path, count=1)
    assert [item.photo.name for item in again] == ["a.png", "a_000.png"]
    write_image(tmp_path / "other" / "anna.png", toy_faces.toy_photo(2)[0])
    twice = [photos / "anna.png", tmp_path / "other" / "anna.png"]
    items = augment_toys(twice, tmp_path / "out", count=1)
    assert items[0].error is None and "would overwrite pictures of" in items[1].error
    with pytest.raises(InputError, match="made by an earlier run"):
        augment_toys(tmp_path / "out" / "anna_000.png", tmp_path / "out")


@pytest.mark.parametrize(
    ("vary", "instead"),
    [("expression", "choose another subject"), ("pose,expression,light", "vary pose,light")],
)
def test_expressions_that_a_layout_does_not_know_are_refused(photos, tmp_path, vary, instead):
    """Those of PRNet's released weights are such: every picture had the photo's expression."""
    with pytest.raises(InputError, match=f"no expressions; {instead}$"):
        augment_toys(photos / "anna.png", tmp_path / "out", vary=vary)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options",
    [
        {"count": 0},
        {"max_yaw": 80.0},
        {"vary": "hats"},
        {"max_yaw": float("nan")},
        {"max_yaw": 20, "vary": "light"},
    ],
)
def test_options_are_checked_before_anything_is_made(photos, tmp_path, options):
    with pytest.raises(InputError, match=r"choose from|need a (whole )?number|is for pose; vary"):
        augment_toys(photos / "anna.png", tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["-o", "out", "-n", "0"], 2),
        (["-o", "out", "--vary", "pose,hats"], 2),
        (["-o", "out", "--max-yaw", "90"], 2),
        (["-o", "photo.png"], 2),
        ([], 2),
        (["-o", "photo.png/out"], 1),
    ],
)
@pytest.mark.weights
def test_wrong_usage_and_unwritable_folders(arguments, code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_image("photo.png", np.full((90, 90, 3), 0.5, np.float32))
    assert main(["augment", "photo.png", *arguments]) == code
    error = capsys.readouterr().err
    assert error and [path.name for path in tmp_path.iterdir()] == ["photo.png"]
    if code == 1:
        assert error.startswith("error: cannot make the folder") and error.count("\n") == 1


def test_a_folder_without_the_right_to_write_is_one_error(photos, tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(InputError, match="cannot write to the folder"):
        augment_toys(photos / "anna.png", tmp_path)


def test_a_run_of_which_nothing_comes_leaves_no_folder(photos, tmp_path):
    """An empty folder was left, and its parents."""
    (item,) = augment_toys(tmp_path / "missing.png", tmp_path / "a" / "b")
    assert "does not exist" in item.error and not (tmp_path / "a").exists()
    (tmp_path / "own").mkdir()
    augment_toys(photos / "wall.png", tmp_path / "own" / "new")
    assert list((tmp_path / "own").iterdir()) == []  # it stood there before


def test_a_run_of_which_nobody_takes_an_item_leaves_no_folder(photos, tmp_path):
    run = augment(photos, tmp_path / "new/out", model=AugmentModel(groups=[(1, 3)]), count=1)
    assert not (tmp_path / "new").exists()
    assert next(run).error is None and (tmp_path / "new/out").is_dir()
