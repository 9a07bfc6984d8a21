"""Whom to name beside what was made from the CC BY photos of the data pack."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from ..whole_files import make_folder, write_bytes_atomic

__all__ = ["write_attribution"]

_TEXT = """\
Skins, fits and photos in this folder are adapted from:
Face Research Lab London Set. Lisa DeBruine and Benedict Jones (2017), figshare,
https://doi.org/10.6084/m9.figshare.5047666.v5
licence Creative Commons Attribution 4.0 International (CC BY 4.0),
https://creativecommons.org/licenses/by/4.0/
Changes: cropped and resampled; a parametric head (ICT-FaceKit, USC Institute for Creative
Technologies, MIT) was fitted to each photo, the photo was resampled into the head's texture
space, its shading was removed and hidden parts were filled. Attribution is required wherever the
photos or pictures made from them are shown.
"""


def write_attribution(directory: Path) -> None:
    """Write ``ATTRIBUTION.txt`` into a folder, which is made if needed.

    Raises:
        InputError: another file of that name is there, or it cannot be written.
    """
    path, content = directory / "ATTRIBUTION.txt", _TEXT.encode()
    make_folder(directory)
    if path.exists() and path.read_bytes() != content:
        raise InputError(
            f"{path} is there and is not of an earlier run; move it, or choose another folder"
        )
    write_bytes_atomic(path, content)
