"""Files that are written wholly or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from .errors import InputError

__all__ = ["file_sha256", "make_folder", "read_bytes", "write_bytes_atomic"]


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
    if path.is_dir():
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


def make_folder(folder: Path) -> None:
    """Make a folder for results, where it is missing; before long work, not after it.

    Raises:
        InputError: it cannot be made, or cannot be written to.
    """
    if folder.is_file():
        raise InputError(f"cannot make the folder {folder}: it is a file; name another")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK):
        raise InputError(f"cannot write to the folder {folder}; choose another")


def write_bytes_atomic(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees half of it.

    The bytes go to a hidden file in the same folder, which then takes the name in one step. A
    missing folder is created. What stood there before stays when anything fails.

    Raises:
        InputError: the folder cannot be written to, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as stream:
            stream.write(content)
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise InputError(f"cannot write {path}: {error.strerror}") from error
        raise
