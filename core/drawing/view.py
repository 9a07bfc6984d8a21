"""Views: square pictures of one size that show a part of a photo, to draw into.

Convention:
    ``photo = scale * view + origin`` in pixels, both with integer centres; a view is never turned.
    Where it reaches beyond the photo it is plain dark, so that nothing looks like a part of it.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from jaxtyping import Float

__all__ = ["OUTSIDE_GREY", "View", "view_around"]

OUTSIDE_GREY = 0.13  # of the view where it reaches beyond the photo, in [0, 1]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """Where a view lies in the photo."""

    size: int  # pixels along each side
    scale: float  # photo pixels per view pixel
    origin: np.ndarray  # [2], photo position of the first pixel

    def place(self, points: Float[np.ndarray, "*n d"]) -> Float[np.ndarray, "*n d"]:
        """Map photo points ``[..., 2]``, or ``[..., 3]`` whose z is only scaled, into the view."""
        shift = np.zeros(points.shape[-1], np.float32)
        shift[:2] = self.origin
        return ((points - shift) / np.float32(self.scale)).astype(np.float32)

    def cut(
        self, image: Float[np.ndarray, "height width 3"]
    ) -> Float[np.ndarray, "{self.size} {self.size} 3"]:
        """Return what the photo shows there, averaged where it has finer pixels."""
        block = max(1, int(self.scale))
        last = self.origin + self.scale * (self.size - 1)
        limit = np.array(image.shape[1::-1])
        low = np.clip(np.floor(self.origin).astype(int) - 2 * block, 0, limit - 1)
        high = np.clip(np.ceil(last).astype(int) + 2 * block, low + 1, limit)
        part = image[low[1] : high[1], low[0] : high[0]]
        width, height = np.maximum((high - low) // block, 1)
        factor = (high - low) / (width, height)
        small = cv2.resize(part, (int(width), int(height)), interpolation=cv2.INTER_AREA)
        # pixel corners, not centres, are what two sizes of a picture have in common
        corner = (self.origin + 0.5 - low) / factor - 0.5
        slope = self.scale / factor
        matrix = np.array([[slope[0], 0, corner[0]], [0, slope[1], corner[1]]])
        return cv2.warpAffine(
            small,
            matrix,
            (self.size, self.size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(OUTSIDE_GREY,) * 3,
        )


def view_around(points: Float[np.ndarray, "n d"], *, size: int, factor: float) -> View:
    """Return the view with points in its middle.

    Args:
        points: photo positions; x and y come first.
        size: pixels of the view along each side.
        factor: side of the view over the longer side of the box around the points.
    """
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    scale = max(factor * float((high - low).max()), 1.0) / size
    origin = (low + high) / 2 - scale * (size - 1) / 2
    return View(size=size, scale=scale, origin=np.asarray(origin, np.float64))
