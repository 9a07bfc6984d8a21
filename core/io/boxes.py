"""Boxes given by the user in place of detection: a JSON file, or a folder of landmark files."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ..errors import InputError
from .landmark_files import find_landmark_files, read_landmark_file

__all__ = ["Boxes", "GivenBoxes", "as_boxes", "read_boxes", "require_boxes"]

_TOO_LARGE = 10**300  # whole numbers from here on are no floats
_NEED = 'need {"photo.jpg": [[left, top, right, bottom], ...]}'


class GivenBoxes:
    """Boxes of photos; what is wrong with those of one photo is raised for it alone.

    So a damaged file among many costs a batch one photo.
    """

    def __init__(
        self,
        found: Mapping[Any, Sequence[Sequence[float | int]] | InputError],
        *,
        files: Collection[Path] = (),
    ) -> None:
        """Take the boxes of each path, file name or stem, or why there are none to use.

        Args:
            found: the boxes.
            files: where they were read; no results may be written there.
        """
        counts = Counter(map(os.path.normpath, found))
        self._found = {os.path.normpath(name): boxes for name, boxes in found.items()}
        for name in (name for name, count in counts.items() if count > 1):
            self._found[name] = InputError(f"boxes of {name!r} are given twice; leave out one")
        self.files = tuple(files)

    def get(self, photo: str | Path) -> Sequence[Sequence[float | int]] | None:
        """Return the boxes under a photo's path, else its file name, else its stem.

        None: not given.

        Raises:
            InputError: they are given and cannot be used.
        """
        boxes = next((self._found[key] for key in _keys(photo) if key in self._found), None)
        if isinstance(boxes, InputError):
            raise boxes
        return boxes

    @property
    def names(self) -> tuple[str, ...]:
        """Return the paths, file names and stems."""
        return tuple(self._found)

    def is_given(self, photo: str | Path) -> bool:
        """Return whether a photo has boxes, usable or not."""
        return not self._found.keys().isdisjoint(_keys(photo))

    def record(self, photos: Collection[Path]) -> dict[str, list[list[float]]]:
        """Return the boxes of those photos that have some, as JSON can hold them.

        By file names, or by paths where photos share one.

        Args:
            photos: each once.

        Raises:
            InputError: as `get`.
        """
        shared = Counter(photo.name for photo in photos)
        found = {
            photo.name if shared[photo.name] == 1 else str(photo): self.get(photo)
            for photo in sorted(photos)
        }
        return {
            name: [[float(x) for x in box] for box in boxes]
            for name, boxes in found.items()
            if boxes is not None
        }


def _keys(photo: str | Path) -> tuple[str, str, str]:
    """Return what a photo's boxes are looked up by, in order."""
    return os.path.normpath(photo), Path(photo).name, Path(photo).stem


# Path as the photo's is given, file name or stem -> boxes around landmarks, photo pixels.
_Lists = Sequence[Sequence[float | int]]
Boxes = Mapping[str, _Lists] | Mapping[Path, _Lists] | GivenBoxes


def as_boxes(boxes: Boxes | None) -> GivenBoxes:
    """Return boxes as they are looked up; None gives none.

    Raises:
        InputError: they are no map of photos' names, as those of one photo.
    """
    if isinstance(boxes, GivenBoxes):
        return boxes
    if boxes is not None and not isinstance(boxes, Mapping):
        raise InputError(f"boxes of type {type(boxes).__name__}; {_NEED}")
    for name in boxes or {}:
        if not isinstance(name, str | Path):
            raise InputError(f"boxes of {name!r}, no name of a photo; {_NEED}")
    given = {name: one for name, one in (boxes or {}).items() if one is not None}
    return GivenBoxes({name: _as_list(str(name), one) for name, one in given.items()})


def _as_list(name: str, boxes: Any) -> Sequence[Sequence[float | int]] | InputError:
    """Return a photo's boxes, of which each is looked at with the photo, or why there are none."""
    if getattr(boxes, "ndim", 0) == 2 or getattr(boxes, "size", 1) == 0:  # an array
        boxes = boxes.tolist()
    if isinstance(boxes, list | tuple):
        return cast("Sequence[Sequence[float | int]]", boxes)
    return InputError(f"the boxes of {name!r} are {boxes!r:.100}, no list; {_NEED}")


def require_boxes(boxes: GivenBoxes, photos: Collection[Path]) -> None:
    """Raise an `InputError` where boxes are given, and none for any of the photos."""
    if boxes.names and photos and not any(map(boxes.is_given, photos)):
        raise InputError(
            f"boxes of {boxes.names[0]!r}, but none of {next(iter(photos)).name}; {_NEED}"
        )


def read_boxes(path: Path, photos: Collection[Path]) -> GivenBoxes:
    """Read ``{"photo.jpg": [[left, top, right, bottom], ...]}``, or a folder of landmark files.

    In place of a photo's file name its path may stand, as it is given, or its stem: the path
    counts first, then the file name.

    Args:
        path: a JSON file with boxes around the landmarks in photo pixels, or a folder with
            ``STEM.json``, ``.mat``, ``.pts`` or ``.txt`` (`read_landmark_file`).
        photos: their files; other landmark files are passed over.

    Returns:
        Boxes in photo pixels. Boxes or a landmark file of another form raise InputError when that
        photo's are asked for.

    Raises:
        InputError: the JSON file is missing or of another form, or none of the photos is in it.
    """
    if os.path.isdir(path):
        files = find_landmark_files(path)
        stems = [photo.stem for photo in photos if photo.stem in files]
        used = {stem: files[stem] for stem in stems}
        boxes = {stem: _from_landmarks(file) for stem, file in used.items()}
        found = GivenBoxes(boxes, files=used.values())
        missing, need = "landmarks", "need STEM.json, .mat, .pts or .txt"
    else:
        found, missing, need = _from_json(path), "boxes", _NEED
    if photos and not any(map(found.is_given, photos)):
        raise InputError(f"{path} holds no {missing} of {next(iter(photos)).name}; {need}")
    return found


def _from_landmarks(path: Path) -> list[list[float]] | InputError:
    try:
        faces = read_landmark_file(path)
    except InputError as error:
        return error
    return [[*points.min(axis=0).tolist(), *points.max(axis=0).tolist()] for points in faces]


def _from_json(path: Path) -> GivenBoxes:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))  # Windows writes a mark first
    except OSError as error:
        raise InputError(f"cannot read the boxes {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # the latter: nested too deeply
        raise InputError(f"{path} is not JSON ({error}); {_NEED}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds a {type(content).__name__}; {_NEED}")
    checked = {name: _checked(path, name, boxes) for name, boxes in content.items()}
    return GivenBoxes(checked, files=[path])


def _checked(path: Path, name: str, boxes: object) -> list[list[float]] | InputError:
    if not isinstance(boxes, list) or not all(_is_box(box) for box in boxes):
        return InputError(f"{path}: the boxes of {name!r} are not lists of 4 numbers; {_NEED}")
    return [[float(x) for x in box] for box in boxes]


def _is_box(box: object) -> bool:
    return isinstance(box, list) and len(box) == 4 and all(_is_number(x) for x in box)


def _is_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < _TOO_LARGE)
