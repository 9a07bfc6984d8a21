"""Results of an earlier run: are they whole, and of this photo?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["read_existing"]

# output -> a file of it, where named otherwise
_KEYS = {"mesh": "obj", "frontal": "frontal_obj", "canonical": "canonical_obj"}


def read_existing(
    folder: Path, photo: Path, *, save: Sequence[str], weights: str
) -> dict[str, Any] | None:
    """Return what ``STEM.json`` says, if that and all that it promises can be kept.

    ``STEM.json`` is written last, so that it stands for whole results. None is returned where it
    is missing, older than the photo, of another photo or other weights, or lacks a chosen output.

    Args:
        folder: of the results.
        photo: file of the photo.
        save: names of the outputs that are needed.
        weights: name of the weights that they must come from.
    """
    path = folder / f"{photo.stem}.json"
    try:
        if path.stat().st_mtime < photo.stat().st_mtime:
            return None
        record = json.loads(path.read_text(encoding="utf-8"))
        is_same = (record["image"], record["weights"]) == (str(photo), weights)
        needed = [face["files"][_KEYS.get(name, name)] for face in record["faces"] for name in save]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if is_same and all((folder / name).is_file() for name in needed) else None
