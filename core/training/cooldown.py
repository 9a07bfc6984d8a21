"""The file by which a running job is asked to end soon, with a proper cooldown."""

from __future__ import annotations

import contextlib
import math
import warnings
from pathlib import Path

__all__ = ["take_request"]

_MINUTES = 5.0  # where the file is empty


def take_request(folder: Path) -> float | None:
    """Return the minutes that a file ``COOLDOWN`` leaves, once: the file is removed.

    A file that holds no number of minutes is warned of and means nothing: a training that has run
    for hours does not end for it.

    Args:
        folder: of the run.
    """
    path = folder / "COOLDOWN"
    if not path.is_file():
        return None
    try:
        text = path.read_text(errors="replace").strip()
        path.unlink()
    except OSError as error:
        warnings.warn(f"cannot take the request {path}: {error.strerror}", stacklevel=2)
        return None
    minutes = math.nan
    with contextlib.suppress(ValueError):
        minutes = float(text) if text else _MINUTES
    if not 0.0 < minutes < math.inf:
        warnings.warn(f"{path} holds {text[:40]!r}, no number of minutes; ignored", stacklevel=2)
        return None
    return minutes
