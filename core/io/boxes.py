"""Boxes given by the user in place of detection: a JSON file, or a folder of landmark files."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from PIL import Image

from ..errors import InputError
from .landmark_files import find_landmark_files, read_landmark_file

__all__ = ["Boxes", "GivenBoxes", "check_boxes", "read_boxes"]

_TOO_LARGE = 10**300  # whole numbers from here on are no floats
_NEED = 'need {"STEM": [[left, top, right, bottom], ...]}'


class GivenBoxes:
    """Stem of a photo -> its boxes; what is wrong with those of one photo is raised for it alone.

    So a damaged file among many costs a batch one photo.
    """

    def __init__(self, found: Mapping[str, list[list[float]] | InputError]) -> None:
        """Take the boxes of each photo, or why there are none to use."""
        self._found = dict(found)

    def __getitem__(self, stem: str) -> list[list[float]]:
        """Return the boxes of a photo; raise InputError where they cannot be used."""
        boxes = self._found[stem]
        if isinstance(boxes, InputError):
            raise boxes
        return boxes

    def __contains__(self, stem: object) -> bool:
        """Return whether a photo has boxes, usable or not."""
        return stem in self._found

    def get(self, stem: str) -> list[list[float]] | None:
        """Return the boxes of a photo, None where none are given; raise as indexing does."""
        return self[stem] if stem in self else None


Boxes = Mapping[str, Sequence[Sequence[float | int]]] | GivenBoxes  # stem -> around landmarks


def check_boxes(boxes: Boxes | None) -> Boxes | None:
    """Return boxes; raise InputError where they are no map of photos, as those of one photo."""
    if boxes is not None and not isinstance(boxes, Mapping | GivenBoxes):
        raise InputError(f"boxes of type {type(boxes).__name__}; {_NEED}, STEM a photo's name")
    return boxes


def read_boxes(path: Path, stems: Collection[str]) -> GivenBoxes:
    """Read ``{"STEM": [[left, top, right, bottom], ...]}``, or a folder of landmark files.

    In place of a photo's stem its file name may stand.

    Args:
        path: a JSON file with boxes around the landmarks in photo pixels, or a folder with
            ``STEM.json``, ``.mat``, ``.pts`` or ``.txt`` (`read_landmark_file`).
        stems: of the photos' file names; other boxes and landmark files are passed over.

    Returns:
        Stem of a photo's file name -> its boxes in photo pixels. Boxes or a landmark file of
        another form raise InputError when that photo's are asked for.

    Raises:
        InputError: the JSON file is missing or of another form, or none of the photos is in it.
    """
    if not path.is_dir():
        return _from_json(path, stems)
    files = find_landmark_files(path)
    found = {stem: _from_landmarks(files[stem]) for stem in stems if stem in files}
    if stems and not found:
        raise InputError(
            f"{path} holds no landmarks of {next(iter(stems))}; need STEM.json, .mat, .pts or .txt"
        )
    return GivenBoxes(found)


def _from_landmarks(path: Path) -> list[list[float]] | InputError:
    try:
        faces = read_landmark_file(path)
    except InputError as error:
        return error
    return [[*points.min(axis=0).tolist(), *points.max(axis=0).tolist()] for points in faces]


def _from_json(path: Path, stems: Collection[str]) -> GivenBoxes:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the boxes {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}); {_NEED}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds a {type(content).__name__}; {_NEED}")
    named = {_stem(key): boxes for key, boxes in content.items()} | content
    found = {stem: _checked(path, stem, named[stem]) for stem in stems if stem in named}
    if stems and not found:
        raise InputError(f"{path} holds no boxes of {next(iter(stems))}; {_NEED}")
    return GivenBoxes(found)


def _checked(path: Path, stem: str, boxes: object) -> list[list[float]] | InputError:
    if not isinstance(boxes, list) or not all(_is_box(box) for box in boxes):
        return InputError(f"{path}: the boxes of {stem!r} are not lists of 4 numbers; {_NEED}")
    return [[float(x) for x in box] for box in boxes]


def _stem(name: str) -> str:
    """Return the stem of a picture's file name; any other name as it is."""
    path = Path(name)
    return path.stem if path.suffix.lower() in Image.registered_extensions() else name


def _is_box(box: object) -> bool:
    return isinstance(box, list) and len(box) == 4 and all(_is_number(x) for x in box)


def _is_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < _TOO_LARGE)
