"""The faces of a photo that are to be changed or taken, at least one."""

from __future__ import annotations

from ..core.errors import InputError, NoFaceError
from ..core.io.boxes import GivenBoxes
from ..core.io.images import Photo
from ..core.reconstruct import FaceChoice, Model
from ..core.types import Face

__all__ = ["find_faces"]


def find_faces(
    photo: Photo,
    model: Model,
    *,
    faces: FaceChoice,
    boxes: GivenBoxes,
    name: str = "photo",
) -> list[Face]:
    """Reconstruct the chosen faces of a photo, at least one.

    Args:
        photo: the photo.
        model: what reconstructs.
        faces: a number from the left, from 0, or a word: ``"largest"``, ``"all"``, ...
        boxes: in place of detection; those of arrays are found under ``name``.
        name: what the photo is called in messages if it has no path.

    Raises:
        InputError: there is no face of that number, or a box is unusable.
        NoFaceError: there is none.
    """
    title = photo.path.name if photo.path else f"the {name}"
    given = boxes.get(photo.path or name)
    try:
        found = model.reconstruct(photo.image, boxes=given, faces=faces)
    except InputError as error:  # of several photos the message says which
        raise InputError(f"{error} ({title})") from error
    if not found:
        raise NoFaceError(f"no face found in {title}; say where it is with a --boxes file")
    return found
