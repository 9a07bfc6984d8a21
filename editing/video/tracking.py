"""Following faces through the frames of a video.

In each frame a face is read again where it was in the one before: around its landmarks, without
detection. Where it is lost, or the picture changes at once, faces are looked for and chosen anew.
So they are where another face stands in its place, as after a cut between two pictures that are
framed alike: UV textures are aligned, so that their pattern tells, however the head has moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from ...core.detection.protocol import box_overlap
from ...core.errors import InputError, NoFaceError
from ...core.face_choice import choose_faces
from ...core.io.images import Photo
from ...core.types import Face
from ..colour import luma
from ..finder import LEAST_LIKENESS, FaceFinder, Selection

__all__ = ["Track", "Tracker"]

_LEAST_CONFIDENCE = 0.4  # below it there may be no face any more
_LEAST_OVERLAP = 0.4  # of the box looked into and the box found: less is another face, or none
_SAME = 0.3  # overlap from which on two faces found in a frame are one
_THUMB = 32  # pixels along a side of what is compared for cuts
_CUT = 0.12  # mean difference of neighbouring frames' thumbs, in [0, 1]
_TEXELS = 32  # along a side of the textures of which two are compared
# Least correlation of neighbouring frames' luma there. Of 55 people in a studio it is 0.97 between
# their neutral and their smiling face (median; 5 % have less than 0.88) and 0.80 between two people
# (less than 0.85 for three quarters).
_SAME_PATTERN = 0.85
_SURE_PATTERN = 0.93  # where likeness counts; one of 1,485 pairs of people there has more
_FLAT = 1e-5  # variance of luma, below which there is no pattern
_MISSED = 5  # frames for which a face that was lost is looked for beside others
_LOOK_EVERY = 15  # frames, between two searches for faces that are missing beside others


class Track(NamedTuple):
    """A face that is followed without a break."""

    number: int  # from 0, as they are found
    choice: int  # which of the selections it was found for


class Tracker:
    """Follows the chosen faces of a video, frame by frame.

    A face that is followed stays that of the selection that it was found for, wherever it goes;
    names as ``left`` count when it is looked for.

    Attributes:
        complaint: where there were faces, but not the chosen ones, the last such error.
    """

    def __init__(self, finder: FaceFinder, selections: Sequence[Selection]) -> None:
        """Set which faces are followed.

        Args:
            finder: finds and reads them.
            selections: which ones, whenever faces are looked for. Nobody is taken who is not much
                like the person to be like.
        """
        self.complaint: InputError | None = None
        self._finder, self._selections = finder, tuple(selections)
        self._faces: dict[Track, Face] = {}
        self._lost: dict[int, Face] = {}  # of a selection, for a few frames: it may come back
        self._thumb: Float[np.ndarray, "side side 3"] | None = None
        self._number = 0  # of the next face that is found
        self._frames = 0
        self._count = 0  # of the faces among which the followed ones were told apart by place
        self._missed = 0  # frames for which a face that was lost is looked for

    def look(self, image: UInt8[np.ndarray, "height width 3"]) -> Mapping[Track, Face]:
        """Return the faces of the next frame, in its pixels.

        Args:
            image: RGB.
        """
        photo = Photo(image=image.astype(np.float32) / np.float32(255))
        before = len(self._faces)
        if self._is_cut(image):
            self._faces, self._lost = {}, {}
        self._follow(photo)
        self._missed = _MISSED if len(self._faces) < before else self._missed - 1
        if self._missed <= 0:
            self._lost = {}
        is_due = self._missed > 0 or self._frames % _LOOK_EVERY == 0
        self._frames += 1
        if not self._faces or (is_due and self._missing()):
            self._add(photo)
        return dict(self._faces)

    def _follow(self, photo: Photo) -> None:
        """Read the faces again; of two that are one now the one that was nearer stays."""
        before, self._faces = self._faces, {}
        read = {track: self._again(photo, track, face) for track, face in before.items()}
        found = {track: face for track, face in read.items() if face is not None}
        moved = {track: _overlap_of(before[track], face) for track, face in found.items()}
        kept = [t for t in sorted(found, key=lambda t: -moved[t]) if self._keep(t, found[t])]
        self._faces = {track: found[track] for track in before if track in kept}
        self._lost |= {track.choice: before[track] for track in before if track not in kept}

    def _keep(self, track: Track, face: Face) -> bool:
        """Follow a face unless it is followed already; return whether it was not."""
        is_new = self._owner(face) is None
        if is_new:
            self._faces[track] = face
        return is_new

    def _owner(self, face: Face) -> int | None:
        """Return the selection that a face is followed for."""
        for track, other in self._faces.items():
            if _overlap_of(face, other) > _SAME:
                return track.choice
        return None

    def _is_cut(self, image: UInt8[np.ndarray, "height width 3"]) -> bool:
        small = cv2.resize(image, (_THUMB, _THUMB), interpolation=cv2.INTER_AREA)
        thumb = small.astype(np.float32) / np.float32(255)
        before, self._thumb = self._thumb, thumb
        return before is not None and float(np.abs(thumb - before).mean()) > _CUT

    def _again(self, photo: Photo, track: Track, face: Face) -> Face | None:
        """Return the same face in the next frame; None where it is lost."""
        try:
            box = _around(face).tolist()
            found = self._finder.model.reconstruct(photo.image, boxes=[box])[0]
        except InputError:  # it has left the picture
            return None
        is_lost = float(found.confidence) < _LEAST_CONFIDENCE
        if is_lost or _overlap_of(face, found) < _LEAST_OVERLAP:
            return None
        skin = np.asarray(self._finder.model.layout.region("face"))
        is_person = self._selections[track.choice].like is not None
        least = _SURE_PATTERN if is_person else _SAME_PATTERN
        return found if _correlation(face, found, skin) > least else None

    def _missing(self) -> list[int]:
        """Return the selections that may name faces that are not followed."""
        held = {track.choice for track in self._faces}
        every = enumerate(self._selections)
        return [k for k, selection in every if selection.faces == "all" or k not in held]

    def _add(self, photo: Photo) -> None:
        """Look for faces, and follow those that are missing; first those that were there before."""
        try:
            found = self._finder.find(photo, "all", name="frame")
        except NoFaceError:
            return
        for choice in [*reversed(self._lost)]:  # the last that was lost is the likeliest
            self._take(choice, self._come_back(choice, found))
        # Of fewer than before somebody is not seen, and places would name others.
        is_clear = not self._faces or len(found) >= self._count
        meant = [k for k in self._missing() if is_clear or not self._is_by_place(k)]
        if any([self._take(choice, self._meant(choice, found, photo)) for choice in meant]):
            self._count = len(found)

    def _is_by_place(self, choice: int) -> bool:
        selection = self._selections[choice]
        return selection.like is None and selection.faces != "all"

    def _take(self, choice: int, faces: Sequence[Face]) -> bool:
        """Follow faces for a selection; return whether any is new."""
        before = self._number
        for face in faces:
            is_sure = float(face.confidence) >= _LEAST_CONFIDENCE
            if is_sure and self._keep(Track(self._number, choice), face):
                self._number += 1
                self._lost.pop(choice, None)
        return self._number > before

    def _come_back(self, choice: int, found: Sequence[Face]) -> list[Face]:
        """Return the face that stands where a selection's was lost just now, if one does."""
        if not self._is_by_place(choice):
            return []
        near = [face for face in found if _overlap_of(face, self._lost[choice]) > _SAME]
        return [face for face in near if self._owner(face) is None][:1]

    def _meant(self, choice: int, found: list[Face], photo: Photo) -> list[Face]:
        """Return the faces that a selection is to have; none where it names none.

        Where it names one that is followed for another, the two have changed places: what the
        other would name is meant, and so on.
        """
        try:
            named, asked = self._named(choice, found, photo), {choice}
            while (owner := self._owner(named[0])) is not None and owner not in asked:
                asked.add(owner)
                named = self._named(owner, found, photo)
        except InputError as error:
            self.complaint = error
            return []
        return named

    def _named(self, choice: int, found: list[Face], photo: Photo) -> list[Face]:
        """Return the faces that a selection names, at least one."""
        selection = self._selections[choice]
        if selection.like is None:
            boxes = np.stack([np.asarray(face.box, np.float32) for face in found])
            numbers = choose_faces(boxes, selection.faces, (photo.height, photo.width))
            return [found[number] for number in numbers]
        face, likeness = self._finder.most_like(photo, found, selection.like)
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


def _overlap_of(one: Face, other: Face) -> float:
    """Return the intersection of the boxes around two faces' landmarks over their union."""
    return float(box_overlap(_around(one)[None], _around(other))[0])


def _correlation(one: Face, other: Face, skin: Float[np.ndarray, "size size"]) -> float:
    """Return how alike the luma of two textures is over texels that both show; 1 if one is flat.

    Whatever the light's strength: a flash is no other face.
    """
    both = np.asarray(one.visibility) * np.asarray(other.visibility) * skin
    layers = np.stack([luma(one.texture), luma(other.texture), both], axis=-1)
    small = cv2.resize(layers, (_TEXELS, _TEXELS), interpolation=cv2.INTER_AREA)
    weight = small[..., 2] / max(float(small[..., 2].sum()), 1e-6)
    first, second = (x - (weight * x).sum() for x in (small[..., 0], small[..., 1]))
    spread = float(np.sqrt((weight * first**2).sum() * (weight * second**2).sum()))
    return float((weight * first * second).sum()) / spread if spread > _FLAT else 1.0
