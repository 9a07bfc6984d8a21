"""Names of the pictures that are made of many photos; imports no JAX."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..core.errors import InputError
from ..core.find_photos import is_glob
from ..core.io.encoding import FORMATS

__all__ = ["is_many", "output_name", "outputs_in", "require_photo"]


def is_many(photo: str) -> bool:
    """Return whether a text names photos, as a folder or a glob does, however many these hold."""
    return os.path.isdir(photo) or is_glob(photo)


def require_photo(photo: str, output: Path) -> None:
    """Raise an InputError where a photo is not there and the output is named as a folder is.

    A folder of photos was meant, and mistyped: the output's name is right.
    """
    if not output.suffix and not os.path.exists(photo):
        raise InputError(f"{photo} does not exist; check the path")


def outputs_in(folder: Path, photos: Sequence[Path]) -> list[Path]:
    """Return the picture in a folder that is made of each photo, by the photo's name.

    Raises:
        InputError: the folder is a photo's.
    """
    place = os.path.realpath(folder)
    held = next((path for path in photos if os.path.realpath(path.parent) == place), None)
    if held is not None:
        raise InputError(
            f"{folder} holds {held.name}, one of the photos, so that the next run would take "
            "results for photos; choose another, or photos elsewhere"
        )
    return [folder / output_name(path) for path in photos]


def output_name(photo: Path, *, addition: str = "") -> str:
    """Return the name of a picture that is made of a photo: PNG for formats that are only read."""
    suffix = photo.suffix if photo.suffix.lower() in FORMATS else ".png"
    return f"{photo.stem}{addition}{suffix}"
