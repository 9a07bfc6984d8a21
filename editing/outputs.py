"""Pictures that are made of many photos: what became of each, and which are kept.

A picture is written whole or not at all, its sidecar after it. So a batch that was stopped goes on
where it was: what is complete is kept, the rest is made, and the results are the same.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import InputError, UvfaceError
from ..core.files import ClaimedFiles, InputFiles
from ..core.io.photos import PhotoLike, photo_origin
from ..core.io.provenance import software_name
from ..core.io.sidecar import is_intact, origin_record, read_sidecar, sidecar_path, spare_sidecar

__all__ = [
    "NEEDS_SIDECARS",
    "MadePicture",
    "Outputs",
    "failed_record",
    "kept_record",
]

NEEDS_SIDECARS = "only a sidecar tells what a picture was made of: write them, or make all anew"


@dataclasses.dataclass(frozen=True, kw_only=True)
class MadePicture:
    """What became of one photo of a batch.

    Attributes:
        photo: the file.
        output: the picture that is made of it.
        record: as `EditResult.record`; with ``error`` where it failed.
        error: why it failed, or None.
        is_old: the picture of an earlier run was complete and is kept.
    """

    photo: Path
    output: Path
    record: dict[str, Any]
    error: str | None = None
    is_old: bool = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return the warnings, one line each."""
        return tuple(self.record.get("warnings", ()))

    @property
    def status(self) -> str:
        """Return ``done``, ``kept`` or ``failed``."""
        if self.error is not None:
            return "failed"
        return "kept" if self.is_old else "done"


class Outputs:
    """The pictures of a batch, each made once, and none over a file that is read."""

    def __init__(self, inputs: InputFiles, *, has_sidecars: bool) -> None:
        """Take the files that are read, and whether each output gets a sidecar."""
        self._inputs = inputs
        self._has_sidecars = has_sidecars
        self._claimed = ClaimedFiles()

    def claim(self, output: Path, photo: Path) -> None:
        """Keep an output for a photo; raise InputError where it is another's, or others'."""
        owner = self._claimed.claim(output, photo)
        if owner is not None:
            raise InputError(f"{output} is the output of {owner}, too; name another")
        self._inputs.spare(output, role="an input of the batch", advice="choose another folder")
        if self._has_sidecars:
            spare_sidecar(output)


def failed_record(output: Path, photo: Path, error: Exception | str) -> dict[str, Any]:
    """Return the record of a picture that could not be made."""
    return {"image": str(output), "photo": str(photo), "error": str(error)}


def kept_record(
    output: Path,
    photo: Path,
    *,
    inputs: Sequence[PhotoLike],
    settings: Callable[[], dict[str, Any]],
) -> dict[str, Any] | None:
    """Return the record of a complete picture of the same inputs, options and software; or None.

    Args:
        output: the picture.
        photo: what it is made of.
        inputs: all that it is made from, in the order of its sidecar.
        settings: gives its options; called where the rest is the same.
    """
    try:
        found = read_sidecar(output) if os.path.isfile(sidecar_path(output)) else None
        if found is None or not is_intact(output, found):
            return None
        is_same = found["software"] == software_name()
        is_same &= found["settings"] == json.loads(json.dumps(settings()))
        is_same &= _are_told(inputs, found["inputs"])
        record = {key: found[key] for key in ("operation", "settings", "faces", "warnings")}
        is_same &= isinstance(record["faces"], list) and isinstance(record["warnings"], list)
    except (OSError, UvfaceError, KeyError, TypeError):
        return None
    return {"image": str(output), "photo": str(photo)} | record if is_same else None


def _are_told(inputs: Sequence[PhotoLike], told: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether a sidecar names these inputs; arrays, which have no names, in order."""
    entries = [{key: entry[key] for key in entry if key != "role"} for entry in told]
    given = [origin_record(photo_origin(one)) for one in inputs]
    arrays = [[one for one in some if not one["path"]] for some in (given, entries)]
    return arrays[0] == arrays[1] and all(one in entries for one in given)
