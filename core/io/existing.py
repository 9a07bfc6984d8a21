"""Results of an earlier run: are they whole, and of this photo? How new ones take their place."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..files import InputFiles
from ..whole_files import check_length, hidden_folder, move_file, remove_file, write_bytes_atomic

__all__ = [
    "as_json",
    "check_owner",
    "file_sizes",
    "follow_photo",
    "is_result",
    "origin",
    "read_existing",
    "record_bytes",
    "whole_result",
]

# output -> a file of it, where named otherwise
_KEYS = {"mesh": "obj", "frontal": "frontal_obj", "canonical": "canonical_obj"}
_UNREADABLE = (OSError, ValueError, RecursionError, KeyError, TypeError)  # what a record can be
_START = b'{\n "image": '  # of a record
_LONG = 120  # bytes of a hidden name, above which it is shortened: some disks take 143, most 255


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
    is missing, of other options (the photo's content and the weights are two), lacks a chosen
    output, names a file that is not there in its size, or was being replaced by a run that was
    killed.

    Args:
        folder: of the results.
        photo: file of the photo.
        save: names of the outputs that are needed.
        options: all else that changes what stands in the files, as JSON gives it back.
    """
    path = folder / f"{photo.stem}.json"
    if os.path.exists(_moving(path)):
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        stored = record["options"]
        named = [face["files"] for face in record["faces"]]
        is_chosen = all(_KEYS.get(name, name) in files for files in named for name in save)
        sizes = record["sizes"]
        is_whole = sizes == file_sizes(folder / name for name in sizes)
    except _UNREADABLE:
        return None
    if stored != options or not (is_chosen and is_whole):
        return None
    return record | {"image": str(photo)}  # by its present name


def origin(record: Path, photo: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a ``STEM.json`` says of its photo: as it was named, and as seen from there.

    Args:
        record: the ``STEM.json``.
        photo: file of the photo.
        options: as of `read_existing`.
    """
    path = os.path.join(os.path.realpath(photo.parent), photo.name)
    with suppress(ValueError):  # on another drive
        path = os.path.relpath(path, os.path.realpath(record.parent))
    return {"image": str(photo), "path": path, "options": dict(options)}


def follow_photo(folder: Path, photo: Path, kept: Mapping[str, Any]) -> None:
    """Let a ``STEM.json`` that is kept name its photo's present place, by which it is known.

    Args:
        folder: of the results.
        photo: file of the photo.
        kept: from `read_existing`.

    Raises:
        InputError: the file cannot be written.
    """
    path = folder / f"{photo.stem}.json"
    of = origin(path, photo, kept["options"])
    if kept.get("path") != of["path"]:
        write_bytes_atomic(path, record_bytes({**kept, **of}))


def record_bytes(content: Mapping[str, Any]) -> bytes:
    """Return what stands in a ``STEM.json``."""
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()


@contextmanager
def whole_result(record: Path, *, of: Mapping[str, Any], spare: InputFiles) -> Iterator[Path]:
    """Give a folder to write a photo's files in; when the block ends, they replace the older ones.

    When the block fails nothing is replaced, and the folder goes. Only results of the same photo
    are replaced: of the same file, or of the same content.

    Args:
        record: the ``STEM.json``, which the block writes too, by this name in the folder given.
        of: `origin` of the photo.
        spare: files that stay, since they are photos.

    Raises:
        InputError: a file is in the way that no older result of the photo names, or one cannot
            be written; named is its place beside the record.
    """
    check_owner(record, of)
    with hidden_folder(record.parent, name=record.stem) as place:
        yield place
        _replace_result(place, record, spare)


def check_owner(record: Path, of: Mapping[str, Any]) -> None:
    """Refuse to replace a file of a record's name that is none, or the record of another photo.

    Args:
        record: the ``STEM.json``, which need not exist.
        of: `origin` of the photo.

    Raises:
        InputError: there is such a file, or the name is too long for one.
    """
    check_length(record, advice="give the photo a shorter one")
    for path in (record, _moving(record)):
        _check_record(path, of)


def _replace_result(place: Path, record: Path, spare: InputFiles) -> None:
    """Move the files of a folder beside a record, and the record last.

    Until then a hidden copy of it says what the files are, which a kill would else leave unnamed.
    """
    moving = _moving(record)
    for file in place.iterdir():  # what can be seen to fail does so before anything is removed
        spare.spare(record.with_name(file.name), advice="choose another folder")
        _check_place(record.with_name(file.name), record)
    try:
        _remove_record(moving, spare=spare)  # of a run that was killed here
        os.replace(place / record.name, moving)
        _remove_record(record, spare=spare)
        for file in list(place.iterdir()):
            move_file(file, record.with_name(file.name))
        move_file(moving, record)
    except OSError as error:
        raise InputError(f"cannot replace {record}: {error.strerror}") from error


def file_sizes(paths: Iterable[Path]) -> dict[str, int]:
    """Return the sizes of files in bytes, by name, in the order of the names."""
    return {path.name: path.stat().st_size for path in sorted(paths)}


def _moving(record: Path) -> Path:
    """Return where a record lies while its files are moved: hidden, and found by any later run."""
    name = f".{record.name}.moving"
    if len(os.fsencode(name)) > _LONG:
        digest = hashlib.sha256(os.fsencode(record.name)).hexdigest()[:8]
        name = f".{record.name[:25]}.{digest}.moving"
    return record.with_name(name)


def _remove_record(path: Path, *, spare: InputFiles) -> None:
    """Remove a record, where there is one, and the files that it alone names.

    So no record stands for files of which some are of another run, and no file is left that
    nothing names, which would be taken for a photo. Of a link that is named the name alone goes.
    """
    for file in map(path.with_name, _plain(_named(path))):
        if file not in spare and list(_records_of(file)) == [path]:
            file.unlink(missing_ok=True)
    remove_file(path)


def _check_place(path: Path, record: Path) -> None:
    """Raise InputError where a folder or a file is in the way that is of others than a record."""
    if os.path.isdir(path):
        raise InputError(f"cannot write {path}: it is a folder")
    if path == record or not os.path.exists(path):
        return
    owners = set(_records_of(path))
    if owners - {record, _moving(record)} or not (owners or _is_cut_short(record)):
        raise InputError(
            f"{path} is there and no result of this photo; remove it where an older uvface or "
            "removed results left it, else move it or choose another output folder"
        )


def _check_record(path: Path, of: Mapping[str, Any]) -> None:
    """Raise InputError where a file has a record's name and is none, or that of another photo."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"cannot replace {path}: {error.strerror}") from error
    record = _parsed(content)
    if record is None:
        raise InputError(f"{path} is no result of uvface; move it, or choose another output folder")
    if record and not _is_same_photo(path.parent, record, of):
        owner = f"{path} is the result of another photo, {record['image']}"
        if any(map(os.path.exists, _places(path.parent, record))):
            raise InputError(f"{owner}; rename one, or choose another output folder")
        raise InputError(
            f"{owner}, which is not there any more; if this is that photo, moved and changed, "
            "remove its older results, else choose another output folder"
        )


def _parsed(content: bytes) -> dict[str, Any] | None:
    """Return what a ``STEM.json`` says: nothing where it was cut short, None of other files."""
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return {} if content.startswith(_START) else None
    is_record = isinstance(record, dict) and {"image", "weights", "faces"} <= set(record)
    return record if is_record and _is_origin(record) else None


def _is_origin(record: Mapping[str, Any]) -> bool:
    """Return whether what a record says of its photo is of the kinds that `origin` gives."""
    names = (record["image"], record.get("path", ""))
    return all(isinstance(name, str) for name in names) and isinstance(
        record.get("options", {}), dict
    )


def _is_cut_short(record: Path) -> bool:
    """Return whether there is a ``STEM.json`` of which nothing can be read: it named some files."""
    files = filter(os.path.isfile, (record, _moving(record)))
    return any(_parsed(Path(file).read_bytes()) == {} for file in files)


def _is_same_photo(folder: Path, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two records of a folder are of one file, or of photos of one content."""
    first, second = (of.get("options", {}).get("photo_sha256") for of in (one, other))
    is_same_file = not _places(folder, one).isdisjoint(_places(folder, other))
    return is_same_file or (first is not None and first == second)


def _places(folder: Path, of: Mapping[str, Any]) -> set[str]:
    """Return where the photo of a record in a folder may be.

    As seen from the folder, which holds where both were moved together; where nothing is there,
    also where it was, which holds where the folder alone was moved. The latter counts for little as
    a name within a working folder; but older versions wrote nothing else.
    """
    names = {os.path.join(folder, of["path"])} if "path" in of else {of["image"]}
    with suppress(ValueError):  # no name at all, with a NUL in it
        if os.path.isabs(of["image"]) and not any(map(os.path.exists, names)):
            names.add(of["image"])
        return {os.path.realpath(name) for name in names}
    return set()


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
    except (*_UNREADABLE, AttributeError):
        return set()
