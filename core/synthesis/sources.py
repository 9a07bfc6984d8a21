"""Folders that pictures are made of, told apart by what lies in them; imports nothing heavy."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError

__all__ = ["check_sources", "find_pack", "find_sources"]

_OF_PEOPLE = {"names", "subject", "mediapipe478"}  # arrays beside photos to which heads are fitted


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
    """Return the data pack's folder of fitted people's photos that a folder is, or lies in.

    None: another folder, as are those of photos whose landmarks are of nobody that has a name.

    Raises:
        InputError: it has a ``landmarks.npz`` that is damaged.
    """
    homes = [folder, folder.parent] if folder.name == "images" else [folder]
    return next(filter(_has_people, homes), None)


def _has_people(folder: Path) -> bool:
    path = folder / "landmarks.npz"
    if not path.is_file():
        return False
    from ..io.arrays import open_arrays  # brings NumPy

    with open_arrays(path) as stored:
        return set(stored) >= _OF_PEOPLE


def check_sources(folder: Path, *sources: Path | None) -> None:
    """Raise an InputError where sources are given that only the data pack's photos need."""
    unused = [source for source in sources if source is not None]
    if unused and folder.is_dir() and find_pack(folder) is None:
        raise InputError(
            f"{unused[0]} is for the data pack's photos, not for {folder}; leave it out"
        )
