"""Following faces through the frames of a video.

In each frame a face is read again where it was in the one before: around its landmarks, without
detection. Where it is lost, or the picture changes at once, faces are looked for and chosen anew.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from ..core.errors import InputError, NoFaceError
from ..core.io.images import Photo
from ..core.types import Face
from ..editing.finder import LEAST_LIKENESS, FaceFinder, Selection

__all__ = ["Tracker"]

_LEAST_CONFIDENCE = 0.4  # below it there may be no face any more
_LEAST_OVERLAP = 0.4  # of the box looked into and the box found: less is another face, or none
_SAME = 0.3  # overlap from which on two faces found in a frame are one
_THUMB = 32  # pixels along a side of what is compared for cuts
_CUT = 0.12  # mean difference of neighbouring frames' thumbs, in [0, 1]
_MISSED = 5  # frames for which a face that was lost is looked for beside others
_LOOK_EVERY = 15  # frames, between two searches for faces that came in, where all are wanted


class Tracker:
    """Follows the chosen faces of a video, frame by frame.

    Attributes:
        complaint: where there were faces, but not the chosen ones, the last such error.
    """

    def __init__(self, finder: FaceFinder, selection: Selection) -> None:
        """Set which faces are followed.

        Args:
            finder: finds and reads them.
            selection: which ones, whenever faces are looked for. Nobody is taken who is not much
                like the person to be like.
        """
        self.complaint: InputError | None = None
        self._finder, self._selection = finder, selection
        self._faces: dict[int, Face] = {}
        self._thumb: Float[np.ndarray, "side side 3"] | None = None
        self._number = 0  # of the next face that is found
        self._frames = 0
        self._missed = 0  # frames for which a face that was lost is looked for

    def look(self, image: UInt8[np.ndarray, "height width 3"]) -> Mapping[int, Face]:
        """Return the faces of the next frame.

        Args:
            image: RGB.

        Returns:
            Number -> face, in the frame's pixels. A number stays with a face for as long as it is
            followed without a break.
        """
        photo = Photo(image=image.astype(np.float32) / np.float32(255))
        before = len(self._faces)
        if self._is_cut(image):
            self._faces = {}
        self._follow(photo)
        self._missed = _MISSED if len(self._faces) < before else self._missed - 1
        is_due = self._missed > 0 or self._frames % _LOOK_EVERY == 0
        self._frames += 1
        if not self._faces or (is_due and self._selection.faces == "all"):
            self._add(photo)
        return dict(self._faces)

    def _follow(self, photo: Photo) -> None:
        """Read the faces again; of two that are one now the surer stays."""
        followed = [(number, self._again(photo, face)) for number, face in self._faces.items()]
        found = [(number, face) for number, face in followed if face is not None]
        self._faces = {}
        for number, face in sorted(found, key=lambda item: -float(item[1].confidence)):
            if not self._is_known(face):
                self._faces[number] = face

    def _is_known(self, face: Face) -> bool:
        box = _around(face)
        return any(_overlap(box, _around(other)) > _SAME for other in self._faces.values())

    def _is_cut(self, image: UInt8[np.ndarray, "height width 3"]) -> bool:
        small = cv2.resize(image, (_THUMB, _THUMB), interpolation=cv2.INTER_AREA)
        thumb = small.astype(np.float32) / np.float32(255)
        before, self._thumb = self._thumb, thumb
        return before is not None and float(np.abs(thumb - before).mean()) > _CUT

    def _again(self, photo: Photo, face: Face) -> Face | None:
        """Return the same face in the next frame; None where it is lost."""
        box = _around(face)
        try:
            found = self._finder.model.reconstruct(photo.image, boxes=[box.tolist()])[0]
        except InputError:  # it has left the picture
            return None
        is_lost = float(found.confidence) < _LEAST_CONFIDENCE
        return None if is_lost or _overlap(box, _around(found)) < _LEAST_OVERLAP else found

    def _add(self, photo: Photo) -> None:
        """Look for faces, and follow those that are not followed yet."""
        try:
            found = self._find(photo)
        except NoFaceError:
            return
        except InputError as error:
            self.complaint = error
            return
        for face in found:
            if float(face.confidence) >= _LEAST_CONFIDENCE and not self._is_known(face):
                self._faces[self._number] = face
                self._number += 1

    def _find(self, photo: Photo) -> list[Face]:
        if self._selection.like is None:
            return self._finder.find(photo, self._selection.faces, name="frame")
        face, likeness = self._finder.most_like(photo, self._selection.like, name="frame")
        if likeness < LEAST_LIKENESS:
            raise InputError(
                f"nobody in the frames is much like the given person (cosine {likeness:.2f}); give "
                "another photo of them"
            )
        return [face]


def _around(face: Face) -> Float[np.ndarray, " 4"]:
    """Return the box around a face's landmarks: left, top, right, bottom."""
    places = np.asarray(face.landmarks)[:, :2]
    return np.concatenate([places.min(axis=0), places.max(axis=0)])


def _overlap(one: Float[np.ndarray, " 4"], other: Float[np.ndarray, " 4"]) -> float:
    """Return the intersection of two boxes over their union."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    inner = float(np.prod(np.maximum(high - low, 0.0)))
    areas = [float(np.prod(box[2:] - box[:2])) for box in (one, other)]
    return inner / max(sum(areas) - inner, 1e-6)
