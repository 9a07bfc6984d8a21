"""Folders that pictures are made of, told apart by what lies in them; imports nothing heavy."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError

__all__ = ["check_sources", "find_pack", "find_sources"]


def find_sources(path: Path | str) -> tuple[Path, Path | None]:
    """Return the head model and the folder of the other sources.

    Args:
        path: a data-pack folder (with ``face_model/``, ``skins/``, ...), or the head model alone
            (see `load_head`); then skins, hair and backgrounds are procedural.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"no folder {path}; give the data pack or the folder of ICT-FaceKit")
    if (path / "face_model").is_dir():
        return path / "face_model", path
    return path, None


def find_pack(folder: Path) -> Path | None:
    """Return the folder of photos with known landmarks that a folder is, or lies in, or None."""
    homes = [folder, folder.parent] if folder.name == "images" else [folder]
    return next((home for home in homes if (home / "landmarks.npz").is_file()), None)


def check_sources(folder: Path, *sources: Path | None) -> None:
    """Raise an InputError where sources are given that only the data pack's photos need."""
    unused = [source for source in sources if source is not None]
    if unused and folder.is_dir() and find_pack(folder) is None:
        raise InputError(
            f"{unused[0]} is for the data pack's photos, not for {folder}; leave it out"
        )
