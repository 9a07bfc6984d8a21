"""Which face gets which reference: ``--map 0=anna.jpg,1=ben.jpg``, or a JSON or CSV file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TypeVar, get_args

from ..core.errors import InputError
from ..core.files import read_bytes
from ..core.reconstruct import FaceChoice, FaceWord

__all__ = [
    "FaceMap",
    "mapped_face",
    "read_map",
    "read_table",
    "resolve_beside",
    "split_references",
    "unique_faces",
]

_Given = TypeVar("_Given")

FaceMap = dict[FaceChoice, tuple[Path, ...]]
_NEED = (
    'need 0=anna.jpg,1=ben.jpg, or a file: JSON {"0": "anna.jpg"}, or CSV with the columns face '
    "and reference"
)


def read_map(text: str) -> FaceMap:
    """Return face -> photos of its reference.

    Args:
        text: ``FACE=PHOTO,...`` or the path of a ``.json`` or ``.csv`` file. A face is a number
            from the left or a word as ``left``. Paths in a file may be relative to it; several
            of one person are a list in JSON, separated by ``;`` in CSV.

    Raises:
        InputError: the text or the file has another form, or a face twice.
    """
    path = Path(text)
    if path.suffix.lower() == ".json" and "=" not in text:
        pairs = _from_json(path)
    elif path.suffix.lower() == ".csv" and "=" not in text:
        pairs = _from_csv(path)
    else:
        parts = [part.partition("=") for part in text.split(",") if part.strip()]
        pairs = [(face.strip(), [Path(photo.strip())] if photo else []) for face, _, photo in parts]
    for face, photos in pairs:
        if not photos:
            raise InputError(f"the map names no photo for face {face!r}; {_NEED}")
    found = unique_faces((face, tuple(photos)) for face, photos in pairs)
    if not found:
        raise InputError(f"the map {text!r} is empty; {_NEED}")
    return found


def split_references(file: Path, text: str) -> tuple[Path, ...]:
    """Return the photos of one person that a field of a table names, separated by ``;``.

    Args:
        file: the table; photos may lie beside it.
        text: the field.
    """
    names = [name.strip() for name in text.split(";") if name.strip()]
    return tuple(resolve_beside(file, name) for name in names)


def resolve_beside(file: Path, name: str) -> Path:
    """Return a path that a file names: as it is, or else relative to the file's folder."""
    path = Path(name)
    beside = file.parent / path
    return beside if not path.is_absolute() and not path.exists() and beside.exists() else path


def unique_faces(pairs: Iterable[tuple[FaceChoice | str, _Given]]) -> dict[FaceChoice, _Given]:
    """Return a map by `mapped_face`.

    Raises:
        InputError: a key names no face, or two name the same.
    """
    found: dict[FaceChoice, _Given] = {}
    for face, given in pairs:
        choice = mapped_face(face)
        if choice in found:
            raise InputError(f"the map names face {face} twice")
        found[choice] = given
    return found


def mapped_face(face: FaceChoice | str) -> FaceChoice:
    """Return the one face that a key of a map names; numbers may be text, as in JSON.

    Raises:
        InputError: it names none, or all.
    """
    if not isinstance(face, str):
        return face  # a number, or what `choose_faces` refuses
    if face.isdecimal():
        return int(face)
    for word in get_args(FaceWord):
        if face == word and word != "all":
            return word
    if face == "all":
        raise InputError(
            "the map names face 'all', and each of its faces is one; for one reference on all "
            "faces give that without a map, and faces 'all'"
        )
    raise InputError(f"the map names face {face!r}; need a number from the left, or left, largest")


def read_table(path: Path, columns: Collection[str], need: str) -> list[dict[str, str]]:
    """Read a CSV file: its rows as column -> text, without the spaces around it.

    Columns are separated by ``,``, or by ``;`` (as spreadsheets write it where a comma stands in
    numbers) if the header is.

    Args:
        path: the file, UTF-8, with line ends of any system.
        columns: those that it must have.
        need: what the file should hold, for messages.

    Raises:
        InputError: it is no CSV table, or lacks a column.
    """
    text = _text(path, need)
    header = text.lstrip().splitlines()[0] if text.strip() else ""
    delimiter = ";" if ";" in header and "," not in header else ","
    table = csv.DictReader(io.StringIO(text, newline=None), delimiter=delimiter)
    try:
        found, rows = list(table.fieldnames or ()), list(table)
    except csv.Error as error:
        raise InputError(f"{path} is no CSV table ({error}); {need}") from error
    if not set(columns) <= set(found):
        raise InputError(f"{path} has the columns {', '.join(found) or 'none'}; {need}")
    return [{column: (row[column] or "").strip() for column in found} for row in rows]


def _text(path: Path, need: str) -> str:
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text; {need}") from error


def _from_json(path: Path) -> list[tuple[str, list[Path]]]:
    text = _text(path, _NEED)
    try:
        content = json.loads(text, object_pairs_hook=tuple)  # a dict would hide a face named twice
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}); {_NEED}") from error
    if not isinstance(content, tuple):
        raise InputError(f"{path} holds a {type(content).__name__}; {_NEED}")
    pairs = []
    for face, photos in content:
        names = [photos] if isinstance(photos, str) else photos
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError(f"{path}: the photo of face {face!r} is no text; {_NEED}")
        pairs.append((face, [resolve_beside(path, name) for name in names]))
    return pairs


def _from_csv(path: Path) -> list[tuple[str, list[Path]]]:
    rows = read_table(path, {"face", "reference"}, _NEED)
    return [(row["face"], [*split_references(path, row["reference"])]) for row in rows]
