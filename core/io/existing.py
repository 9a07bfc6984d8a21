"""Results of an earlier run: are they whole, and of this photo? How new ones take their place."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..files import InputFiles, hidden_folder

__all__ = ["as_json", "is_result", "read_existing", "whole_result"]

# output -> a file of it, where named otherwise
_KEYS = {"mesh": "obj", "frontal": "frontal_obj", "canonical": "canonical_obj"}
_START = b'{\n "image": '  # of a record


def as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as a JSON file gives them back, arrays as lists, to compare with one."""
    text = json.dumps(values, default=lambda array: np.asarray(array).tolist())
    return dict(json.loads(text))


def read_existing(
    folder: Path,
    photo: Path,
    *,
    save: Sequence[str],
    options: Mapping[str, Any],
) -> dict[str, Any] | None:
    """Return what ``STEM.json`` says, if that and all that it promises can be kept.

    ``STEM.json`` is written last, so that it stands for whole results. None is returned where it
    is missing, older than the photo, of other options (the photo's content and the weights are
    two), lacks a chosen output, or was being replaced by a run that was killed.

    Args:
        folder: of the results.
        photo: file of the photo.
        save: names of the outputs that are needed.
        options: all else that changes what stands in the files, as JSON gives it back.
    """
    path = folder / f"{photo.stem}.json"
    if _moving(path).exists():
        return None
    try:
        if path.stat().st_mtime < photo.stat().st_mtime:
            return None
        record = json.loads(path.read_text(encoding="utf-8"))
        stored = record["options"]
        needed = [face["files"][_KEYS.get(name, name)] for face in record["faces"] for name in save]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if stored != options or not all((folder / name).is_file() for name in needed):
        return None
    return record | {"image": str(photo)}  # by its present name


@contextmanager
def whole_result(record: Path, *, spare: InputFiles) -> Iterator[Path]:
    """Give a folder to write a photo's files in; when the block ends, they replace the older ones.

    When the block fails nothing is replaced, and the folder goes.

    Args:
        record: the ``STEM.json``, which the block writes too, by this name in the folder given.
        spare: files that stay, since they are photos.

    Raises:
        InputError: the ``STEM.json`` there is of others, or a file cannot be written; named is
            its place beside the record.
    """
    _check_record(record)
    with hidden_folder(record.parent, name=record.stem) as place:
        yield place
        _replace_result(place, record, spare)


def _replace_result(place: Path, record: Path, spare: InputFiles) -> None:
    """Move the files of a folder beside a record, and the record last.

    Until then a hidden copy of it says what the files are, which a kill would else leave unnamed.
    """
    moving = _moving(record)
    for file in place.iterdir():  # what can be seen to fail does so before anything is removed
        if record.with_name(file.name).is_dir():
            raise InputError(f"cannot write {record.with_name(file.name)}: it is a folder")
    try:
        _remove_record(moving, spare=spare)  # of a run that was killed here
        os.replace(place / record.name, moving)
        _remove_record(record, spare=spare)
        for file in list(place.iterdir()):
            os.replace(file, record.with_name(file.name))
        os.replace(moving, record)
    except OSError as error:
        raise InputError(f"cannot replace {record}: {error.strerror}") from error


def _moving(record: Path) -> Path:
    return record.with_name(f".{record.name}.moving")


def _remove_record(path: Path, *, spare: InputFiles) -> None:
    """Remove a record, where there is one, and the files that it alone names.

    So no record stands for files of which some are of another run, and no file is left that
    nothing names, which would be taken for a photo.
    """
    for file in map(path.with_name, _plain(_named(path))):
        if file not in spare and list(_records_of(file)) == [path]:
            file.unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _check_record(path: Path) -> None:
    """Raise InputError where a file has the name of a record and is none, or cannot be read."""
    try:
        is_record = _is_record(path.read_bytes())
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"cannot replace {path}: {error.strerror}") from error
    if not is_record:
        raise InputError(f"{path} is no result of uvface; move it, or choose another output folder")


def _is_record(content: bytes) -> bool:
    try:
        record = json.loads(content)
    except ValueError:
        return content.startswith(_START)  # cut short
    return isinstance(record, dict) and {"image", "weights", "faces"} <= set(record)


def is_result(picture: Path) -> bool:
    """Return whether a ``STEM.json`` beside a picture names it as a result, and so no photo."""
    return any(_records_of(picture))


def _records_of(file: Path) -> Iterator[Path]:
    """Give each ``STEM.json`` beside a file that names it, also one that is being replaced."""
    parts = file.stem.split("_")
    for count in range(1, len(parts) + 1):
        record = file.with_name(f"{'_'.join(parts[:count])}.json")
        yield from (path for path in (record, _moving(record)) if file.name in _named(path))


def _plain(names: set[str]) -> set[str]:
    """Return those that name a file of the folder itself, and cannot lead out of it."""
    return {name for name in names if Path(name).name == name}


def _named(path: Path) -> set[str]:
    """Return the files that a ``STEM.json`` names, and those that its meshes read; or none."""
    try:
        faces = json.loads(path.read_text(encoding="utf-8"))["faces"]
        names = {name for face in faces for name in face["files"].values()}
        meshes = [name.removesuffix(".obj") for name in names if name.endswith(".obj")]
        return names | {f"{mesh}{end}" for mesh in meshes for end in (".mtl", "_texture.png")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()
