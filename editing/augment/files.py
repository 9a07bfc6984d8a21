"""Varied faces of many photos, with their labels, in a folder: ``uvface augment``.

Each picture and its label are files of their own (see `pictures`), so that a stopped run
goes on where it was.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...core.arguments import as_number, plain_number
from ...core.batch import Item
from ...core.errors import InputError, UvfaceError
from ...core.face_choice import FaceChoice, check_choice
from ...core.files import ClaimedFiles, InputFiles, file_sha256
from ...core.find_photos import find_photos
from ...core.geometry.expressions import load_expressions
from ...core.geometry.layout import UVLayout
from ...core.io.boxes import Boxes, GivenBoxes, as_boxes, require_boxes
from ...core.io.existing import as_json
from ...core.io.face_records import face_warnings
from ...core.io.images import Photo, read_photo
from ...core.io.sidecar import read_sidecar
from ...core.reconstruct import Model, as_model
from ...core.synthesis.profiling import PhotoFace
from ...core.types import Face
from ...core.whole_files import make_folder, no_empty_folder
from ..find_faces import find_numbered_faces
from .donors import Donors
from .face import augment_face, prepare
from .parts import wear_parts
from .pictures import (
    Place,
    check_labels,
    check_place,
    is_varied,
    read_label,
    write_labels,
    write_variation,
)
from .recipe import MOST_YAW, SUBJECTS, YAW, check_yaw, subjects
from .shapes import draw_amounts, wear_shape

__all__ = ["VariationConfig", "augment"]

_MOST = 100_000  # pictures of a face: all are named before the first is made


@dataclasses.dataclass(frozen=True, kw_only=True)
class VariationConfig:
    """What is made of each face.

    Attributes:
        count: pictures of each face.
        seed: another number gives other pictures.
        vary: what changes, of `SUBJECTS`.
        max_yaw: degrees of yaw by which a head is turned at most, up to 75.
    """

    count: int = 8
    seed: int = 0
    vary: tuple[str, ...] = SUBJECTS
    max_yaw: float = YAW


def augment(
    photos: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    model: Model | None = None,
    count: int = 8,
    seed: int = 0,
    vary: str | Sequence[str] = SUBJECTS,
    max_yaw: float | int = YAW,
    donors: str | Path | Sequence[str | Path] | None = None,
    boxes: Boxes | None = None,
    faces: FaceChoice = "largest",
    skip_existing: bool = False,
) -> Iterator[Item]:
    """Make labelled variations of the faces of photos.

    Each face gets ``STEM_000.png`` (320 x 320 pixels) and on, with ``STEM_000_posmap.npz`` and the
    sidecar ``STEM_000.png.json``; with several faces of one photo the stem is ``STEM_0`` and on.
    ``labels.json`` holds the labels of all pictures of the folder in the COCO keypoints format.
    A picture depends on its photo, the options and its number only.

    Args:
        photos: files, folders or globs; one or several.
        output: folder for the pictures; made where it does not exist.
        model: from `load`; by default the embedded weights.
        count: pictures of each face, up to 100,000.
        seed: another whole number gives other pictures.
        vary: what changes: a list, or comma-separated, of pose, expression, shape, light, color,
            occluder, quality.
        max_yaw: degrees of yaw by which a head is turned at most, up to 75; of ``pose``.
        donors: files, folders or globs of photos, and face files; about half of the pictures get
            parts of one's largest face: eyes, brows, nose and lips, some of these or the whole
            inner face. One that shows no face is left out with a warning.
        boxes: path, file name or stem of a photo or donor -> boxes around the landmarks;
            detection is skipped for these.
        faces: which faces of each photo.
        skip_existing: keep complete pictures of an earlier run with the same photo and options.

    Yields:
        One `Item` per photo, in order; a bad photo, or one without a face, is an item with an
        error and the rest go on. The labels are written when the last one is taken.

    Raises:
        InputError: an unusable option, nothing to read, donors without a face, or the folder
            cannot be written to.
    """
    config = VariationConfig(
        count=as_number("count", count, 1, _MOST, is_whole=True),
        seed=as_number("seed", seed, is_whole=True),
        vary=subjects(vary),
        max_yaw=float(as_number("max_yaw", max_yaw, 0, MOST_YAW)),
    )
    check_yaw(config.max_yaw, config.vary)
    folder, boxes, model = Path(output), as_boxes(boxes), as_model(model)
    config = dataclasses.replace(config, vary=_known_to(model.layout, config.vary))
    check_choice(faces)
    given = find_photos(photos)
    is_empty = isinstance(donors, list | tuple) and not donors
    lenders = [] if donors is None or is_empty else find_photos(donors)
    require_boxes(boxes, [*given, *lenders])
    files = _without_varied(given, folder)
    lent = Donors(_without_varied(lenders, folder), model, boxes) if lenders else None
    with no_empty_folder(folder):  # the caller may never take an item
        make_folder(folder)
    check_labels(folder)
    job = _Job(
        folder=folder,
        model=model,
        config=config,
        donors=lent,
        boxes=boxes,
        faces=faces,
        skip_existing=skip_existing,
    )
    return _run(files, job)


def _known_to(layout: UVLayout, vary: tuple[str, ...]) -> tuple[str, ...]:
    """Return what changes of faces of a layout; of all subjects, those that it knows."""
    if "expression" not in vary or load_expressions(layout):
        return vary
    others = tuple(name for name in vary if name != "expression")
    if len(vary) < len(SUBJECTS):
        instead = f"vary {','.join(others)}" if others else "choose another subject"
        raise InputError(f"the UV layout of these weights has no expressions; {instead}")
    return others


def _without_varied(given: Sequence[Path], folder: Path) -> list[Path]:
    """Return the files but for pictures in the output folder that an earlier run made."""
    place = os.path.realpath(folder)
    files = [
        path for path in given if os.path.realpath(path.parent) != place or not is_varied(path)
    ]
    if not files:
        raise InputError(f"all of these were made by an earlier run into {folder}; give photos")
    return files


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Job:
    """What is done with every photo."""

    folder: Path
    model: Model
    config: VariationConfig
    donors: Donors | None
    boxes: GivenBoxes
    faces: FaceChoice
    skip_existing: bool

    def settings(self, path: Path) -> dict[str, Any]:
        """Return what all pictures of a photo depend on, as JSON gives it back."""
        boxes, donors = self.boxes.get(path), self.donors
        settings = {
            "seed": self.config.seed,
            "vary": [name for name in SUBJECTS if name in self.config.vary],
            "max_yaw": self.config.max_yaw,
            "chosen": plain_number(self.faces),
            "boxes": boxes,
        }
        if donors is not None:
            settings["donors"] = donors.digest
        is_detected = boxes is None or (donors is not None and donors.is_detected)
        return as_json(settings | self.model.reading_settings(is_detected=is_detected))


def _places(path: Path, sha256: str, faces: Sequence[int], job: _Job) -> list[list[Place]]:
    """Return the pictures of each chosen face of a photo, named by its number from the left."""
    stems = [path.stem] if len(faces) == 1 else [f"{path.stem}_{face}" for face in faces]
    settings = job.settings(path) | {"faces": [*faces]}
    return [
        [
            Place(
                picture=job.folder / f"{stem}_{number:03d}.png",
                photo=path,
                photo_sha256=sha256,
                settings=settings | {"face": face, "number": number},
            )
            for number in range(job.config.count)
        ]
        for face, stem in zip(faces, stems, strict=True)
    ]


def _run(files: Sequence[Path], job: _Job) -> Iterator[Item]:
    with no_empty_folder(job.folder):  # a run of which nothing came leaves no trace
        make_folder(job.folder)
        try:
            yield from _items(files, job)
        finally:
            write_labels(job.folder)


def _items(files: Sequence[Path], job: _Job) -> Iterator[Item]:
    inputs = InputFiles([*files, *(job.donors.files if job.donors else ())])
    owners = ClaimedFiles()
    for path in files:
        try:
            item = _one(path, job, inputs, owners)
        except (UvfaceError, OSError) as error:
            record = {"image": str(path), "error": str(error)}
            item = Item(photo=path, record=record, error=str(error))
        notes = () if job.donors is None else job.donors.take_notes()
        yield dataclasses.replace(item, warnings=(*item.warnings, *notes))


def _one(path: Path, job: _Job, inputs: InputFiles, owners: ClaimedFiles) -> Item:
    photo = read_photo(path)
    sha256 = file_sha256(path)
    old = _old_places(path, sha256, job) if job.skip_existing else []
    kept = [[label for place in row if (label := read_label(place))] for row in old]
    if old and all(len(labels) == len(row) for labels, row in zip(kept, old, strict=True)):
        _claim(old, inputs, owners)
        return _item(photo, old, kept, is_old=True)
    if job.donors is not None:
        job.donors.check_others(path, sha256)
    found = find_numbered_faces(photo, job.model, faces=job.faces, boxes=job.boxes)
    places = _places(path, sha256, [*found], job)
    _claim(places, inputs, owners)
    rows = zip(found.values(), places, strict=True)
    return _item(photo, places, [_make(photo, face, row, job) for face, row in rows])


def _old_places(path: Path, sha256: str, job: _Job) -> list[list[Place]]:
    """Return the pictures that an earlier run made of a photo, as far as its first one tells."""
    for stem in (path.stem, f"{path.stem}_0"):
        found = read_sidecar(job.folder / f"{stem}_000.png")
        settings = None if found is None else found.get("settings")
        faces = settings.get("faces") if isinstance(settings, dict) else None
        if isinstance(faces, list) and (len(faces) > 1) == (stem != path.stem):
            return _places(path, sha256, faces, job)
    return []


def _claim(places: Sequence[Sequence[Place]], inputs: InputFiles, owners: ClaimedFiles) -> None:
    """Raise InputError where a picture's file is an input, or another photo's picture."""
    for place in (place for row in places for place in row):
        for file in (place.picture, place.posmap):
            inputs.spare(file, advice="choose another folder")
        check_place(place)
        owner = owners.claim(place.picture, place.photo)
        if owner not in (None, place.photo):
            raise InputError(f"{place.photo} would overwrite pictures of {owner}; rename one")


def _item(
    photo: Photo,
    places: Sequence[Sequence[Place]],
    labels: Sequence[Sequence[Mapping[str, Any]]],
    *,
    is_old: bool = False,
) -> Item:
    faces = [
        [
            {"file": place.picture.name, "bbox": label["bbox"], "pose": label["pose"]}
            for place, label in zip(row, told, strict=True)
        ]
        for row, told in zip(places, labels, strict=True)
    ]
    notes = dict.fromkeys(note for told in labels for label in told for note in label["warnings"])
    return Item(
        photo=places[0][0].photo,
        record={"image": str(places[0][0].photo), "faces": [{"pictures": row} for row in faces]},
        warnings=(*photo.warnings, *notes),
        is_old=is_old,
    )


def _make(photo: Photo, face: Face, places: Sequence[Place], job: _Job) -> list[dict[str, Any]]:
    """Make the pictures of a face that are not there; return the labels of all."""
    layout = job.model.layout
    notes = face_warnings(face, photo, layout)
    prepared: PhotoFace | None = None
    labels = []
    for place in places:
        kept = read_label(place) if job.skip_existing else None
        if kept is None:
            prepared = prepared or prepare(photo.image, face, layout)
            kept = _make_one(face, prepared, place, job, notes)
        labels.append(kept)
    return labels


def _make_one(
    face: Face, prepared: PhotoFace, place: Place, job: _Job, notes: Sequence[str]
) -> dict[str, Any]:
    """Make one picture of a face; return its label."""
    layout, config = job.model.layout, job.config
    parts = job.donors.draw(place.random("parts"), place.photo_sha256) if job.donors else None
    amounts = draw_amounts(place.random, layout, vary=config.vary)
    worn = prepared
    if parts is not None:
        worn = wear_parts(worn, face, parts.reference, parts.regions, layout)
    worn = wear_shape(worn, face, amounts, layout)
    found = augment_face(
        place.key, prepared, layout, vary=config.vary, max_yaw=config.max_yaw, worn=worn
    )
    return write_variation(place, found, layout, amounts=amounts, parts=parts, warnings=notes)
