"""Many photos to result files: ``uvface reconstruct``."""

from __future__ import annotations

import dataclasses
import glob
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .errors import InputError, UvfaceError
from .geometry.crop import box_of_picture
from .io.existing import read_existing
from .io.images import Photo, read_photo
from .io.results import OUTPUTS, write_results
from .reconstruct import FaceChoice, Model, load

__all__ = ["Boxes", "Item", "find_photos", "output_names", "reconstruct"]

Boxes = Mapping[str, Sequence[Sequence[float | int]]]  # stem of a photo -> boxes around landmarks

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Item:
    """What became of one photo.

    Attributes:
        photo: the file.
        record: content of ``STEM.json``; ``{"image", "error"}`` where it failed.
        warnings: one line each.
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


def find_photos(patterns: Sequence[str | Path]) -> list[Path]:
    """Return the files that files, folders (one level) and globs name, in order, each once.

    Raises:
        InputError: a glob or a folder holds no picture. A missing *file* is reported when it
            is read, so that it does not end a batch.
    """
    photos: list[Path] = []
    for pattern in map(str, patterns):
        path = Path(pattern)
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if p.suffix.lower() in _SUFFIXES)
        elif not path.exists() and glob.has_magic(pattern):
            found = sorted(Path(p) for p in glob.glob(pattern, recursive=True))
        else:
            found = [path]
        if not found:
            raise InputError(f"no pictures in {pattern}; need {', '.join(sorted(_SUFFIXES))}")
        photos += found
    return list(dict.fromkeys(photos))


def reconstruct(
    photos: Sequence[str | Path],
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

    Args:
        photos: files, folders or globs.
        output: folder for the results; made where it does not exist.
        model: from `load`; by default the embedded weights.
        save: ``"all"``, or names of `OUTPUTS` as a list or a comma-separated text.
        boxes: stem of a photo -> boxes around the landmarks; detection is skipped for these.
        cropped: every picture is a crop around one face, as PRNet takes them; nothing is detected.
        faces: ``"all"``, ``"largest"`` or a number counted from the left.
        texture_size: texels along each side of textures, read from the photo.
        mask_hidden: make hidden texels transparent.
        skip_existing: leave photos alone whose results are there, whole and newer than the photo;
            so a stopped batch goes on where it was.

    Yields:
        One `Item` per photo, in order; a bad photo is an item with an error and the rest go on.

    Raises:
        InputError: an unknown name in ``save``, nothing to read, or both ``boxes`` and
            ``cropped``.
    """
    if cropped and boxes is not None:
        raise InputError("a cropped picture has no boxes; give either boxes or cropped")
    chosen = output_names(save)
    files = find_photos(photos)
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror}") from error
    model = model or load()
    write = partial(
        write_results,
        folder,
        layout=model.layout,
        save=chosen,
        weights=model.header.network,
        texture_size=texture_size,
        mask_hidden=mask_hidden,
    )
    job = _Job(model=model, write=write, boxes=boxes or {}, cropped=cropped, faces=faces)
    existing = partial(read_existing, folder, save=chosen, weights=model.header.network)
    return _run(files, job, existing if skip_existing else lambda photo: None)


def output_names(save: str | Sequence[str], *, also: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the outputs that a list or a comma-separated text names; ``all`` stands for all.

    Args:
        save: what was asked for.
        also: more names.

    Raises:
        InputError: there is no output of that name.
    """
    names = [n.strip() for n in save.split(",")] if isinstance(save, str) else list(save)
    if names == ["all"]:
        return tuple(OUTPUTS)
    names += also
    unknown = [name for name in names if name not in OUTPUTS]
    if unknown:
        raise InputError(f"cannot save {unknown[0]!r}; choose all or from {', '.join(OUTPUTS)}")
    return tuple(dict.fromkeys(names))


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Job:
    """What is done with each photo."""

    model: Model
    write: Callable[..., dict[str, Any]]
    boxes: Boxes
    cropped: bool
    faces: FaceChoice

    def find_boxes(self, path: Path, photo: Photo) -> Sequence[Sequence[float | int]] | None:
        if self.cropped:
            return [box_of_picture(photo.height, photo.width).tolist()]
        return self.boxes.get(path.stem)


def _run(
    files: Sequence[Path], job: _Job, existing: Callable[[Path], dict[str, Any] | None]
) -> Iterator[Item]:
    owners: dict[str, Path] = {}  # stem -> the photo whose results bear it
    for path in files:
        owner = owners.setdefault(path.stem, path)
        if owner != path:
            yield _failure(path, f"{path} would overwrite the results of {owner}; rename one")
            continue
        record = existing(path)
        yield _one(path, job) if record is None else Item(photo=path, record=record, is_old=True)


def _failure(path: Path, message: str) -> Item:
    return Item(photo=path, record={"image": str(path), "error": message}, error=message)


def _one(path: Path, job: _Job) -> Item:
    try:
        photo = read_photo(path)
        boxes = job.find_boxes(path, photo)
        found = job.model.reconstruct(photo.image, boxes=boxes, faces=job.faces)
        record = job.write(path, photo, found)
    except (UvfaceError, OSError) as error:
        return _failure(path, str(error))
    warnings = list(photo.warnings)
    if not found:
        warnings.append(f"no face found in {path.name}; --boxes FILE.json can give its place")
    return Item(photo=path, record=record, warnings=tuple(warnings))
