"""Whom to name beside what was made from the CC BY photos of the data pack."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from ..whole_files import make_folder, write_bytes_atomic

__all__ = ["check_attribution", "write_attribution"]

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


def check_attribution(directory: Path) -> None:
    """Refuse a folder with another ``ATTRIBUTION.txt``; before long work, not after it.

    Raises:
        InputError: it is there.
    """
    path = directory / "ATTRIBUTION.txt"
    try:
        is_ours = path.read_bytes() == _TEXT.encode()
    except FileNotFoundError:
        return
    except OSError:  # a folder, or not ours to read
        is_ours = False
    if not is_ours:
        raise InputError(
            f"{path} is there and is not of an earlier run; move it, or choose another folder"
        )


def write_attribution(directory: Path) -> None:
    """Write ``ATTRIBUTION.txt`` into a folder, which is made if needed.

    Raises:
        InputError: as `check_attribution`, or it cannot be written.
    """
    check_attribution(directory)
    make_folder(directory)
    write_bytes_atomic(directory / "ATTRIBUTION.txt", _TEXT.encode())
