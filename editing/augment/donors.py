"""Whose parts faces take in ``uvface augment``: many photos, each opened when it is first needed.

Convention:
    Donors are ordered by their SHA-256, so that which one a picture takes does not depend on what
    they are called or where they lie.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import jax.numpy as jnp
import numpy as np

from ...core.errors import InputError, UvfaceError
from ...core.files import file_sha256
from ...core.geometry.crop import box_from_landmarks
from ...core.geometry.landmarks import read_landmarks
from ...core.geometry.layout import UVLayout
from ...core.io.boxes import GivenBoxes
from ...core.io.face_files import FaceTexture, is_face_file, read_face_file
from ...core.io.face_records import face_warnings, name_warnings
from ...core.io.photos import open_photo
from ...core.reconstruct import Model
from ...core.types import Face
from ..find_faces import find_faces
from ..fuse import PhotoWithFace
from ..source import Reference
from .parts import PARTS, WHOLE, moved_face

__all__ = ["Donors", "Parts"]

_SHARE = 0.5  # of the pictures have parts of a donor
_WHOLE_SHARE = 0.25  # of these have the whole inner face
_SIDE = 384.0  # pixels of the box around a donor's landmarks at most: 1.5 times the stage's
_TEXELS = 1024  # along a side of a face file's texture at most
_MARGIN = 16  # pixels kept around a donor's face
_HELD = 64  # donors in memory, 5 to 15 MB each


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """What a picture takes of which donor."""

    regions: tuple[str, ...]
    path: Path
    sha256: str
    reference: Reference

    def describe(self) -> dict[str, Any]:
        """Return it as the label tells it."""
        return {"regions": list(self.regions), "donor": self.path.name, "sha256": self.sha256}


class Donors:
    """Files that parts of faces come from."""

    def __init__(self, files: Sequence[Path], model: Model, boxes: GivenBoxes) -> None:
        """Take the files; those that show no face are left out when they are come upon.

        Args:
            files: photos, of which the largest face counts, and face files.
            model: what reconstructs.
            boxes: boxes of some of the photos, in place of detection.

        Raises:
            InputError: none of them shows a face.
        """
        self._model, self._boxes = model, boxes
        self._notes: list[str] = []
        self._told: set[str] = set()  # a donor may be opened again
        self._useless: set[str] = set()
        self._open = lru_cache(maxsize=_HELD)(self._read)
        self._files: dict[str, Path] = {}  # SHA-256 -> file
        for path in sorted(files, key=lambda path: (path.name, str(path))):
            try:
                self._files.setdefault(file_sha256(path), path)
            except InputError as error:
                self._leave_out(path, error)
        self._order = sorted(self._files)
        self._first = self._usable(self._order)
        if self._first is None:
            first = self._notes[0] if self._notes else "there are none"
            raise InputError(f"no donor shows a face; give others ({first})")

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the files that could be read, each once."""
        return tuple(self._files.values())

    @property
    def digest(self) -> str:
        """Return a hash of all that pictures depend on: the files' bytes and their boxes."""
        given = [[sha256, self._boxes_of(self._files[sha256])] for sha256 in self._order]
        return hashlib.sha256(json.dumps(given).encode()).hexdigest()

    @property
    def is_detected(self) -> bool:
        """Return whether a face is looked for in one of them."""
        photos = [path for path in self.files if not is_face_file(path)]
        return not all(map(self._boxes.is_given, photos))

    def take_notes(self) -> tuple[str, ...]:
        """Return what is to be said of donors that were opened since the last call."""
        notes, self._notes = tuple(self._notes), []
        return notes

    def check_others(self, photo: Path, sha256: str) -> None:
        """Raise InputError where of the donors only a photo itself shows a face."""
        others = [one for one in self._order if one != sha256]
        if sha256 == self._first and self._usable(others) is None:
            raise InputError(f"{photo} is itself the only donor that shows a face; give others")

    def _usable(self, order: Sequence[str]) -> str | None:
        """Return the first of donors that shows a face, if any."""
        return next((sha256 for sha256 in order if self._opened(sha256) is not None), None)

    def draw(self, random: np.random.Generator, photo_sha256: str) -> Parts | None:
        """Draw what a picture takes of whom; None in half of them.

        Args:
            random: the picture's own numbers for this.
            photo_sha256: of its photo, which is no donor for itself.

        Raises:
            InputError: no donor but the photo itself shows a face any more.
        """
        share, whole, start = random.random(3).tolist()
        chosen = int(random.integers(1, 1 << len(PARTS)))
        if share >= _SHARE:
            return None
        parts = tuple(name for bit, name in enumerate(PARTS) if chosen >> bit & 1)
        others = [sha256 for sha256 in self._order if sha256 != photo_sha256]
        first = int(start * len(others))
        for sha256 in others[first:] + others[:first]:
            reference = self._opened(sha256)
            if reference is not None:
                return Parts(
                    regions=WHOLE if whole < _WHOLE_SHARE else parts,
                    path=self._files[sha256],
                    sha256=sha256,
                    reference=reference,
                )
        raise InputError("no donor but the photo itself shows a face any more; give others")

    def _opened(self, sha256: str) -> Reference | None:
        """Return the face of a donor; None, and once a note, where it shows none."""
        if sha256 in self._useless:
            return None
        try:
            return self._open(sha256)
        except (UvfaceError, OSError) as error:
            self._useless.add(sha256)
            self._leave_out(self._files[sha256], error)
            return None

    def _leave_out(self, path: Path, error: Exception) -> None:
        told = str(error) if path.name in str(error) else f"{path.name}: {error}"
        self._note(f"donor left out: {told}")

    def _note(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self._notes.append(line)

    def _read(self, sha256: str) -> Reference:
        path, layout = self._files[sha256], self._model.layout
        if is_face_file(path):
            return _small(read_face_file(path, layout=layout))
        photo = open_photo(path)
        (face, *_) = find_faces(photo, self._model, faces="largest", boxes=self._boxes)
        notes = [*photo.warnings, *face_warnings(face, photo, layout)]
        for line in name_warnings(f"donor {path.name}", {0: notes}):
            self._note(line)
        return _cut_out(photo.image, face, layout)

    def _boxes_of(self, path: Path) -> Any:
        try:
            return self._boxes.get(path)
        except InputError as error:  # it is left out for it
            return str(error)


def _small(face: FaceTexture) -> FaceTexture:
    """Return a face file's face, no finer than pictures need it."""
    if face.texture.shape[0] <= _TEXELS:
        return face
    texture = cv2.resize(face.texture, (_TEXELS, _TEXELS), interpolation=cv2.INTER_AREA)
    return dataclasses.replace(face, texture=texture)


def _cut_out(image: np.ndarray, face: Face, layout: UVLayout) -> PhotoWithFace:
    """Return the part of a photo that shows its face, no larger than pictures need it."""
    box = np.asarray(box_from_landmarks(read_landmarks(face.position_map, layout.landmark_uv)))
    zoom = min(_SIDE / max(float((box[2:] - box[:2]).mean()), 1.0), 1.0)
    points = np.asarray(face.position_map)[..., :2][np.asarray(layout.mask) > 0.0]
    margin = _MARGIN / zoom
    low = np.clip(np.floor(points.min(axis=0) - margin), 0, None).astype(int)
    high = np.ceil(points.max(axis=0) + margin).astype(int)
    cut = np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]])
    if zoom < 1.0:
        # Both sides by one factor: the last part of a pixel is left out.
        rows, columns = (int(side * zoom) for side in cut.shape[:2])
        affine = np.array([[zoom, 0.0, 0.5 * zoom - 0.5], [0.0, zoom, 0.5 * zoom - 0.5]])
        cut = cv2.GaussianBlur(cut, (0, 0), 0.45 * (1.0 / zoom**2 - 1.0) ** 0.5)
        cut = cv2.warpAffine(cut, affine, (columns, rows), borderMode=cv2.BORDER_REPLICATE)
    # Corners of pixels fall on corners.
    shift = jnp.asarray(zoom * (0.5 - low) - 0.5, jnp.float32)
    return cut, moved_face(face, zoom, shift)
