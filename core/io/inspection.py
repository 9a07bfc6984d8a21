"""``uvface inspect``: what a file says about how it was made. Imports no JAX."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..arguments import as_path
from ..errors import InputError
from .face_files import FaceTexture, is_face_file, read_face_file
from .provenance import Provenance, read_provenance
from .sidecar import check_sidecar, is_intact, read_sidecar
from .signing import read_credentials

__all__ = ["Inspection", "inspect"]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Inspection:
    """What a picture, a video or a face file says about how it was made.

    Attributes:
        path: the file.
        provenance: what its XMP packet says; None for nothing.
        credentials: what its content credentials say, as `read_credentials` has them.
        sidecar: what stands in ``FILE.json`` beside it; None where there is none of ours.
        sidecar_fits: whether the file is still what its sidecar was written for.
        face: what a face file holds; such a file has none of the above.
        warnings: one line each.
    """

    path: Path
    provenance: Provenance | None = None
    credentials: Mapping[str, Any] | None = None
    sidecar: Mapping[str, Any] | None = None
    sidecar_fits: bool | None = None
    face: FaceTexture | None = None
    warnings: tuple[str, ...] = ()

    @property
    def has_provenance(self) -> bool:
        """Return whether anything says how the file was made; of a camera's photo nothing does."""
        told = (self.provenance, self.credentials, self.sidecar, self.face)
        return any(one is not None for one in told)

    def record(self) -> dict[str, Any] | None:
        """Return it as JSON can hold it; None where nothing says how the file was made."""
        if self.face is not None:
            return {"file": str(self.path)} | self.face.record()
        if not self.has_provenance:
            return None
        packet = {} if self.provenance is None else dataclasses.asdict(self.provenance)
        return packet | {
            "credentials": self.credentials,
            "sidecar": self.sidecar,
            "sidecar_fits": self.sidecar_fits,
        }


def inspect(path: str | Path) -> Inspection:
    """Read how a picture, a video or a face file was made: its metadata, and its sidecar.

    A sidecar that is damaged, or that was written for another picture, is a warning.

    Args:
        path: the file; its sidecar is ``FILE.json`` beside it.

    Raises:
        InputError: the file cannot be read as what it is by its name.
    """
    path = as_path(path, "a picture, a video or a face file")
    if is_face_file(path):
        return Inspection(path=path, face=read_face_file(path))
    provenance, sidecar = read_provenance(path), read_sidecar(path)
    fits = None if sidecar is None else is_intact(path, sidecar)
    return Inspection(
        path=path,
        provenance=provenance,
        credentials=read_credentials(path),
        sidecar=sidecar,
        sidecar_fits=fits,
        warnings=_warnings(path, fits),
    )


def _warnings(path: Path, fits: bool | None) -> tuple[str, ...]:
    """Return what is to be said of a picture's sidecar."""
    if fits is False:
        what = "is not the file that its sidecar was written for; it was changed since"
        return (f"{path} {what}",)
    try:
        check_sidecar(path)
    except InputError as error:  # what the picture itself says counts all the same
        return (str(error),)
    return ()
