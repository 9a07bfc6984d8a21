"""Results of an earlier run: what a new one replaces and removes, and what stays."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from mean_faces import mean_face

from uvface.core.errors import InputError
from uvface.core.files import InputFiles
from uvface.core.find_photos import find_photos
from uvface.core.io import existing
from uvface.core.io.existing import is_result, read_existing
from uvface.core.io.images import Photo
from uvface.core.io.results import OUTPUTS, write_results
from uvface.core.whole_files import write_bytes_atomic

PHOTO = Photo(image=np.full((200, 200, 3), 0.5, np.float32))
NAME = Path("some folder/as tro.naut.jpg")


@pytest.fixture(scope="module")
def face(layout):
    return mean_face(layout, centre=(100.0, 100.0), scale=8.0)


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("error", [KeyboardInterrupt, InputError])
@pytest.mark.parametrize("has_earlier", [True, False])
@pytest.mark.parametrize("at", ["texture", "overlay"])  # overlays are written beside meshes
def test_a_run_that_fails_midway_changes_nothing(
    tmp_path, face, layout, monkeypatch, error, has_earlier, at
):
    if has_earlier:
        write_results(tmp_path, NAME, PHOTO, [face], layout, save=["mesh", "pose"], weights="w")
    before = _contents(tmp_path)
    assert bool(before) == has_earlier

    def stop(out):
        is_last = out.base.with_name(f"{out.base.name}.glb").is_file
        assert at == "overlay" or is_last()
        raise error

    monkeypatch.setitem(OUTPUTS, at, stop)
    save = ["mesh", "landmarks", "texture", "overlay"]
    with pytest.raises(error):
        write_results(tmp_path, NAME, PHOTO, [face], layout, save=save, weights="w")
    assert _contents(tmp_path) == before


def test_a_folder_in_the_way_leaves_the_older_result(tmp_path, face, layout):
    def write(save):
        write_results(tmp_path, NAME, PHOTO, [face], layout, save=save, weights="w")

    write(["landmarks"])
    folder = tmp_path / "as tro.naut_pose.txt"
    folder.mkdir()
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(InputError, match=r"cannot write .*naut_pose\.txt: it is a folder"):
        write(["landmarks", "pose"])
    assert {path.name for path in tmp_path.iterdir()} == before
    folder.rmdir()
    write(["landmarks", "pose"])
    assert folder.is_file()


def test_a_file_that_cannot_be_written_is_named_by_its_place(tmp_path, face, layout, monkeypatch):
    def fill_the_disk(out):
        path = out.base.with_name("no folder") / "as tro.naut_pose.txt"
        path.parent.write_bytes(b"a file")
        write_bytes_atomic(path, b"content")

    monkeypatch.setitem(OUTPUTS, "pose", fill_the_disk)
    with pytest.raises(InputError) as caught:
        write_results(tmp_path, NAME, PHOTO, [face], layout, save=["pose"], weights="w")
    assert f"{tmp_path / 'no folder' / 'as tro.naut_pose.txt'}: " in str(caught.value)


def _kill_at(monkeypatch, number):
    """Let the process die, as far as its files go, at a file that is moved to its place."""
    moved = iter(range(number))
    replace = os.replace

    def replace_or_die(source, target):
        if not Path(source).name.endswith(".tmp") and next(moved, None) is None:
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", replace_or_die)
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)


# The first file that gets its name is the hidden record, the last the record: 9 in all.
@pytest.mark.parametrize("number", range(9))
def test_what_a_killed_run_leaves_is_no_photo_and_is_replaced(
    tmp_path, face, layout, monkeypatch, number
):
    photo = tmp_path / "p.png"
    photo.write_bytes(b"a photo")
    _write_p(tmp_path, face, layout, faces=1)
    with monkeypatch.context() as patched:
        _kill_at(patched, number)
        with pytest.raises(KeyboardInterrupt):
            save = ["mesh", "landmarks", "visibility", "pose"]
            write_results(tmp_path, photo, PHOTO, [face], layout, save=save, weights="w")
    assert find_photos(tmp_path) == [photo]
    is_old = read_existing(tmp_path, photo, save=["mesh", "overlay"], options={}) is not None
    assert is_old == (number == 0)  # nothing is moved as yet
    _write_p(tmp_path, face, layout, faces=2)
    names = {path.name for path in tmp_path.iterdir() if not path.is_dir()}
    endings = (".obj", ".mtl", ".glb", "_texture.png", "_kpt.txt", "_overlay.png")
    assert names == {"p.png", "p.json", *(f"p_{k}{end}" for k in (0, 1) for end in endings)}


@pytest.mark.parametrize("content", ["", "[]", '{"faces": []}', "notes", "[" * 100_000])
def test_a_json_file_of_others_is_kept(tmp_path, face, layout, content):
    path = tmp_path / "as tro.naut.json"
    path.write_text(content)
    with pytest.raises(InputError, match="no result of uvface"):
        write_results(tmp_path, NAME, PHOTO, [face], layout, save=["pose"], weights="w")
    assert path.read_text() == content and list(tmp_path.iterdir()) == [path]
    assert not is_result(tmp_path / "as tro.naut_overlay.png")
    assert read_existing(tmp_path, NAME, save=[], options={}) is None


def test_files_that_no_result_names_are_kept(tmp_path, face, layout):
    """As the ground truth of a data set in whose folder results are written."""
    truth = tmp_path / "as tro.naut.mat"
    truth.write_bytes(b"ground truth")

    def write(save):
        write_results(tmp_path, NAME, PHOTO, [face], layout, save=save, weights="w")

    with pytest.raises(InputError, match=r"naut\.mat is there and no result of this photo"):
        write(["landmarks", "mat"])
    assert _contents(tmp_path) == {truth.name: b"ground truth"}
    write(["landmarks"])
    before = _contents(tmp_path)
    with pytest.raises(InputError, match=r"naut\.mat is there"):
        write(["landmarks", "mat"])
    assert _contents(tmp_path) == before


def test_results_of_a_photo_elsewhere_are_kept(tmp_path, face, layout):
    def write(photo, sha256):
        given = {"save": ["landmarks"], "weights": "w", "options": {"photo_sha256": sha256}}
        write_results(tmp_path, tmp_path / photo, PHOTO, [face], layout, **given)

    write("june/a.jpg", "1")
    write("june/a.jpg", "2")  # it was edited
    write("july/a.jpg", "2")  # it was moved
    before = _contents(tmp_path)
    with pytest.raises(InputError, match=r"a\.json is the result of another photo, .*july.a\.jpg,"):
        write("june/a.jpg", "3")
    with pytest.raises(InputError, match="choose another output folder"):
        write("july/a.png", "3")
    assert _contents(tmp_path) == before


def test_results_of_a_photo_whose_name_has_other_capitals_are_kept(tmp_path, face, layout):
    """On a disk that takes both names for one file; second names of all files stand for it."""

    def write(name):
        photo = tmp_path / "photos" / name
        write_results(tmp_path, photo, PHOTO, [face], layout, save=["landmarks"], weights="w")

    write("a.jpg")
    for ending in (".json", "_kpt.txt"):
        os.link(tmp_path / f"a{ending}", tmp_path / f"A{ending}")
    with pytest.raises(InputError, match="is the result of another photo"):
        write("A.jpg")


def _write_p(folder, face, layout, *, faces, **options):
    """Write results of a photo ``p.png`` of the folder."""
    save = ("mesh", "overlay", "landmarks")
    path = folder / "p.png"
    write_results(folder, path, PHOTO, [face] * faces, layout, save=save, weights="w", **options)


def test_a_run_that_finds_fewer_faces_leaves_no_files_of_the_others(tmp_path, face, layout):
    """Nothing names them any more, so that their pictures would be taken for photos."""
    (tmp_path / "p.png").write_bytes(b"a photo")
    _write_p(tmp_path, face, layout, faces=2)
    assert (tmp_path / "p_1.mtl").is_file() and (tmp_path / "p_1_texture.png").is_file()
    _write_p(tmp_path, face, layout, faces=1)
    assert not list(tmp_path.glob("p_0*")) and not list(tmp_path.glob("p_1*"))
    assert find_photos(tmp_path) == [tmp_path / "p.png"]
    whole = sorted(tmp_path.iterdir())
    _write_p(tmp_path, face, layout, faces=1)
    assert sorted(tmp_path.iterdir()) == whole


def test_the_longest_names_take_results(tmp_path, face, layout):
    """From 243 letters on the hidden record had a name that no disk takes."""
    given = {"save": ["mesh"], "weights": "w"}
    for _ in range(2):
        write_results(tmp_path, Path("p" * 250 + ".png"), PHOTO, [], layout, **given)
        assert [path.name for path in tmp_path.iterdir()] == ["p" * 250 + ".json"]
    with pytest.raises(InputError, match=r"json: the name is too long for a file; give the photo"):
        write_results(tmp_path, Path("p" * 251 + ".png"), PHOTO, [], layout, **given)


def test_the_hidden_record_s_name_lasts_and_is_short_enough_and_of_one_photo(tmp_path):
    """Some disks take 143 bytes."""
    assert existing._moving(tmp_path / "a.json") == tmp_path / ".a.json.moving"
    assert existing._moving(tmp_path / ("a" * 107 + ".json")).name == f".{'a' * 107}.json.moving"
    stems = ["a" * 108, "a" * 137, "a" * 136 + "b", "\N{GRINNING FACE}" * 34, "€" * 45]
    found = [existing._moving(tmp_path / f"{stem}.json") for stem in stems]
    assert len({*found}) == len(stems) and found[0] == existing._moving(
        tmp_path / f"{stems[0]}.json"
    )
    assert max(len(os.fsencode(path.name)) for path in found) <= 143


def test_links_stay_and_lead_to_the_new_results(tmp_path, face, layout):
    """They were replaced, that of the record as those of its files."""
    out, there = tmp_path / "out", tmp_path / "there"
    _write_p(out, face, layout, faces=1)
    whole, names = _contents(out), ["p.json", "p.obj", "p_overlay.png"]
    there.mkdir()
    for name in names:
        (out / name).rename(there / name)
        (out / name).symlink_to(there / name)
    (there / "p.obj").unlink()
    (there / "p_overlay.png").write_bytes(b"older")
    _write_p(out, face, layout, faces=1)
    assert _contents(out) == whole and sorted(_contents(there)) == names
    assert sorted(path.name for path in out.iterdir() if path.is_symlink()) == names
    _write_p(out, face, layout, faces=0)  # names of nothing go; what they led to is not ours alone
    assert _contents(out).keys() == {"p.json"} and (there / "p_overlay.png").is_file()


def test_a_link_to_an_input_is_not_written_through(tmp_path, face, layout):
    photo, link = tmp_path / "p.png", tmp_path / "out" / "p_overlay.png"
    photo.write_bytes(b"a photo")
    _write_p(tmp_path / "out", face, layout, faces=1)
    link.unlink()
    link.symlink_to(photo)
    with pytest.raises(InputError, match=r"p_overlay\.png would overwrite an input"):
        _write_p(tmp_path / "out", face, layout, faces=1, inputs=InputFiles([photo]))
    assert photo.read_bytes() == b"a photo" and link.is_symlink()


def test_files_of_other_records_photos_and_other_folders_are_not_removed(tmp_path, face, layout):
    out = tmp_path / "out"
    _write_p(out, face, layout, faces=2)
    record = json.loads((out / "p.json").read_text())
    outside = tmp_path / "p_outside.png"
    outside.write_bytes(b"a photo")
    record["faces"][0]["files"] |= {"a": "../p_outside.png", "b": str(outside), "c": "other.png"}
    (out / "other.png").write_bytes(b"a photo")
    (out / "p.json").write_text(json.dumps(record))
    other = json.loads((out / "p.json").read_text())
    other["faces"] = other["faces"][1:]  # of a photo p_1.png
    (out / "p_1.json").write_text(json.dumps(other))
    _write_p(out, face, layout, faces=1, inputs=InputFiles([out / "p_0_overlay.png"]))
    assert outside.is_file() and (out / "other.png").is_file()
    assert (out / "p_1_overlay.png").is_file() and (out / "p_0_overlay.png").is_file()
    assert not (out / "p_0_kpt.txt").exists() and not (out / "p_0.mtl").exists()


def _write_a(out, photo, face, layout, sha256):
    options = {"photo_sha256": sha256}
    given = {"save": ["landmarks"], "weights": "w", "options": options}
    write_results(out, photo, PHOTO, [face], layout, **given)


@pytest.mark.parametrize("moved", ["both", "results"])
def test_a_changed_photo_is_known_after_a_move(tmp_path, face, layout, moved):
    """It was taken for another, for good: one of two names of its place was looked at."""
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "photos").mkdir(parents=True)
    (old / "photos/a.jpg").write_bytes(b"a photo")
    _write_a(old / "out", old / "photos/a.jpg", face, layout, "1")
    if moved == "both":
        old.rename(new)
    else:
        new.mkdir()
        (old / "out").rename(new / "out")
    photos = new if moved == "both" else old
    _write_a(new / "out", photos / "photos/a.jpg", face, layout, "2")
    assert json.loads((new / "out/a.json").read_text())["options"]["photo_sha256"] == "2"


def test_another_photo_in_a_moved_one_s_old_place_is_another(tmp_path, face, layout):
    """Cameras give the same names anew: the archived photo's results were replaced."""
    camera, archive = tmp_path / "camera", tmp_path / "archive"
    for place in (camera, archive):
        (place / "photos").mkdir(parents=True)
        (place / "photos/a.jpg").write_bytes(b"a photo")
    _write_a(camera / "out", camera / "photos/a.jpg", face, layout, "1")
    (camera / "out").rename(archive / "out")
    (camera / "photos/a.jpg").write_bytes(b"another")
    with pytest.raises(InputError, match="is the result of another photo"):
        _write_a(archive / "out", camera / "photos/a.jpg", face, layout, "2")


def test_results_of_a_photo_that_is_gone_are_kept_and_said_to_be(tmp_path, face, layout):
    _write_a(tmp_path, tmp_path / "june/a.jpg", face, layout, "1")
    before = _contents(tmp_path)
    with pytest.raises(InputError, match=r"june.a\.jpg, which is not there .*remove its older"):
        _write_a(tmp_path, tmp_path / "july/a.jpg", face, layout, "2")
    assert _contents(tmp_path) == before
    (tmp_path / "june").mkdir()
    (tmp_path / "june/a.jpg").write_bytes(b"a photo")
    with pytest.raises(InputError, match=r"june.a\.jpg; rename one"):
        _write_a(tmp_path, tmp_path / "july/a.jpg", face, layout, "2")


@pytest.mark.parametrize(
    "change", [{"image": None}, {"image": 3}, {"path": None}, {"path": 3}, {"options": None}]
)
def test_an_odd_record_is_refused(tmp_path, face, layout, change):
    """It ended the whole batch in a traceback."""
    _write_a(tmp_path, NAME, face, layout, "1")
    record = tmp_path / "as tro.naut.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | change))
    with pytest.raises(InputError, match="no result of uvface"):
        _write_a(tmp_path, NAME, face, layout, "1")


def test_a_record_of_an_impossible_name_is_of_another_photo(tmp_path, face, layout):
    _write_a(tmp_path, NAME, face, layout, "1")
    record = tmp_path / "as tro.naut.json"
    names = {"image": "\0", "path": "\0"}
    record.write_text(json.dumps(json.loads(record.read_text()) | names))
    with pytest.raises(InputError, match="result of another photo"):
        _write_a(tmp_path, NAME, face, layout, "2")


def test_a_hidden_record_that_was_cut_short_stands_for_its_files(tmp_path, face, layout):
    _write_a(tmp_path, NAME, face, layout, "1")
    record = tmp_path / "as tro.naut.json"
    hidden = tmp_path / f".{record.name}.moving"
    hidden.write_bytes(record.read_bytes()[:100])
    record.unlink()
    _write_a(tmp_path, NAME, face, layout, "1")
    assert record.is_file() and not hidden.exists()


def test_files_that_a_removed_record_named_are_told_of(tmp_path, face, layout):
    _write_a(tmp_path, NAME, face, layout, "1")
    (tmp_path / "as tro.naut.json").unlink()
    with pytest.raises(InputError, match="remove it where an older uvface or removed results"):
        _write_a(tmp_path, NAME, face, layout, "1")
