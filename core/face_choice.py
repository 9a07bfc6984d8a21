"""Which faces of a photo are meant: by position, by size, or by number from the left."""

from __future__ import annotations

from numbers import Integral
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float

from .errors import InputError

__all__ = ["FaceChoice", "FaceWord", "check_choice", "choose_faces"]

FaceWord = Literal["all", "largest", "smallest", "left", "right", "centre"]
FaceChoice = FaceWord | int | np.integer


def choose_faces(
    boxes: Float[np.ndarray, "faces 4"], faces: FaceChoice, size: tuple[int, int]
) -> list[int]:
    """Return which faces a choice names, by their numbers.

    Args:
        boxes: left, top, right, bottom of every face, ordered from left to right.
        faces: the choice.
        size: rows and columns of the photo.

    Raises:
        InputError: an unknown word, neither a word nor a number, or no face of that number.
    """
    check_choice(faces)
    if faces == "all" or not len(boxes):
        return list(range(len(boxes)))
    if isinstance(faces, str):
        return [_number_of(faces, boxes, size)]
    if not 0 <= int(faces) < len(boxes):
        raise InputError(f"no face {faces}: the photo has {len(boxes)}, counted from 0 at the left")
    return [int(faces)]


def check_choice(faces: FaceChoice) -> None:
    """Raise an `InputError` where a choice of faces is none, whatever the photo."""
    if not isinstance(faces, str | Integral) or isinstance(faces, bool):
        raise InputError(f"faces {faces!r}; need one number from the left, or a word as 'largest'")
    words = get_args(FaceWord)
    if not isinstance(faces, str) and faces < 0:
        raise InputError(f"face {faces}; faces are counted from the left, from 0")
    if isinstance(faces, str) and faces not in words:
        raise InputError(f"no face {faces!r}; choose {', '.join(words)} or a number from the left")


def _number_of(word: str, boxes: Float[np.ndarray, "faces 4"], size: tuple[int, int]) -> int:
    if word in ("left", "right"):
        return 0 if word == "left" else len(boxes) - 1
    if word == "centre":
        middle = np.array([size[1] - 1, size[0] - 1])
        return int(np.argmin(np.linalg.norm(boxes[:, :2] + boxes[:, 2:] - middle, axis=1)))
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return int(np.argmax(areas) if word == "largest" else np.argmin(areas))
