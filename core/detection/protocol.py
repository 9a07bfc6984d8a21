"""What a face detector is: an image in, faces out from left to right.

Convention:
    Coordinates are photo pixels, integers are pixel centres. The five points are, in this order,
    the eye centre at the image's left (of an upright face: the subject's right eye), the other
    eye, the tip of the nose, the mouth corner at the image's left and the other mouth corner.
"""

from __future__ import annotations

import dataclasses
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int, UInt8

from ..errors import InputError
from ..levels import quantise

__all__ = [
    "AnyImage",
    "Detection",
    "Detector",
    "as_uint8",
    "box_overlap",
    "left_to_right",
    "suppress_overlapping",
]

AnyImage = UInt8[np.ndarray, "height width 3"] | Float[np.ndarray, "height width 3"]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Detection:
    """One face that a detector has found."""

    box: np.ndarray  # [4] float32: left, top, right, bottom; the detector's own kind of box
    points: np.ndarray  # [5, 2] float32: eyes, nose, mouth corners
    score: float  # in [0, 1]


@runtime_checkable
class Detector(Protocol):
    """Anything that finds faces in a photo."""

    def detect(self, image: AnyImage) -> list[Detection]:
        """Return the faces of an RGB image (uint8, or float in [0, 1]) from left to right."""
        ...


def as_uint8(image: AnyImage) -> UInt8[np.ndarray, "height width 3"]:
    """Return an image as RGB bytes, which is what detectors were trained on."""
    if image.size == 0:
        raise InputError(f"the image has no pixels (shape {image.shape})")
    if image.dtype == np.uint8:
        return image
    return quantise(image)


def box_overlap(
    boxes: Float[np.ndarray, "n 4"], box: Float[np.ndarray, " 4"]
) -> Float[np.ndarray, " n"]:
    """Return the intersection over union of each of ``boxes`` with ``box``."""
    low = np.maximum(boxes[:, :2], box[:2])
    high = np.minimum(boxes[:, 2:], box[2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    union = areas + np.prod(box[2:] - box[:2]) - shared
    return shared / np.maximum(union, 1e-6)


def suppress_overlapping(
    boxes: Float[np.ndarray, "n 4"], scores: Float[np.ndarray, " n"], *, overlap: float = 0.3
) -> Int[np.ndarray, " kept"]:
    """Return the indices of the boxes that are left, best first.

    Non-maximum suppression: a box which overlaps a better one by more than ``overlap`` goes.
    """
    order = np.argsort(-scores, kind="stable")
    kept = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(best)
        order = rest[box_overlap(boxes[rest], boxes[best]) <= overlap]
    return np.array(kept, dtype=np.int64)


def left_to_right(detections: list[Detection]) -> list[Detection]:
    """Return detections ordered by the horizontal centre of their boxes."""
    return sorted(detections, key=lambda found: float(found.box[0] + found.box[2]))
