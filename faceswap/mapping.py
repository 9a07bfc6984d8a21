"""Which face gets which reference: ``--map 0=anna.jpg,1=ben.jpg``, or a JSON or CSV file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar, get_args

from ..core.arguments import plain_number
from ..core.errors import InputError
from ..core.face_choice import FaceChoice, FaceWord
from .tables import read_table, read_text, resolve_beside, split_references

__all__ = ["FaceMap", "mapped_face", "read_map", "unique_faces"]

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
        return plain_number(face)  # or what `choose_faces` refuses
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


def _from_json(path: Path) -> list[tuple[str, list[Path]]]:
    text = read_text(path, _NEED)
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
    return [(row["face"], [*split_references(path, row["reference"])]) for row in rows.values()]
