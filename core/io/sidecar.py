"""Sidecars: ``out.png.json`` beside ``out.png``, which says how the picture came about.

The packet in the picture (`provenance`) says that it is synthetic; the sidecar says of what it was
made: SHA-256 of the inputs (of arrays their size and type, too) and of the picture itself, options,
faces, warnings. It holds no time and no machine, so that the same work gives the same bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..files import file_sha256, read_bytes
from ..whole_files import check_length, remove_file, write_bytes_atomic
from .provenance import COMPOSITE_SYNTHETIC, software_name

if TYPE_CHECKING:  # `uvface inspect` reads sidecars without JAX
    from .photos import Origin

__all__ = [
    "check_sidecar",
    "input_roles",
    "is_intact",
    "origin_record",
    "read_sidecar",
    "remove_sidecar",
    "sidecar_path",
    "spare_sidecar",
    "write_sidecar",
]

_FORMAT = "uvface sidecar 1"
_START = b'{\n  "format": "uvface sidecar '


def sidecar_path(image: str | Path) -> Path:
    """Return the place of a picture's sidecar."""
    path = Path(image)
    return path.with_name(f"{path.name}.json")


def input_roles(
    target: Origin,
    *,
    references: Iterable[Origin],
    likes: Iterable[Origin],
    left_out: Iterable[Origin],
) -> dict[str, Origin]:
    """Return role -> input of a picture or a video, numbered where there may be several.

    Args:
        target: photo or video that is changed.
        references: what faces or parts of them come from.
        likes: whom faces are to be like.
        left_out: photos of references that do not show the face.
    """
    given = {"reference": references, "like": likes, "left out": left_out}
    numbered = [(f"{role} {k}", one) for role, ones in given.items() for k, one in enumerate(ones)]
    return {"target": target, **dict(numbered)}


def write_sidecar(
    image: str | Path, record: Mapping[str, Any], *, inputs: Mapping[str, Origin]
) -> None:
    """Write the sidecar of a picture that has been written, as a whole or not at all.

    Where that fails, that of an older picture goes: it would tell of the new one.

    Args:
        image: the picture.
        record: what was done, as JSON can hold it.
        inputs: role -> file that the picture was made from, or photo that came from no file.

    Raises:
        InputError: a file cannot be read or written.
    """
    path = Path(image)
    try:
        content = _told(path, record, inputs)
        write_bytes_atomic(sidecar_path(path), (json.dumps(content, indent=2) + "\n").encode())
    except BaseException:
        remove_sidecar(path)
        raise


def _told(path: Path, record: Mapping[str, Any], inputs: Mapping[str, Origin]) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "image": path.name,
        "sha256": file_sha256(path),
        "software": software_name(),
        "digital_source_type": COMPOSITE_SYNTHETIC,
        "inputs": [{"role": role} | origin_record(origin) for role, origin in inputs.items()],
        **{key: value for key, value in record.items() if key not in ("image", "photo")},
    }


def origin_record(origin: Origin) -> dict[str, Any]:
    """Return what tells a file, or a photo that came from none, from others.

    Raises:
        InputError: the file cannot be read.
    """
    if isinstance(origin, Path):
        return {"path": str(origin), "sha256": file_sha256(origin)}
    from .photos import array_record

    return {"path": ""} | array_record(origin)


def read_sidecar(image: str | Path) -> dict[str, Any] | None:
    """Return what the sidecar of a picture says; None where none of ours can be read."""
    path = sidecar_path(image)
    try:
        content = _parsed(path) if os.path.isfile(path) else None
    except InputError:
        return None  # damaged, or somebody else's; `check_sidecar` tells
    is_ours = isinstance(content, dict) and content.get("format") == _FORMAT
    return content if is_ours else None


def check_sidecar(image: str | Path) -> None:
    """Raise InputError where a file has the name of a picture's sidecar and cannot be read."""
    path = sidecar_path(image)
    if os.path.exists(path):
        _parsed(path)


def spare_sidecar(image: str | Path) -> None:
    """Refuse to write a picture whose sidecar would be written over a file of others.

    Raises:
        InputError: there is such a file, or a folder, or the sidecar's name is too long for one.
    """
    path = sidecar_path(image)
    check_length(path, advice="choose a shorter one for what it tells of, or leave it out")
    if os.path.isdir(path):
        raise InputError(f"cannot write {path}: it is a folder")
    if not os.path.isfile(path) or read_sidecar(image) is not None:
        return
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot replace {path}: {error.strerror}") from error
    if not content:
        raise InputError(f"{path} is empty; remove it, or choose another name")
    if not content.startswith(_START):  # nor ours, and cut short
        raise InputError(f"{path} is no sidecar of uvface; move it, or choose another name")


def _parsed(path: Path) -> Any:
    content = read_bytes(path)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON ({error}); it is damaged, or of others") from error


def remove_sidecar(image: str | Path) -> None:
    """Remove the sidecar of a picture that was written over; a file that is none stays.

    Raises:
        InputError: it cannot be removed.
    """
    path = sidecar_path(image)
    try:
        if read_sidecar(image) is not None:
            remove_file(path)
    except OSError as error:
        raise InputError(f"cannot remove the older {path}: {error}") from error


def is_intact(image: str | Path, sidecar: Mapping[str, Any]) -> bool:
    """Return whether a picture is still the one that its sidecar was written for."""
    return file_sha256(Path(image)) == sidecar.get("sha256")
