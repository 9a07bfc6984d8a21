"""Where a face stands in the picture, from a detector's five points.

Convention:
    The face frame has its origin at the mean of the five points, x along the face's own right to
    left (image-right of an upright face), y down the face, and the root mean square distance of
    the points from their mean as its unit (about a quarter of the height from brows to chin).
    Roll is positive when the face is turned clockwise as seen in the picture.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Float

__all__ = ["FaceFrame", "face_frame"]

# Mean five points (x + iy) of a frontal face in the face frame: Procrustes mean of the 204
# photos of the Face Research Lab London Set (CC BY 4.0), made symmetric.
_FRONTAL = np.array([-0.803 - 0.868j, 0.803 - 0.868j, 0.127j, -0.668 + 0.805j, 0.668 + 0.805j])


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class FaceFrame:
    """Similarity of the picture that takes the face frame to photo pixels."""

    centre: np.ndarray  # [2], pixels
    unit: float  # pixels
    roll: float  # radians

    @property
    def axes(self) -> Float[np.ndarray, "2 2"]:
        """Return the frame's x and y axis as unit vectors of the photo, one per row."""
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        return np.array([[cos, sin], [-sin, cos]], dtype=np.float32)

    def to_photo(self, points: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
        """Map points of the face frame to photo pixels."""
        return (np.float32(self.unit) * points @ self.axes + self.centre).astype(np.float32)

    def from_photo(self, points: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
        """Map photo pixels to the face frame."""
        return ((points - self.centre) @ self.axes.T / np.float32(self.unit)).astype(np.float32)


def face_frame(points: Float[np.ndarray, "5 2"]) -> FaceFrame:
    """Return the frame of a face; roll is the turn that fits a frontal face best."""
    centre = points.mean(axis=0)
    offsets = (points - centre) @ np.array([1.0, 1.0j])
    unit = np.sqrt(np.mean(np.abs(offsets) ** 2))
    roll = np.angle(np.sum(offsets * _FRONTAL.conj()))
    return FaceFrame(centre=centre, unit=max(float(unit), 1e-3), roll=float(roll))
