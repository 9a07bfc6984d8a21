"""What fails leaves neither half a file nor a folder."""

import errno
import os
from pathlib import Path

import pytest

from uvface.core.errors import InputError
from uvface.core.whole_files import (
    check_length,
    hidden_folder,
    move_file,
    no_empty_folder,
    remove_file,
    whole_file,
    write_bytes_atomic,
)


def test_a_file_that_cannot_be_written_leaves_no_new_folder(tmp_path, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(InputError, match="No space left"):
        write_bytes_atomic(tmp_path / "new" / "folder" / "a.png", b"content")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a" * 251 + ".png", "ü" * 125 + ".png"])  # of 255 and 254 bytes
def test_the_longest_names_can_be_written(tmp_path, name) -> None:
    write_bytes_atomic(tmp_path / name, b"content")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    with hidden_folder(tmp_path, name=name) as place:
        assert place.is_dir()


def test_a_name_that_is_too_long_is_told_of_before_anything_is_written(tmp_path):
    for name in ("a" * 252 + ".png", "ü" * 126 + ".png", "a" * 256 + "/a.png", "new/" + "a" * 256):
        with pytest.raises(InputError, match="the name is too long for a file; choose a shorter"):
            check_length(tmp_path / name)
    for name in ("a" * 255, "new/" + "a" * 255, "a" * 255 + "/b/c.png"):
        check_length(tmp_path / name)
    assert not any(tmp_path.iterdir())


def test_the_name_that_counts_is_that_of_what_a_link_leads_to(tmp_path):
    """Only the link's own was looked at, so that writing failed after the work."""
    (tmp_path / "link.png").symlink_to(tmp_path / ("a" * 256))
    with pytest.raises(InputError, match=r"link\.png: the name is too long for a file"):
        check_length(tmp_path / "link.png")
    (tmp_path / "link").symlink_to(tmp_path)
    check_length(tmp_path / "link" / ("a" * 255))


@pytest.mark.parametrize("name", ["nul\0.png", "nul\0/a.png"])
def test_a_name_that_no_file_has_is_an_input_error(tmp_path, name):
    """It ended in a bare ValueError."""
    for check in (check_length, lambda path: write_bytes_atomic(path, b"content")):
        with pytest.raises(InputError, match=r"cannot write .*null"):
            check(tmp_path / name)
    assert not any(tmp_path.iterdir())


def test_hidden_names_fit_disks_that_take_shorter_ones(tmp_path):
    for name in ("a" * 143, "\N{GRINNING FACE}" * 35, "a"):
        with whole_file(tmp_path / name, suffix=".jpeg") as hidden:
            assert hidden.parent == tmp_path and hidden.name[0] == "."
            assert len(os.fsencode(hidden.name)) <= 143 and hidden.suffix == ".jpeg"
            hidden.touch()


def test_a_block_that_fails_leaves_what_stood_there(tmp_path):
    (tmp_path / "old").write_bytes(b"old")
    for path in (tmp_path / "old", tmp_path / "new" / "folder" / "a"):
        with pytest.raises(KeyboardInterrupt), whole_file(path) as hidden:
            hidden.write_bytes(b"half")
            raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old"


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path) -> None:
    (tmp_path / "kept").mkdir()
    link, target = tmp_path / "link.png", tmp_path / "kept" / "a.png"
    for is_there in (False, True):
        if not is_there:
            link.symlink_to(target)
        write_bytes_atomic(link, b"content")
        assert link.is_symlink() and target.read_bytes() == b"content"
        assert {path.name for path in tmp_path.rglob("*")} == {"kept", "link.png", "a.png"}


@pytest.mark.parametrize("is_other_disk", [False, True])
def test_a_file_moves_to_where_a_link_of_its_name_leads(tmp_path, monkeypatch, is_other_disk):
    """Videos, results and pictures that are written together replaced the link."""
    replace = os.replace

    def replace_on_a_disk(source: Path, target: Path) -> None:
        if is_other_disk and source.parent != target.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        replace(source, target)

    monkeypatch.setattr(os, "replace", replace_on_a_disk)
    link, target = tmp_path / "link.png", tmp_path / "kept" / "a.png"
    link.symlink_to(target)
    for content in (b"first", b"second"):  # the folder that it leads to is made
        (tmp_path / "new").write_bytes(content)
        move_file(tmp_path / "new", link)
        assert link.is_symlink() and target.read_bytes() == content
        assert {path.name for path in tmp_path.rglob("*")} == {"kept", "link.png", "a.png"}
    remove_file(link)
    assert link.is_symlink() and not target.exists()
    remove_file(link)  # nothing is there any more


def test_a_move_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "replace", fail)
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "old").write_bytes(b"old")
    for path in (tmp_path / "old", tmp_path / "no folder" / "old"):
        with pytest.raises(OSError, match="cross-device"):
            move_file(tmp_path / "new", path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "new": b"new",
        "old": b"old",
    }


def test_folders_stay_that_were_there_or_hold_something(tmp_path) -> None:
    (tmp_path / "old").mkdir()
    with no_empty_folder(tmp_path / "old" / "new"):
        (tmp_path / "old" / "new").mkdir()
    with no_empty_folder(tmp_path / "old"):
        pass
    with no_empty_folder(tmp_path / "full" / "empty"):
        (tmp_path / "full" / "empty").mkdir(parents=True)
        (tmp_path / "full" / "a.png").touch()
    with no_empty_folder(tmp_path / "never"):
        pass
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "full",
        "full/a.png",
        "old",
    ]
