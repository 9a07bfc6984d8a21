"""What an edit or a swap returns: the picture, and what is written about its making."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..core.files import InputFiles
from ..core.io.images import Photo, preview_png, write_image
from ..core.io.photos import Origin, photo_origin, photo_path
from ..core.io.provenance import Provenance
from ..core.io.sidecar import input_roles, remove_sidecar, spare_sidecar, write_sidecar
from ..core.io.signing import ContentSigner
from ..core.types import Face
from ..core.whole_files import hidden_folder, move_file, no_empty_folder, write_bytes_atomic

__all__ = ["EditResult", "save_together"]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class EditResult:
    """An edited photo.

    Attributes:
        image: ``[H, W, 3]`` float32, RGB in [0, 1].
        faces: the faces that were changed, as they were before; with their new shape where that was
            changed.
        photo: the photo as it was read; alpha, profile, bit depth, Exif, XMP and density stay as
            far as the format takes them (`write_image`).
        operation: what was done, for the provenance.
        settings: the options, for the record.
        warnings: one line each.
        references: files that colours were taken from, and photos that came from none.
        likes: the same of the people by whose likeness faces were chosen.
        left_out: the same of references that do not show the face.
        alpha: ``[H, W]`` in [0, 1], opacity that moved along with a face; None: the photo's.
    """

    image: np.ndarray
    faces: list[Face]
    photo: Photo
    operation: str
    settings: dict[str, Any]
    warnings: tuple[str, ...] = ()
    references: tuple[Origin, ...] = ()
    likes: tuple[Origin, ...] = ()
    left_out: tuple[Origin, ...] = ()
    alpha: np.ndarray | None = None

    def __repr__(self) -> str:
        """Return what was done in a line, without the pixels."""
        height, width = self.image.shape[:2]
        name, faces = type(self).__name__, len(self.faces)
        told = f"operation={self.operation!r}, faces={faces}, warnings={list(self.warnings)}"
        return f"{name}({width}x{height} px, {told})"

    def _repr_png_(self) -> bytes:
        """Return the picture as notebooks show it; it says that it is synthetic."""
        alpha = self.photo.alpha if self.alpha is None else self.alpha
        told = Provenance(operation=self.operation)
        return preview_png(self.image, alpha=alpha, icc=self.photo.icc, provenance=told)

    def save(
        self,
        path: str | Path,
        *,
        metadata: bool = True,
        sidecar: bool = True,
        signer: ContentSigner | None = None,
    ) -> None:
        """Write the image in the format of the path's suffix, and how it was made.

        Args:
            path: file to write, as a whole or not at all.
            metadata: say in the file that it was edited synthetically.
            sidecar: write ``path.json`` with the SHA-256 of all files, the options and the
                warnings; only with ``metadata``.
            signer: sign the picture with a certificate (C2PA).

        Raises:
            InputError: the path is that of an input, a file cannot be written, ``path.json`` is
                of others, or the signer does not sign.
        """
        path = Path(path)
        InputFiles(map(photo_path, self.inputs.values())).spare(path)
        # Before anything is written: what cannot be told of leaves no file.
        record = self.record(path) if metadata and sidecar else None
        if record is not None:
            spare_sidecar(path)
        if signer is None:
            self._write(path, metadata=metadata)
        else:
            self._write_signed(path, signer, metadata=metadata)
        if record is not None:
            write_sidecar(path, record, inputs=self.inputs)
        else:
            remove_sidecar(path)  # that of an older picture would tell of it

    def _write_signed(self, path: Path, signer: ContentSigner, *, metadata: bool) -> None:
        """Write the picture signed; the unsigned one never bears its name."""
        with no_empty_folder(path.parent):
            with hidden_folder(path.parent, name="unsigned") as place:
                self._write(place / path.name, metadata=metadata)
                content = (place / path.name).read_bytes()
                signed = signer.sign(content, name=path.name, operation=self.operation)
            write_bytes_atomic(path, signed)

    def _write(self, path: Path, *, metadata: bool) -> None:
        write_image(
            path,
            self.image,
            alpha=self.photo.alpha if self.alpha is None else self.alpha,
            bit_depth=self.photo.bit_depth,
            icc=self.photo.icc,
            exif=self.photo.exif,
            xmp=self.photo.xmp,
            density=self.photo.density,
            provenance=Provenance(operation=self.operation) if metadata else None,
        )

    @property
    def inputs(self) -> dict[str, Origin]:
        """Return role -> what the picture was made from, and what was looked at."""
        return input_roles(
            photo_origin(self.photo),
            references=self.references,
            likes=self.likes,
            left_out=self.left_out,
        )

    def record(self, output: str | Path) -> dict[str, Any]:
        """Return what was done as a JSON object."""
        boxes = [np.round(np.asarray(face.box, float), 2).tolist() for face in self.faces]
        return {
            "image": str(output),
            "photo": str(self.photo.path or ""),
            "operation": self.operation,
            "settings": self.settings,
            "faces": [{"box": box} for box in boxes],
            "warnings": list(self.warnings),
        }


def save_together(
    folder: Path,
    results: Mapping[str, EditResult],
    *,
    metadata: bool = True,
    sidecar: bool = True,
) -> None:
    """Write several pictures into a folder: what can fail does so before any has its name.

    Args:
        folder: it is made if it is missing.
        results: file name -> picture, written as `EditResult.save` does.
        metadata: as there.
        sidecar: as there.

    Raises:
        InputError: as there, also where a picture would be written over an input of another.
    """
    inputs = InputFiles(
        photo_path(one) for made in results.values() for one in made.inputs.values()
    )
    for name in results:
        inputs.spare(folder / name)
        if metadata and sidecar:
            spare_sidecar(folder / name)
    with no_empty_folder(folder), hidden_folder(folder, name="pictures") as place:
        for name, made in results.items():
            made.save(place / name, metadata=metadata, sidecar=sidecar)
        _move_all(place, folder)
        if not (metadata and sidecar):
            for name in results:
                remove_sidecar(folder / name)  # that of an older picture would tell of it


def _move_all(place: Path, folder: Path) -> None:
    """Move a folder's files into another on the same disk, over files of the same names."""
    moves = [(file, folder / file.name) for file in sorted(place.iterdir())]
    for _, path in moves:  # what can be seen to fail does so before anything is replaced
        if path.is_dir():
            raise InputError(f"cannot write {path}: it is a folder")
    for file, path in moves:
        try:
            move_file(file, path)
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}") from error
