"""Which photos files, folders and globs name; imports no JAX."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from .arguments import path_list
from .errors import InputError
from .io.existing import is_result

__all__ = ["find_photos", "is_glob", "left_out"]

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif"}
_HEIC = {".heic", ".heif", ".hif"}

_NEED = "names of files, folders or globs (model.reconstruct takes arrays and pictures)"


def find_photos(patterns: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the files that files, folders (one level) and globs name, in order, each once.

    Of folders and globs only pictures count, and of these not the results of `reconstruct` nor
    its contact sheets, nor hidden files. Brackets of a glob that match nothing as a set of
    characters stand for themselves, as in names like ``photo[1].jpg``.

    Raises:
        InputError: a glob or a folder holds no picture, or something given is no name. A missing
            *file* is reported when it is read, so that it does not end a batch.
    """
    photos: list[Path] = []
    names = path_list(patterns, _NEED)
    if not names:
        raise InputError(f"nothing to read; need {_NEED}")
    for pattern in map(str, names):
        if not pattern:
            raise InputError("an empty name; need names of files, folders or globs")
        files = _files_of(pattern)
        found = [Path(pattern)] if files is None else sorted(filter(_is_photo, files))
        if not found:
            raise InputError(_none_in(Path(pattern)))
        photos += found
    unique: dict[tuple[str, str], Path] = {}  # links of other names have results of their own
    for path in photos:
        unique.setdefault((os.path.realpath(path), path.name), path)
    return list(unique.values())


def left_out(patterns: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the pictures of folders and globs that are no photos since they are HEIC."""
    files = [file for one in path_list(patterns, _NEED) for file in _files_of(str(one)) or ()]
    return sorted(file for file in files if file.suffix.lower() in _HEIC)


def _files_of(pattern: str) -> list[Path] | None:
    """Return what is in a folder or fits a glob; None where a file is named."""
    if os.path.isdir(pattern):
        return _files_in(Path(pattern))
    return _matches(pattern) if is_glob(pattern) else None


def is_glob(pattern: str) -> bool:
    """Return whether a text is a glob; not if it names a file, or has brackets for no match."""
    if os.path.exists(pattern) or not glob.has_magic(pattern):
        return False
    return "*" in pattern or "?" in pattern or bool(_matches(pattern))


def _files_in(folder: Path) -> list[Path]:
    try:  # but for hidden ones, as macOS leaves beside photos (._IMG.jpg)
        return [file for file in folder.iterdir() if not file.name.startswith(".")]
    except OSError as error:
        raise InputError(f"cannot read the folder {folder}: {error.strerror}") from error


def _matches(pattern: str) -> list[Path]:
    found = glob.glob(pattern, recursive=True)
    return [Path(p) for p in found or glob.glob(pattern.replace("[", "[[]"), recursive=True)]


def _none_in(path: Path) -> str:
    """Return what to say of a folder or a glob without pictures."""
    every = Path(glob.escape(str(path))) / "**" / "*"
    files = map(Path, glob.iglob(str(every), recursive=True))
    first = next((file for file in files if file.suffix.lower() in _SUFFIXES), None)
    if os.path.isdir(path) and first is not None:
        below = f"no pictures in {path} itself, but in folders below it, as {first.parent}"
        return f"{below}; name such a folder, or '{every}' where globs are taken"
    need = f"no pictures in {path}; need {', '.join(sorted(_SUFFIXES))}"
    return f"{need}; convert HEIC to JPEG or PNG" if left_out(path) else need


def _is_photo(path: Path) -> bool:
    from .io.contact_sheet import is_contact_sheet  # draws, and so needs JAX

    is_picture = path.suffix.lower() in _SUFFIXES and os.path.isfile(path)
    return is_picture and not is_result(path) and not is_contact_sheet(path)
