"""Boxes given by the user in place of detection: a JSON file, or a folder of landmark files."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from PIL import Image

from ..errors import InputError
from .landmark_files import find_landmark_files, read_landmark_file

__all__ = ["read_boxes"]

_TOO_LARGE = 10**300  # whole numbers from here on are no floats


def read_boxes(path: Path, stems: Collection[str]) -> dict[str, list[list[float]]]:
    """Read ``{"STEM": [[left, top, right, bottom], ...]}``, or a folder of landmark files.

    In place of a photo's stem its file name may stand.

    Args:
        path: a JSON file with boxes around the landmarks in photo pixels, or a folder with
            ``STEM.json``, ``.mat``, ``.pts`` or ``.txt`` (`read_landmark_file`).
        stems: of the photos' file names; other boxes and landmark files are passed over.

    Returns:
        Stem of a photo's file name -> its boxes in photo pixels.

    Raises:
        InputError: a file is missing or of another form, or none of the photos is in it.
    """
    if not path.is_dir():
        return _from_json(path, stems)
    files = find_landmark_files(path)
    found = {stem: _boxes(files[stem]) for stem in stems if stem in files}
    if stems and not found:
        raise InputError(
            f"{path} holds no landmarks of {next(iter(stems))}; need STEM.json, .mat, .pts or .txt"
        )
    return found


def _boxes(path: Path) -> list[list[float]]:
    return [
        [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]
        for points in read_landmark_file(path)
    ]


def _from_json(path: Path, stems: Collection[str]) -> dict[str, list[list[float]]]:
    need = 'need {"STEM": [[left, top, right, bottom], ...]}'
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the boxes {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}); {need}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds a {type(content).__name__}; {need}")
    for stem, boxes in content.items():
        if not isinstance(boxes, list) or not all(_is_box(box) for box in boxes):
            raise InputError(f"{path}: the boxes of {stem!r} are not lists of 4 numbers; {need}")
    named = {_stem(key): boxes for key, boxes in content.items()} | content
    found = {
        stem: [[float(x) for x in box] for box in named[stem]] for stem in stems if stem in named
    }
    if stems and not found:
        raise InputError(f"{path} holds no boxes of {next(iter(stems))}; {need}")
    return found


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
