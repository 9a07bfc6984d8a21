"""Boxes given by the user in a JSON file, in place of detection."""

import json
from pathlib import Path

from ..errors import InputError

__all__ = ["read_boxes"]


def read_boxes(path: Path) -> dict[str, list[list[float]]]:
    """Read ``{"STEM": [[left, top, right, bottom], ...]}``, boxes around the landmarks.

    Returns:
        Stem of a photo's file name -> its boxes in photo pixels.

    Raises:
        InputError: the file is missing or of another form.
    """
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
    return content


def _is_box(box: object) -> bool:
    return (
        isinstance(box, list)
        and len(box) == 4
        and all(isinstance(x, int | float) and not isinstance(x, bool) for x in box)
    )
