"""Files that are written wholly or not at all, and the folders that are made for them."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path

from .errors import InputError
from .files import place_of

__all__ = [
    "check_length",
    "hidden_folder",
    "hidden_place",
    "make_folder",
    "move_file",
    "no_empty_folder",
    "remove_empty",
    "remove_file",
    "whole_file",
    "write_bytes_atomic",
]


def check_length(path: Path, *, advice: str = "choose a shorter one") -> None:
    """Refuse a file whose name, or that of a folder to be made for it, is longer than disks take.

    The system is asked, since disks differ.

    Args:
        path: file to be written; of a link, what it leads to counts.
        advice: what to do about it, for the message.

    Raises:
        InputError: the name is too long, or one that no file can have.
    """
    place = place_of(path)
    missing = _missing(place.parent)
    there = (missing[-1] if missing else place).parent
    for name in (place.name, *(folder.name for folder in missing)):
        try:
            os.lstat(there / name)
        except ValueError as error:  # with a NUL
            raise InputError(f"cannot write {path}: {error}; choose another name") from error
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise InputError(f"{path}: the name is too long for a file; {advice}") from None


def make_folder(folder: Path) -> tuple[Path, ...]:
    """Make a folder for results, where it is missing; before long work, not after it.

    Returns:
        The folders that were missing, the innermost first; for `remove_empty`.

    Raises:
        InputError: it cannot be made, or cannot be written to.
    """
    if os.path.isfile(folder):
        raise InputError(f"cannot make the folder {folder}: it is a file; name another")
    made = _missing(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK):
        raise InputError(f"cannot write to the folder {folder}; choose another")
    return made


def _missing(folder: Path) -> tuple[Path, ...]:
    """Return a folder and those around it, the innermost first, as far as they do not exist."""
    return tuple(takewhile(lambda place: not os.path.exists(place), (folder, *folder.parents)))


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders in which nothing lies, the innermost first, up to one that holds something."""
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()


@contextlib.contextmanager
def no_empty_folder(folder: Path) -> Iterator[None]:
    """Let no folder stay that is made in the block and left empty: failed work leaves no trace.

    Args:
        folder: for results; it need not exist, nor those around it.
    """
    missing = _missing(folder)
    try:
        yield
    finally:
        remove_empty(missing)


@contextlib.contextmanager
def hidden_folder(folder: Path, *, name: str) -> Iterator[Path]:
    """Give a folder for files that are moved when all are there; it goes when the block ends.

    It is hidden and lies in the folder that they are for, so that moving a file is one step. A
    killed run leaves it; it is read by nothing.

    Args:
        folder: where the files go; it is made if it is missing.
        name: part of the hidden folder's name.

    Raises:
        InputError: from the block, with the folder for the hidden one's place; or it cannot be
            made.
    """
    place = folder / _new_name(name)
    try:
        make_folder(place)
        yield place
    except InputError as error:
        raise InputError(str(error).replace(str(place), str(folder))) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _new_name(name: str, suffix: str = ".tmp") -> str:
    """Return a hidden name, another one each time, and none that is too long for a disk.

    Some take no more than 143 bytes, of which a letter has up to four.
    """
    return f".{name[:25]}.{secrets.token_hex(4)}{suffix}"


def hidden_place(path: Path, *, suffix: str = ".tmp") -> Path:
    """Return where a file may be until `move_file` gives it its name: hidden, on the same disk.

    Args:
        path: the name to be; where a link has it, the file lies beside what that leads to.
        suffix: of the hidden name.
    """
    place = place_of(path)
    return place.with_name(_new_name(place.name, suffix))


def move_file(file: Path, path: Path) -> None:
    """Let a whole file take a name in one step, and the place of a file that has it.

    A missing folder is created. Where a link has the name, it stays, and the file that it leads to
    is replaced, on whatever disk.

    Raises:
        OSError: the file cannot be moved; what stood there stays.
    """
    place = place_of(path)
    with no_empty_folder(place.parent):
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.replace(file, place)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with whole_file(place) as copy:
                shutil.copyfile(file, copy)
            file.unlink()


def remove_file(path: Path) -> None:
    """Remove a file, where there is one; a link to it stays, for the one that comes in its place.

    Raises:
        OSError: it cannot be removed.
    """
    place_of(path).unlink(missing_ok=True)


@contextlib.contextmanager
def whole_file(path: Path, *, suffix: str = ".tmp") -> Iterator[Path]:
    """Give a hidden place to write a file to, which takes its name in one step as the block ends.

    It lies beside the name, or beside what a link of that name leads to; the link stays. A missing
    folder is created. When anything fails, what stood there before stays, and no new folder does.

    Args:
        path: the name to be.
        suffix: of the hidden name.

    Raises:
        OSError: the folder cannot be made, or the file cannot take its name.
    """
    place = place_of(path)
    hidden = hidden_place(place, suffix=suffix)
    with no_empty_folder(place.parent):
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield hidden
            os.replace(hidden, place)
        except BaseException:
            with contextlib.suppress(OSError, ValueError):
                hidden.unlink()
            raise


def write_bytes_atomic(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees half of it, as a `whole_file`.

    Raises:
        InputError: the folder cannot be written to, the disk is full, or no file has such a name.
    """
    try:
        with whole_file(path) as hidden, hidden.open("xb") as stream:
            stream.write(content)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot write {path}: {reason}") from error
