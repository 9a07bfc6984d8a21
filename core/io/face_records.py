"""What is stated of a face that was reconstructed: its entry in ``STEM.json``, and warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..geometry.layout import UVLayout
from ..geometry.pose import angles_from_rotation
from ..types import Face
from .images import Photo

__all__ = ["face_record", "face_warnings", "name_warnings"]

_SMALL_FACE = 48  # pixels: below this the details of a face are guessed
_UNSURE = 0.6  # score below which a face is doubtful
_NO_FACE = 0.4  # confidence below which it may be none
_OUTSIDE = 0.05  # part of the face that may lie outside the photo


def _numbers(values: Any, digits: int) -> Any:
    return np.round(np.asarray(values, dtype=np.float64), digits).tolist()


def face_record(face: Face, photo: Photo, layout: UVLayout) -> dict[str, Any]:
    """Return one entry of ``faces`` in ``STEM.json``; ``files`` is empty as yet."""
    yaw, pitch, roll = (float(angle) for angle in angles_from_rotation(face.camera.rotation))
    mask = np.asarray(layout.mask)
    seen = (np.asarray(face.visibility) * mask).sum() / mask.sum()
    return {
        "box": _numbers(face.box, 3),
        "score": round(float(face.score), 4),
        "confidence": round(float(face.confidence), 4),
        "landmarks": _numbers(face.landmarks, 3),
        "pose": {
            "yaw": round(yaw, 3),
            "pitch": round(pitch, 3),
            "roll": round(roll, 3),
            "scale": round(float(face.camera.scale), 6),
            "translation": _numbers(face.camera.translation, 3),
        },
        "camera_matrix": _numbers(face.camera.matrix(), 6),
        "visible_fraction": round(float(seen), 4),
        "warnings": face_warnings(face, photo, layout),
        "files": {},
    }


def name_warnings(photo: str, warnings: Mapping[int, Sequence[str]]) -> list[str]:
    """Return the warnings of each of a photo's faces with the photo named, of several the face.

    Args:
        photo: what it is called.
        warnings: number of a face from the left -> its warnings.
    """
    several = len(warnings) > 1
    return [
        f"{photo}, face {index}: {line}" if several else f"{photo}: {line}"
        for index, lines in warnings.items()
        for line in lines
    ]


def face_warnings(face: Face, photo: Photo, layout: UVLayout) -> list[str]:
    """Return what makes a face of a photo hard to read, one line each: size, doubt, place."""
    found = []
    left, top, right, bottom = np.asarray(face.box).tolist()
    size = (right - left + bottom - top) / 2
    if size < _SMALL_FACE:
        found.append(f"the face is only {size:.0f} pixels wide; its details are guessed")
    if float(face.score) < _UNSURE:
        found.append(f"the detector is not sure of this face (score {float(face.score):.2f})")
    if float(face.confidence) < _NO_FACE:
        found.append(
            f"this does not look like a face (confidence {float(face.confidence):.2f}); its map "
            "is not to be trusted"
        )
    points = np.asarray(face.position_map)[..., :2][np.asarray(layout.mask) > 0.5]
    outside = ((points < -0.5) | (points > [photo.width - 0.5, photo.height - 0.5])).any(axis=1)
    if outside.mean() > _OUTSIDE:
        found.append(f"{outside.mean():.0%} of the face lies outside the photo")
    return found
