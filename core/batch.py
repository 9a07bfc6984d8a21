"""Many photos to result files: ``uvface reconstruct``."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from .arguments import as_switch, name_list, plain_number
from .errors import InputError, UvfaceError
from .face_choice import FaceChoice, check_choice
from .files import InputFiles, file_sha256
from .find_photos import find_photos
from .geometry.crop import box_of_picture
from .io.boxes import Boxes, GivenBoxes, as_boxes, require_boxes
from .io.existing import as_json, check_owner, follow_photo, origin, read_existing
from .io.face_records import name_warnings
from .io.images import Photo, read_photo
from .io.provenance import software_name
from .io.results import ENDINGS, MASKED, OUTPUTS, TEXTURED, write_results
from .io.textures import as_texture_size
from .reconstruct import Model, as_model
from .whole_files import check_length, make_folder, no_empty_folder

__all__ = ["Item", "check_textures", "output_names", "reconstruct"]

_LEAST_CROPPED = 7  # pixels: boxes of smaller pictures are refused
_LONGER = ("frontal", "canonical", "colors")  # outputs whose meshes' stems are STEM_NAME


@dataclasses.dataclass(frozen=True, kw_only=True)
class Item:
    """What became of one photo.

    Attributes:
        photo: the file.
        record: content of ``STEM.json``, for `uvface.augment` what its report says of the photo;
            ``{"image", "error"}`` where it failed.
        warnings: one line each, of the photo and of its faces.
        error: why it failed, or None.
        is_old: the results of an earlier run were there and are left as they are.
    """

    photo: Path
    record: dict[str, Any]
    warnings: tuple[str, ...] = ()
    error: str | None = None
    is_old: bool = False

    @property
    def count(self) -> int:
        """Return the number of faces found."""
        return len(self.record.get("faces", ()))


def reconstruct(
    photos: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    model: Model | None = None,
    save: str | Sequence[str] = "landmarks,mesh,texture,overlay",
    boxes: Boxes | None = None,
    cropped: bool = False,
    faces: FaceChoice = "all",
    texture_size: int | None = None,
    mask_hidden: bool = False,
    skip_existing: bool = False,
) -> Iterator[Item]:
    """Reconstruct every face of every photo and write the chosen files into a folder.

    Results of an earlier run of a photo are removed when it is written, also those that are not
    chosen now, so that ``STEM.json`` names all that stands in the folder. Other files stay: a photo
    fails whose results would be written over them, or over results of a photo elsewhere.

    Args:
        photos: files, folders or globs; one or several.
        output: folder for the results; made where it does not exist.
        model: from `load`; by default the embedded weights.
        save: ``"all"``, or names of `OUTPUTS` as a list or a comma-separated text.
        boxes: path, file name or stem of a photo -> boxes around the landmarks; detection is
            skipped for these.
        cropped: every picture is a crop around one face, as PRNet takes them; nothing is detected.
        faces: ``"all"``, ``"largest"``, ``"smallest"``, ``"left"``, ``"right"``, ``"centre"`` or a
            number counted from the left.
        texture_size: texels along each side of textures, read from the photo; of meshes with a
            texture (``mesh``, ``frontal``, ``canonical``), ``texture`` and ``visibility``. Colours
            of vertices are those of the layout.
        mask_hidden: make hidden texels transparent in ``texture``, black on meshes; colours of
            vertices too, but for ``mat``, which holds the visibility.
        skip_existing: leave photos alone whose results are there, whole, and made of the same
            content by the same software with the same options, boxes, weights and kind of
            detector, whatever its own settings; so a stopped batch goes on where it was.

    Yields:
        One `Item` per photo, in order; a bad photo is an item with an error and the rest go on.

    Raises:
        InputError: an unknown name in ``save``, a wrong choice of faces or size, nothing to read,
            boxes of none of the photos, both ``boxes`` and ``cropped``, or ``texture_size`` or
            ``mask_hidden`` where nothing is saved that they change.
    """
    cropped, mask_hidden = as_switch("cropped", cropped), as_switch("mask_hidden", mask_hidden)
    skip_existing = as_switch("skip_existing", skip_existing)
    if cropped and boxes is not None:
        raise InputError("a cropped picture has no boxes; give either boxes or cropped")
    check_choice(faces)
    texture_size = as_texture_size(texture_size)
    chosen, boxes, model = output_names(save), as_boxes(boxes), as_model(model)
    check_textures(chosen, texture_size=texture_size, mask_hidden=mask_hidden)
    files = find_photos(photos)
    require_boxes(boxes, files)
    folder = Path(output)
    with no_empty_folder(folder):  # the caller may never take an item
        make_folder(folder)
    names = _Names(save=chosen, folder=folder, inputs=InputFiles([*files, *boxes.files]))
    write = partial(
        write_results,
        folder,
        layout=model.layout,
        save=chosen,
        weights=model.header.network,
        texture_size=texture_size,
        mask_hidden=mask_hidden,
        inputs=names.inputs,
    )
    job = _Job(
        model=model,
        write=write,
        boxes=boxes,
        cropped=cropped,
        faces=faces,
        settings={
            "software": software_name(),
            "texture_size": texture_size,
            "mask_hidden": mask_hidden,
        },
    )
    existing = partial(read_existing, folder, save=chosen)
    return _run(files, job, names, existing if skip_existing else None)


def output_names(save: str | Sequence[str], *, also: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the outputs that a list or a comma-separated text names; ``all`` stands for all.

    Args:
        save: what was asked for.
        also: more names.

    Raises:
        InputError: there is no output of that name.
    """
    names = [*name_list(save, "outputs"), *also]
    unknown = [name for name in names if name not in (*OUTPUTS, "all")]
    if unknown:
        raise InputError(f"cannot save {unknown[0]!r}; choose all or from {', '.join(OUTPUTS)}")
    return tuple(OUTPUTS if "all" in names else dict.fromkeys(names))


def check_textures(save: Sequence[str], *, texture_size: int | None, mask_hidden: bool) -> None:
    """Raise InputError where it is said how textures are, and none is saved.

    Args:
        save: names of `OUTPUTS`.
        texture_size: texels along each side, if given.
        mask_hidden: make hidden texels transparent, or black on meshes.
    """
    if texture_size is not None and not set(TEXTURED) & set(save):
        need = ", ".join(TEXTURED)
        raise InputError(f"a texture size of {texture_size} is for textures; save one of {need}")
    if mask_hidden and not set(MASKED) & set(save):
        raise InputError(f"hidden texels are masked in textures; save one of {', '.join(MASKED)}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Job:
    """What is done with each photo."""

    model: Model
    write: Callable[..., dict[str, Any]]
    boxes: GivenBoxes
    cropped: bool
    faces: FaceChoice
    settings: Mapping[str, Any]  # what else changes the files

    def find_boxes(self, path: Path, photo: Photo) -> Sequence[Sequence[float | int]] | None:
        if self.cropped:
            if max(photo.height, photo.width) < _LEAST_CROPPED:
                size = f"{photo.width}x{photo.height} px"
                raise InputError(f"{path} of {size} is no cropped face; need {_LEAST_CROPPED} px")
            return [box_of_picture(photo.height, photo.width).tolist()]
        return self.boxes.get(path)

    def options(self, path: Path) -> dict[str, Any]:
        """Return all that changes a photo's files, as JSON gives it back."""
        boxes = self.boxes.get(path)
        is_detected = boxes is None and not self.cropped
        given = {
            **self.settings,
            **self.model.reading_settings(is_detected=is_detected),
            "cropped": self.cropped,
            "faces": plain_number(self.faces),
            "boxes": boxes,
            "photo_sha256": file_sha256(path),
        }
        return as_json(given)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Names:
    """Names of result files: a photo fails that wants another's, or an input's."""

    save: Sequence[str]
    folder: Path = Path()  # of the results
    # Photos, and files with their boxes.
    inputs: InputFiles = dataclasses.field(default_factory=InputFiles)
    owners: dict[str, Path] = dataclasses.field(default_factory=dict)  # stem -> its photo

    def claim(self, path: Path, faces: int = 0) -> None:
        """Keep the stems of a photo's files for it; raise InputError where one is another's.

        Or where a name is too long: of those for one face, as long as it is not known how many.
        """
        stems = [path.stem, *(f"{path.stem}_{i}" for i in range(faces) if faces > 1)]
        files = self._files(path, stems)
        longest = max(files, key=lambda name: len(os.fsencode(name)))
        check_length(self.folder / longest, advice="give the photo a shorter one")
        if faces:
            self._spare_inputs(path, files)
        stems += [f"{stem}_{name}" for stem in stems for name in _LONGER if name in self.save]
        for stem in stems if faces else stems[:1]:
            owner = self.owners.setdefault(stem, path)
            if owner != path:
                raise InputError(f"{path} would overwrite results of {owner}; rename one")

    def give_back(self, path: Path) -> None:
        """Leave the stems of a photo of which nothing was written to others."""
        for stem in [stem for stem, owner in self.owners.items() if owner == path]:
            del self.owners[stem]

    def _files(self, path: Path, stems: Sequence[str]) -> list[str]:
        endings = [ending for name in self.save for ending in ENDINGS[name]]
        names = {f"{path.stem}.json", *(f"{stem}{ending}" for stem in stems for ending in endings)}
        return sorted(names)

    def _spare_inputs(self, path: Path, files: Sequence[str]) -> None:
        for name in files:
            if self.folder / name in self.inputs:
                raise InputError(
                    f"results of {path} would overwrite the input {name}; choose another folder"
                )


def _run(
    files: Sequence[Path],
    job: _Job,
    names: _Names,
    existing: Callable[..., dict[str, Any] | None] | None,
) -> Iterator[Item]:
    with no_empty_folder(names.folder):  # a run of which nothing came leaves no trace
        make_folder(names.folder)
        for path in files:
            yield _kept_or_new(path, job, names, existing)


def _kept_or_new(
    path: Path,
    job: _Job,
    names: _Names,
    existing: Callable[..., dict[str, Any] | None] | None,
) -> Item:
    try:
        names.claim(path)
        record = existing and existing(path, options=job.options(path))
        if not record:
            return _one(path, job, names)
        item = Item(photo=path, record=record, is_old=True)
        names.claim(path, item.count)
        with suppress(InputError):  # a folder that is only read: whole results stay whole
            follow_photo(names.folder, path, record)
        return item
    except (UvfaceError, OSError) as error:
        names.give_back(path)
        return _failure(path, error)


def _failure(path: Path, error: Exception) -> Item:
    message = str(error) if str(path) in str(error) else f"{path}: {error}"
    return Item(photo=path, record={"image": str(path), "error": message}, error=message)


def _one(path: Path, job: _Job, names: _Names) -> Item:
    photo = read_photo(path)
    options = job.options(path)
    place = names.folder / f"{path.stem}.json"
    check_owner(place, origin(place, path, options))  # before the long work
    boxes = job.find_boxes(path, photo)
    found = job.model.reconstruct(photo.image, boxes=boxes, faces=job.faces)
    names.claim(path, len(found))
    record = job.write(path, photo, found, options=options)
    told = dict(enumerate(face["warnings"] for face in record["faces"]))
    notes = name_warnings(str(path), told)
    warnings = [*photo.warnings, *notes]
    if not found:
        advice = "--boxes FILE.json can give its place" if boxes is None else "its boxes are none"
        warnings.append(f"no face found in {path.name}; {advice}")
    return Item(photo=path, record=record, warnings=tuple(warnings))
