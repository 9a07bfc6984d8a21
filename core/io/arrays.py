"""Archives of arrays (``.npz``) that others made, and that may be damaged."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from ..errors import InputError

__all__ = ["open_arrays"]


@contextmanager
def open_arrays(path: Path) -> Iterator[Mapping[str, np.ndarray]]:
    """Open an archive of arrays, without pickles, for a ``with`` block that reads it.

    Raises:
        InputError: the file is missing or damaged, or lacks what the block looks for.
    """
    try:
        # Opened here, because np.load leaves the file of a damaged archive open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            yield stored
    except InputError:
        raise
    except (OSError, KeyError, TypeError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError(
            f"cannot read the arrays {path} ({reason}); take the file again from its source"
        ) from error
