"""Landmark files of others, to place boxes by: what PRNet reads beside a picture, and more."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..errors import InputError

__all__ = ["LANDMARK_SUFFIXES", "find_landmark_files", "read_landmark_file"]

LANDMARK_SUFFIXES = (".json", ".mat", ".pts", ".txt")  # the first that a photo has is taken
_ENDINGS = ("_kpt", "_landmarks")  # of stems, cut off to find the photo's
_FEWEST = 5  # points that tell how large a face is


def read_landmark_file(path: Path) -> list[Float[np.ndarray, "points 2"]]:
    """Return the landmarks of every face in a file, photo pixels.

    Args:
        path: ``.json`` as ``uvface reconstruct`` writes it, ``.mat`` with ``pt3d_68`` or
            ``pt2d`` (AFLW2000-3D, 300W-LP), ``.pts`` (iBUG, counted from 1), or ``.txt`` with a
            row of x, y (and z) per point.

    Raises:
        InputError: the file is of another form, or holds too few points.
    """
    readers = {".json": _from_json, ".mat": _from_mat, ".pts": _from_pts, ".txt": _from_text}
    try:
        faces = readers[path.suffix.lower()](path)
    except Exception as error:  # a damaged file makes SciPy's parser fail in any way
        raise InputError(
            f"cannot read landmarks from {path} ({error}); need .json of uvface reconstruct, .mat "
            "with pt3d_68, .pts, or .txt with x y per row"
        ) from error
    for points in faces:
        if len(points) < _FEWEST or not np.isfinite(points).all():
            raise InputError(
                f"{path} has {len(points)} points; need {_FEWEST} or more, finite x and y each"
            )
    return faces


def _from_json(path: Path) -> list[np.ndarray]:
    content = json.loads(path.read_text(encoding="utf-8-sig"))
    return [np.asarray(face["landmarks"], dtype=np.float64)[:, :2] for face in content["faces"]]


def _from_mat(path: Path) -> list[np.ndarray]:
    from scipy.io import loadmat

    stored = loadmat(path)
    points = stored["pt3d_68"] if "pt3d_68" in stored else stored["pt2d"]
    return [np.asarray(points, dtype=np.float64)[:2].T]


def _from_pts(path: Path) -> list[np.ndarray]:
    text = path.read_text(encoding="utf-8-sig")
    inside = text[text.index("{") + 1 : text.index("}")]
    return [np.array(inside.split(), dtype=np.float64).reshape(-1, 2) - 1.0]


def _from_text(path: Path) -> list[np.ndarray]:
    lines = path.read_text(encoding="utf-8-sig").replace(",", " ").splitlines()
    rows = np.array([line.split() for line in lines if line.strip()], dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] not in (2, 3):
        raise ValueError(f"rows of shape {rows.shape}")
    return [rows[:, :2]]


def find_landmark_files(folder: Path) -> dict[str, Path]:
    """Return stem of a photo -> its landmark file in a folder, of several the first by suffix."""
    found: dict[str, Path] = {}
    for suffix in reversed(LANDMARK_SUFFIXES):
        for path in sorted(folder.glob(f"*{suffix}")):
            stem = path.stem
            for ending in _ENDINGS:
                stem = stem.removesuffix(ending)
            found[stem] = path
    return found
