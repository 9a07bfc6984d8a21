"""What pictures are made of: it goes into a pool's header, and from there into the weights'.

Licences are those of the data pack's sources, which folders of its layout are taken for.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..find_photos import find_photos
from .head import COMPACT_FILE, NEUTRAL_FILE

__all__ = [
    "Origin",
    "drawn_origin",
    "merge_origins",
    "photo_origin",
]

_HEAD = {"ICT-FaceKit (head model), USC Institute for Creative Technologies": "MIT"}
_PACK = {
    "MakeHuman base assets (skins, eyes, brows, hair)": "CC0-1.0",
    "Poly Haven panoramas (light, backgrounds)": "CC0-1.0",
}
_PHOTOS = {
    "Face Research Lab London Set (skins of photos, turned photos), DeBruine & Jones": "CC-BY-4.0"
}
_UNKNOWN = "pictures of unknown origin"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Origin:
    """What the pictures of a pool are made of."""

    data: str  # in words
    licences: dict[str, str]  # of each source
    sources_sha256: str  # SHA-256 of their files


def drawn_origin(head: Path, *, folder: Path | None, photo_skins: Path | None) -> Origin:
    """Return the origin of drawn faces; the arguments are those of `load_generator`."""
    files = _head_files(head)
    licences = dict(_HEAD)
    if folder is not None:
        files += [*_all_files(folder / "skins"), *_all_files(folder / "parts")]
        files += [*_all_files(folder / "hdri"), *_all_files(folder / "backgrounds")]
        licences |= _PACK
    if photo_skins is not None:
        files.append(photo_skins / "skins.npz")
        licences |= _PHOTOS
    return Origin(data="drawn faces", licences=licences, sources_sha256=_digest(files))


def photo_origin(
    photos: Path, *, pack: Path | None, assets: Path | None, fits: Path | None, weights: str
) -> Origin:
    """Return the origin of photos that are turned.

    Args:
        photos: folder of a user's photos, whose licence nobody states.
        pack: the folder, where it is the data pack's.
        assets: data pack whose head model is fitted to its photos; by default around them.
        fits: folder with ``fits.npz``, or None.
        weights: SHA-256 of the weights that read the faces.
    """
    if pack is None:
        return Origin(
            data="photos, turned",
            licences={"photos given to uvface synthesize --photos": "not stated"},
            sources_sha256=_digest(find_photos(photos), weights),
        )
    files = [*_all_files(pack / "images"), pack / "landmarks.npz"]
    model = (assets or pack.parent) / "face_model"
    files += [*_head_files(model), model / "mediapipe_to_ict.npz"]
    files += [] if fits is None else [fits / "fits.npz"]
    return Origin(
        data="photos, turned", licences=_HEAD | _PHOTOS, sources_sha256=_digest(files, weights)
    )


def merge_origins(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return ``data`` and ``licences`` of all parts: headers of pools, ``training`` of weights.

    Headers written by hand may hold a ``description`` in place of ``data``.
    """
    data: list[str] = []
    licences: dict[str, str] = {}
    for part in parts:
        words = part.get("data") or part.get("description") or _UNKNOWN
        data += str(words).split("; ")
        licences |= part.get("licences") or {}
    return {"data": "; ".join(dict.fromkeys(data)), "licences": licences}


def _head_files(path: Path) -> list[Path]:
    """Return the files that `load_head` reads."""
    compact = path if path.suffix == ".npz" else path / COMPACT_FILE
    if compact.is_file():
        return [compact]
    folder = path if (path / NEUTRAL_FILE).is_file() else path / "FaceXModel"
    return sorted(folder.glob("*.obj"))


def _all_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _digest(files: Iterable[Path], *words: str) -> str:
    """Return the SHA-256 of files' names and contents, and of words."""
    whole = hashlib.sha256("\n".join(words).encode())
    for path in files:
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        whole.update(f"\n{path.name} {content}".encode())
    return whole.hexdigest()
