"""One varied picture on disk: its files, its random key and its label.

A picture ``STEM_000.png`` is whole once its sidecar ``STEM_000.png.json`` is there, which is
written last and holds its label; ``labels.json`` is put together from the sidecars. Whatever ends
a run, no label tells of another picture. The picture is written before its position map, since it
alone says who made both.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ...core.errors import InputError, UvfaceError
from ...core.files import file_sha256, read_bytes
from ...core.geometry.layout import UVLayout
from ...core.io.coco import face_annotation, write_coco
from ...core.io.images import write_image
from ...core.io.position_maps import pack_position_map
from ...core.io.provenance import Provenance, read_provenance, software_name
from ...core.io.sidecar import (
    is_intact,
    read_sidecar,
    remove_sidecar,
    spare_sidecar,
    write_sidecar,
)
from ...core.synthesis.kinds import KINDS
from ...core.synthesis.view import PICTURE_SIZE
from ...core.whole_files import check_length, remove_file, write_bytes_atomic
from .donors import Parts
from .face import Variation
from .recipe import describe

__all__ = [
    "LABELS",
    "Place",
    "check_labels",
    "check_place",
    "is_varied",
    "read_label",
    "write_labels",
    "write_variation",
]

LABELS = "labels.json"
_OPERATION = "augment"
_NUMBERED = re.compile(r"_\d{3,}$")  # ends the names of varied pictures


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """One picture to make: of which face, its number, its file."""

    picture: Path
    photo: Path
    photo_sha256: str
    # With "face" and "faces" (numbers from the left: its own, all chosen) and "number".
    settings: Mapping[str, Any]

    @property
    def posmap(self) -> Path:
        """Return the file of its position map."""
        return self.picture.with_name(f"{self.picture.stem}_posmap.npz")

    @property
    def key(self) -> Array:
        """Return the random key of the picture."""
        data = jnp.asarray(np.frombuffer(self._digest()[:8], "<u4"))
        return jax.random.wrap_key_data(data, impl="threefry2x32")

    def random(self, subject: str) -> np.random.Generator:
        """Return random numbers of a subject's own, such as ``parts``, the parts of donors."""
        return np.random.default_rng(np.frombuffer(self._digest(subject), "<u4"))

    def _digest(self, *subject: str) -> bytes:
        told = self.settings
        names = (told["seed"], self.photo_sha256, told["face"], told["number"], *subject)
        return hashlib.sha256(":".join(map(str, names)).encode()).digest()


def write_variation(
    place: Place,
    found: Variation,
    layout: UVLayout,
    *,
    amounts: Mapping[str, Mapping[str, float]],
    parts: Parts | None = None,
    warnings: Sequence[str] = (),
) -> dict[str, Any]:
    """Write a picture, its position map and last the sidecar with its label.

    Args:
        place: where to, and of what.
        found: the picture.
        layout: UV layout of its position map.
        amounts: how its face was reshaped, by subject: name -> amount.
        parts: what it has of a donor.
        warnings: what the label says about the face, one line each.

    Returns:
        The label: a COCO annotation with more keys.

    Raises:
        InputError: a file cannot be written.
    """
    label = _label(place, found, amounts, parts, warnings)
    packed = pack_position_map(found.position_map, found.visibility, layout)
    try:
        remove_file(place.picture.with_name(LABELS))  # it may tell of an older picture
    except OSError as error:
        raise InputError(f"cannot remove the older {LABELS}: {error.strerror}") from error
    remove_sidecar(place.picture)
    write_image(place.picture, found.image, provenance=Provenance(operation=_OPERATION))
    write_bytes_atomic(place.posmap, packed)
    record = {
        "operation": _OPERATION,
        "settings": dict(place.settings),
        "position_map_sha256": hashlib.sha256(packed).hexdigest(),
        "label": label,
    }
    donor = {} if parts is None else {"donor": parts.path}
    write_sidecar(place.picture, record, inputs={"photo": place.photo, **donor})
    return label


def _label(
    place: Place,
    found: Variation,
    amounts: Mapping[str, Mapping[str, float]],
    parts: Parts | None,
    warnings: Sequence[str],
) -> dict[str, Any]:
    """Return the annotation of a picture."""
    angles = zip(("yaw", "pitch", "roll"), np.asarray(found.angles).tolist(), strict=True)
    settings = place.settings
    varied = describe(found.recipe, vary=settings["vary"], kind=KINDS[int(found.kind)])
    varied |= amounts
    if "donors" in settings:
        varied["parts"] = None if parts is None else parts.describe()
    return {
        **face_annotation(np.asarray(found.landmarks), np.asarray(found.seen)),
        "pose": {name: round(angle, 3) for name, angle in angles},
        "position_map": place.posmap.name,
        "varied": varied,
        "source": {
            "photo": place.photo.name,
            "sha256": place.photo_sha256,
            "face": settings["face"],
            "number": settings["number"],
            "seed": settings["seed"],
        },
        "warnings": list(warnings),
    }


def read_label(place: Place) -> dict[str, Any] | None:
    """Return the label of a complete picture of the same photo and options, or None."""
    found = read_sidecar(place.picture) if os.path.isfile(place.picture) else None
    if found is None or found.get("settings") != place.settings:
        return None
    try:
        is_same = found["inputs"][0]["sha256"] == place.photo_sha256
        is_same &= found["software"] == software_name() and is_intact(place.picture, found)
        is_same &= found["position_map_sha256"] == file_sha256(place.posmap)
        return found["label"] if is_same else None
    except (UvfaceError, KeyError, IndexError, TypeError):
        return None


def is_varied(picture: Path) -> bool:
    """Return whether `write_variation` made a picture, by its sidecar or metadata.

    Of a run that was killed there may be a picture without a sidecar.
    """
    found = read_sidecar(picture)
    if found is not None and found.get("operation") == _OPERATION:
        return True
    return _NUMBERED.search(picture.stem) is not None and _operation_of(picture) == _OPERATION


def check_place(place: Place) -> None:
    """Raise InputError where a file that is not `write_variation`'s is in the way of one."""
    check_length(place.posmap, advice="give the photo a shorter one")  # the longest of all
    spare_sidecar(place.picture)
    if is_varied(place.picture):
        return
    _refuse_unless(not os.path.exists(place.picture), place.picture)
    if os.path.exists(place.posmap):
        raise InputError(
            f"{place.posmap} is there without a picture of augment; remove it, or choose another "
            "folder"
        )


def _operation_of(picture: Path) -> str | None:
    try:
        told = read_provenance(picture)
    except InputError:
        return None
    return None if told is None else told.operation


def check_labels(folder: Path) -> None:
    """Raise InputError where the ``labels.json`` of a folder is not `write_labels`' own."""
    path = folder / LABELS
    try:
        made_by = json.loads(read_bytes(path))["info"]["software"] if path.exists() else ""
    except (InputError, ValueError, KeyError, TypeError):
        made_by = None
    _refuse_unless(made_by == "" or str(made_by).startswith("uvface"), path)


def _refuse_unless(is_ours: bool, path: Path) -> None:
    if not is_ours:
        raise InputError(f"{path} was not made by augment and stays; choose another folder")


def _is_ours(picture: Path, found: Mapping[str, Any]) -> bool:
    return found.get("operation") == _OPERATION and is_intact(picture, found)


def write_labels(folder: Path) -> None:
    """Write ``labels.json``: the labels of all complete pictures of a folder, by name.

    Nothing is written where there is none.

    Raises:
        InputError: the file cannot be written.
    """
    pictures = []
    for sidecar in sorted(folder.glob("*.png.json")):
        picture = sidecar.with_suffix("")
        found = read_sidecar(picture) if picture.is_file() else None
        label = None if found is None else found.get("label")  # none where somebody changed it
        if found and isinstance(label, dict) and _is_ours(picture, found):
            pictures.append((picture.name, PICTURE_SIZE, PICTURE_SIZE, label))
    if pictures:
        write_coco(folder / LABELS, pictures)
