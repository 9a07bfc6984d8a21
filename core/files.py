"""Files as they are: which one a path leads to, what it holds, which are read or claimed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from .errors import InputError

__all__ = ["ClaimedFiles", "InputFiles", "file_sha256", "place_of", "read_bytes"]


class InputFiles:
    """Files that are read, so that nothing is written over one of them.

    A file is known by whatever path leads to it, also through links, and on disks that take small
    letters and capitals for the same.
    """

    def __init__(self, paths: Iterable[str | Path | None] = ()) -> None:
        """Take the files; None stands for one that is not given, or not of a file."""
        given = [path for path in paths if path is not None]
        self._places = frozenset(map(place_of, given))
        self._numbers = frozenset(map(_number, given)) - {None}

    def __contains__(self, output: Path) -> bool:
        """Return whether a file to be written is one of those that are read."""
        return place_of(output) in self._places or _number(output) in self._numbers

    def spare(
        self, output: Path, *, role: str = "an input", advice: str = "choose another name"
    ) -> None:
        """Refuse to write over a file that is read.

        Args:
            output: file to be written.
            role: what the files are, for the message.
            advice: what to do about it, for the message.

        Raises:
            InputError: the output is one of the files.
        """
        if output in self:
            raise InputError(f"{output} would overwrite {role}; {advice}")


class ClaimedFiles:
    """Files that are written in turn, and for whom: so that none is written twice."""

    def __init__(self) -> None:
        """Start without any."""
        self._owners: dict[str, dict[Path, Path]] = {}  # name without capitals -> file -> owner

    def claim(self, output: Path, owner: Path) -> Path | None:
        """Note for whom a file is written; return for whom it was before, or None.

        Names that differ in capitals alone are one file where the first is there by now, and the
        disk takes them for the same.
        """
        alike = self._owners.setdefault(str(place_of(output)).casefold(), {})
        for other, earlier in alike.items():
            if output in InputFiles([other]):
                return earlier
        alike[output] = owner
        return None


def place_of(path: str | Path) -> Path:
    """Return where a path leads to, through all links."""
    try:
        return Path(os.path.realpath(path))  # unlike `Path.resolve`, also of links in a circle
    except ValueError:  # with a NUL, which no file has: told by what checks or opens it
        return Path(path)


def _number(path: str | Path) -> tuple[int, int] | None:
    """Return what tells a file from all others of the machine; None where there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    # Some file systems number nothing.
    return (found.st_dev, found.st_ino) if found.st_ino else None


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def read_bytes(path: Path) -> bytes:
    """Return what a file holds.

    Raises:
        InputError: the path is missing, a folder, empty or not readable.
    """
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder; a file is needed")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if not content:
        raise InputError(f"{path} is empty (0 bytes); copy or download it again")
    return content
