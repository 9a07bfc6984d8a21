"""Many photos to result files: ``uvface reconstruct``."""

from __future__ import annotations

import dataclasses
import glob
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .errors import InputError, UvfaceError
from .io.images import read_photo
from .io.results import OUTPUTS, write_results
from .reconstruct import FaceChoice, Model, load

__all__ = ["Item", "find_photos", "reconstruct"]

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Item:
    """What became of one photo.

    Attributes:
        photo: the file.
        record: content of ``STEM.json``; ``{"image", "error"}`` where it failed.
        warnings: one line each.
        error: why it failed, or None.
    """

    photo: Path
    record: dict[str, Any]
    warnings: tuple[str, ...] = ()
    error: str | None = None

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
    boxes: Mapping[str, Sequence[Sequence[float]]] | None = None,
    faces: FaceChoice = "all",
    texture_size: int | None = None,
    mask_hidden: bool = False,
) -> Iterator[Item]:
    """Reconstruct every face of every photo and write the chosen files into a folder.

    Args:
        photos: files, folders or globs.
        output: folder for the results; made where it does not exist.
        model: from `load`; by default the embedded weights.
        save: ``"all"``, or names of `OUTPUTS` as a list or a comma-separated text.
        boxes: stem of a photo -> boxes around the landmarks; detection is skipped for these.
        faces: ``"all"``, ``"largest"`` or a number counted from the left.
        texture_size: texels along each side of textures, read from the photo.
        mask_hidden: make hidden texels transparent.

    Yields:
        One `Item` per photo, in order; a bad photo is an item with an error and the rest go on.

    Raises:
        InputError: an unknown name in ``save``, or nothing to read.
    """
    chosen = _outputs(save)
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
    return (_one(photo, model, write, boxes or {}, faces) for photo in files)


def _outputs(save: str | Sequence[str]) -> tuple[str, ...]:
    names = [n.strip() for n in save.split(",")] if isinstance(save, str) else list(save)
    if names == ["all"]:
        return tuple(OUTPUTS)
    unknown = [name for name in names if name not in OUTPUTS]
    if unknown:
        raise InputError(f"cannot save {unknown[0]!r}; choose all or from {', '.join(OUTPUTS)}")
    return tuple(names)


def _one(
    path: Path,
    model: Model,
    write: Callable[..., dict[str, Any]],
    boxes: Mapping[str, Sequence[Sequence[float]]],
    faces: FaceChoice,
) -> Item:
    try:
        photo = read_photo(path)
        found = model.reconstruct(photo.image, boxes=boxes.get(path.stem), faces=faces)
        record = write(path, photo, found)
    except (UvfaceError, OSError) as error:
        return Item(photo=path, record={"image": str(path), "error": str(error)}, error=str(error))
    warnings = list(photo.warnings)
    if not found:
        warnings.append(f"no face found in {path.name}; --boxes FILE.json can give its place")
    return Item(photo=path, record=record, warnings=tuple(warnings))
