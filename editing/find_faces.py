"""The faces of a photo that are to be changed or taken, at least one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from jaxtyping import Float

from ..core.errors import InputError, NoFaceError
from ..core.face_choice import FaceChoice, choose_faces
from ..core.io.boxes import GivenBoxes
from ..core.io.images import Photo
from ..core.reconstruct import Model
from ..core.types import Face

__all__ = ["find_faces", "find_numbered_faces", "pick_faces"]


def find_faces(
    photo: Photo,
    model: Model,
    *,
    faces: FaceChoice,
    boxes: GivenBoxes,
    name: str = "photo",
    advice: str = "say where it is with a --boxes file",
) -> list[Face]:
    """Reconstruct the chosen faces of a photo, at least one.

    Args:
        photo: the photo.
        model: what reconstructs.
        faces: a number from the left, from 0, or a word: ``"largest"``, ``"all"``, ...
        boxes: in place of detection; those of arrays are found under ``name``.
        name: what the photo is called in messages if it has no path.
        advice: what to do where there is none.

    Raises:
        InputError: there is no face of that number, or a box is unusable.
        NoFaceError: there is none.
    """
    found = find_numbered_faces(photo, model, faces=faces, boxes=boxes, name=name, advice=advice)
    return [*found.values()]


def find_numbered_faces(
    photo: Photo,
    model: Model,
    *,
    faces: FaceChoice,
    boxes: GivenBoxes,
    name: str = "photo",
    advice: str = "say where it is with a --boxes file",
) -> dict[int, Face]:
    """Return what `find_faces` does, by the faces' numbers from the left.

    Args:
        photo: and so on to ``advice``: as for `find_faces`.
        model: what reconstructs.
        faces: which of them.
        boxes: in place of detection.
        name: of the photo.
        advice: where there is none.

    Raises:
        InputError, NoFaceError: as `find_faces`.
    """
    given = boxes.get(photo.path or name)
    with _naming(photo, name):
        found = model.reconstruct_numbered(photo.image, boxes=given, faces=faces)
    if not found:
        raise NoFaceError(f"no face found in {_title(photo, name)}; {advice}")
    return found


def pick_faces(
    found: Sequence[Face], choices: Sequence[FaceChoice], photo: Photo, *, name: str = "photo"
) -> dict[int, Face]:
    """Return one of the faces, ordered from left to right, for each choice: by their numbers.

    Args:
        found: all faces of a photo.
        choices: numbers or words; each must name one face, and no face twice.
        photo: the photo.
        name: what it is called in messages if it has no path.

    Raises:
        InputError: a choice names no or several faces, or two name the same.
    """
    with _naming(photo, name):
        numbers = _numbers(found, choices, (photo.height, photo.width))
    return {number: found[number] for number in numbers}


def _title(photo: Photo, name: str) -> str:
    return photo.path.name if photo.path else f"the {name}"


@contextmanager
def _naming(photo: Photo, name: str = "photo") -> Iterator[None]:
    """Say in messages of which photo they tell, since there may be several."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{error} ({_title(photo, name)})") from error


def _boxes_of(found: Sequence[Face]) -> Float[np.ndarray, "faces 4"]:
    return np.stack([np.asarray(face.box, np.float32) for face in found])


def _numbers(
    found: Sequence[Face], choices: Sequence[FaceChoice], size: tuple[int, int]
) -> list[int]:
    boxes = _boxes_of(found)
    numbers: list[int] = []
    for choice in choices:
        named = choose_faces(boxes, choice, size)
        if len(named) != 1:
            raise InputError(f"face {choice!r} names {len(named)} faces; name one")
        if named[0] in numbers:
            raise InputError(f"face {choice!r} is chosen twice: number {named[0]} from the left")
        numbers += named
    return numbers
