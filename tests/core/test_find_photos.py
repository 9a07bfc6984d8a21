"""Which photos files, folders and globs name."""

from pathlib import Path

import pytest

from uvface.core.commands.options import name_photos
from uvface.core.errors import InputError
from uvface.core.files import read_bytes
from uvface.core.find_photos import find_photos, is_glob, left_out
from uvface.core.io.boxes import read_boxes
from uvface.core.whole_files import make_folder, write_bytes_atomic


def test_a_folder_of_folders_of_photos_says_so(tmp_path):
    inner = tmp_path / "photos [1]" / "june"
    inner.mkdir(parents=True)
    with pytest.raises(InputError, match=r"no pictures in .*; need \.avif"):
        find_photos([inner.parent])
    (inner / "a.png").write_bytes(b"a picture")
    with pytest.raises(InputError, match="in folders below it") as caught:
        find_photos([inner.parent])
    advised = str(caught.value).split("'")[1]
    assert find_photos([advised]) == [inner / "a.png"]
    assert f"as {inner}; name such a folder" in str(caught.value)


def test_brackets_of_names_are_no_sets_of_characters(tmp_path):
    folder = tmp_path / "trip [2]"
    folder.mkdir()
    photo, missing = folder / "a[1].png", tmp_path / "b[1].png"
    photo.write_bytes(b"a picture")
    assert find_photos([folder / "*.png", folder / "a[1].*", missing]) == [photo, missing]
    assert not is_glob(str(missing)) and not is_glob(str(photo)) and is_glob(str(folder / "*"))
    set_of_one = tmp_path / "b1.png"
    set_of_one.write_bytes(b"a picture")
    assert find_photos([missing]) == [set_of_one] and is_glob(str(missing))


def test_names_that_the_system_refuses_are_no_folders(tmp_path, monkeypatch):
    """They ended in a traceback; a missing file is told of when it is read, with its name."""
    long = tmp_path / ("a" * 300 + ".png")
    circle = tmp_path / "circle.png"
    circle.symlink_to(circle)
    assert find_photos([long, circle]) == [long, circle] and not is_glob(str(long))
    for name in (long, circle):
        with pytest.raises(InputError, match=f"cannot read .*{name.name}"):
            read_bytes(name)
    with pytest.raises(InputError, match=r"cannot write .*: File name too long"):
        write_bytes_atomic(tmp_path / ("a" * 300) / "a.png", b"content")
    with pytest.raises(InputError, match="cannot make the folder"):
        make_folder(long)
    with pytest.raises(InputError, match="cannot read the boxes"):
        read_boxes(long, [])

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)  # root may read all
    with pytest.raises(InputError, match=f"cannot read the folder {tmp_path}: Permission denied"):
        find_photos(tmp_path)


def test_an_empty_name_is_not_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(b"a picture")
    for empty in ("", ["photo.png", ""]):
        with pytest.raises(InputError, match="an empty name"):
            find_photos(empty)
    assert find_photos(".") == [Path("photo.png")]


def test_hidden_files_and_heic_of_a_folder_are_left_out(tmp_path, capsys):
    """On a memory card of a Mac every photo has a hidden file of the same suffix."""
    names = ("a.jpg", "._a.jpg", "b.HEIC", "c.heif", "d.avif", "notes.txt")
    a, _, b, c, d, _ = files = [tmp_path / name for name in names]
    for file in files:
        file.write_bytes(b"content")
    for pattern in (tmp_path, tmp_path / "*"):
        assert find_photos(pattern) == [a, d]
        assert left_out(pattern) == left_out([pattern]) == [b, c]
    assert left_out([a, b]) == []  # its reader tells
    assert name_photos([str(tmp_path)]) == [a, d]
    said = f"warning: {b} and 1 more left out: HEIC cannot be read; convert it to JPEG or PNG\n"
    assert capsys.readouterr().err == said
    a.unlink()
    d.unlink()
    with pytest.raises(InputError, match=r"need \.avif, .*; convert HEIC to JPEG or PNG"):
        find_photos(tmp_path)


def test_a_photo_given_twice_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"a picture")
    link = tmp_path / "link.png"
    link.symlink_to(photo)
    given = ["photo.png", photo, f"../{tmp_path.name}/photo.png", link]
    assert find_photos(given) == [Path("photo.png"), link]
