"""Results of an earlier run: are they whole, and of this photo?"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError

__all__ = ["as_json", "is_result", "read_existing", "remove_record"]

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
    two), or lacks a chosen output.

    Args:
        folder: of the results.
        photo: file of the photo.
        save: names of the outputs that are needed.
        options: all else that changes what stands in the files, as JSON gives it back.
    """
    path = folder / f"{photo.stem}.json"
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


def remove_record(path: Path, *, spare: Collection[str] = ()) -> None:
    """Remove the ``STEM.json`` of an earlier run and the files that it alone names.

    So no record stands for files of which some are of another run, and no file is left that
    nothing names, which would be taken for a photo.

    Args:
        path: the ``STEM.json``; nothing is done where there is none.
        spare: names of files beside it that stay, since they are photos.

    Raises:
        InputError: the file is no such record, or a file cannot be removed.
    """
    try:
        if is_record := _is_record(path.read_bytes()):
            for file in map(path.with_name, _plain(_named(path)) - set(spare)):
                if list(_records_of(file)) == [path]:
                    file.unlink(missing_ok=True)
            path.unlink()
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
    """Give each ``STEM.json`` beside a file that names it."""
    parts = file.stem.split("_")
    for count in range(1, len(parts) + 1):
        record = file.with_name(f"{'_'.join(parts[:count])}.json")
        if file.name in _named(record):
            yield record


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
