"""Labels of pictures of faces in the COCO keypoints format.

Convention:
    Positions are picture pixels, integer coordinates are pixel centres. Keypoints are the 68 iBUG
    landmarks as x, y, v: v is 2 where the picture shows the landmark and 1 where something hides
    it, the face itself included. Boxes are left, top, width, height around the 68 landmarks;
    ``area`` is that of the box. Skeletons count from 1, as COCO does.

References:
    T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", 2014;
    https://cocodataset.org/#format-data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from ..whole_files import write_bytes_atomic
from .provenance import COMPOSITE_SYNTHETIC, software_name

__all__ = ["CATEGORY", "LANDMARK_NAMES", "face_annotation", "write_coco"]

_HIDDEN, _SEEN = 1, 2
_DIGITS = 3  # of pixels
# Lines through landmarks in iBUG order: name, number of points, whether the line is closed. Right
# and left are the subject's.
_LINES = (
    ("jaw", 17, False),
    ("right_brow", 5, False),
    ("left_brow", 5, False),
    ("nose_bridge", 4, False),
    ("nose_base", 5, False),
    ("right_eye", 6, True),
    ("left_eye", 6, True),
    ("outer_lip", 12, True),
    ("inner_lip", 8, True),
)
LANDMARK_NAMES = tuple(f"{name}_{k}" for name, count, _ in _LINES for k in range(count))


def _skeleton() -> list[list[int]]:
    lines, first = [], 1
    for _, count, is_closed in _LINES:
        points = list(range(first, first + count))
        ends = points[1:] + points[:1] if is_closed else points[1:]
        lines += [list(pair) for pair in zip(points, ends, strict=False)]
        first += count
    return lines


CATEGORY: dict[str, Any] = {
    "id": 1,
    "name": "face",
    "supercategory": "person",
    "keypoints": list(LANDMARK_NAMES),
    "skeleton": _skeleton(),
}


def face_annotation(
    landmarks: Float[np.ndarray, "68 3"], seen: Bool[np.ndarray, " 68"]
) -> dict[str, Any]:
    """Return the annotation of a face, all but its number and its picture's.

    Args:
        landmarks: picture pixels; z goes to the key ``landmarks_3d``, which COCO does not know.
        seen: whether the picture shows each landmark.
    """
    points = np.round(landmarks.astype(np.float64), _DIGITS)
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    width, height = (round(float(side), _DIGITS) for side in high - low)
    kinds = np.where(seen, _SEEN, _HIDDEN).tolist()
    return {
        "category_id": CATEGORY["id"],
        "iscrowd": 0,
        "bbox": [*low.tolist(), width, height],
        "area": round(width * height, _DIGITS),
        "num_keypoints": len(points),
        "keypoints": [
            number
            for (x, y, _), kind in zip(points.tolist(), kinds, strict=True)
            for number in (x, y, kind)
        ],
        "landmarks_3d": points.tolist(),
    }


def write_coco(path: Path, pictures: Sequence[tuple[str, int, int, Mapping[str, Any]]]) -> None:
    """Write the labels of pictures with one face each, as a whole or not at all.

    Pictures and annotations are numbered from 1, in the given order.

    Args:
        path: the file.
        pictures: file name, width, height, and annotation (`face_annotation` and more keys).

    Raises:
        InputError: the file cannot be written.
    """
    images, annotations = [], []
    for number, (name, width, height, annotation) in enumerate(pictures, start=1):
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        annotations.append({"id": number, "image_id": number, **annotation})
    content = {
        "info": {
            "description": "faces of photos, varied; every picture is synthetic",
            "software": software_name(),
            "digital_source_type": COMPOSITE_SYNTHETIC,
        },
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": [CATEGORY],
    }
    write_bytes_atomic(path, (json.dumps(content, allow_nan=False) + "\n").encode())
