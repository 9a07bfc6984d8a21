"""Following and changing faces through the frames of a video.

Data flow, a few frames at a time, whatever the length of the video::

    frames --tracking--> a face in each --steady--> what it and its neighbours tell
    frame + face --change--> frame --flicker--> what it and its neighbours changed
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
from jax import Array
from jaxtyping import Float, UInt8

from ...core.geometry.layout import UVLayout
from ...core.io.video import Frame, VideoReader
from ...core.types import Face
from .flicker import Change, change_of, even_out
from .steady import REACH, steady_face
from .tracking import Track, Tracker

__all__ = ["ChangedFrame", "FaceChange", "as_bytes", "as_floats", "change_faces", "follow_faces"]

# Frame, RGB in [0, 1]; a face of it; the selection that it is followed for -> the new frame.
FaceChange = Callable[
    [Float[np.ndarray, "height width 3"], Face, int], Float[np.ndarray, "height width 3"]
]
_Thing = TypeVar("_Thing")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ChangedFrame:
    """A frame with its faces changed, or as it was.

    Attributes:
        frame: as it was.
        image: RGB, with the changed faces.
        faces: these, as they were in the frame.
    """

    frame: Frame
    image: UInt8[np.ndarray, "height width 3"]
    faces: Mapping[Track, Face]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _LoneFrame:
    """A frame with its faces changed, by itself, and what that changed of each."""

    changed: ChangedFrame
    changes: Mapping[Track, Change]


def follow_faces(video: VideoReader, tracker: Tracker, layout: UVLayout) -> Iterator[ChangedFrame]:
    """Go through the frames of a video, as they are, with steady faces.

    Args:
        video: open, from its start on.
        tracker: follows the faces that are to change.
        layout: UV layout of the faces.
    """
    read = (
        ChangedFrame(frame=frame, image=frame.image, faces=tracker.look(frame.image))
        for frame in video.frames()
    )
    for around, middle in _with_neighbours(read):
        yield _steady(around, middle, layout)


def change_faces(
    frames: Iterator[ChangedFrame],
    change: FaceChange,
    mask: Float[Array, "size size"],
    layout: UVLayout,
) -> Iterator[ChangedFrame]:
    """Go through frames with their faces changed, evenly.

    Args:
        frames: from `follow_faces`.
        change: changes how a face looks; it stays in its place.
        mask: what it may change, in UV.
        layout: UV layout of the faces.
    """
    changed = (_change_frame(one, change, mask) for one in frames)
    for around, middle in _with_neighbours(changed):
        yield _evened(around, middle, mask, layout)


def _with_neighbours(things: Iterator[_Thing]) -> Iterator[tuple[list[_Thing], int]]:
    """Go through things together with up to `REACH` before and after each.

    Yields:
        The neighbourhood, and which of it is meant.
    """
    around: deque[_Thing] = deque()
    middle = 0
    for thing in things:
        around.append(thing)
        if len(around) - middle > REACH:
            yield list(around), middle
            middle = _next(around, middle)
    while middle < len(around):
        yield list(around), middle
        middle = _next(around, middle)


def _next(around: deque[_Thing], middle: int) -> int:
    if middle < REACH:
        return middle + 1
    around.popleft()
    return middle


def _steady(around: Sequence[ChangedFrame], middle: int, layout: UVLayout) -> ChangedFrame:
    one = around[middle]
    image = as_floats(one.frame.image)
    faces: dict[Track, Face] = {}
    for track in one.faces:
        first, last = _stretch([other.faces for other in around], middle, track)
        row = around[first:last]
        faces[track] = steady_face(
            [other.faces[track] for other in row],
            [other.frame.seconds for other in row],
            middle - first,
            image,
            layout,
        )
    return dataclasses.replace(one, faces=faces)


def _change_frame(one: ChangedFrame, change: FaceChange, mask: Array) -> _LoneFrame:
    image = as_floats(one.image)
    changes: dict[Track, Change] = {}
    for track, face in one.faces.items():
        new = change(image, face, track.choice)
        changes[track] = change_of(image, new, face, mask)
        image = new
    changed = dataclasses.replace(one, image=as_bytes(image))
    return _LoneFrame(changed=changed, changes=changes)


def _evened(
    around: Sequence[_LoneFrame], middle: int, mask: Array, layout: UVLayout
) -> ChangedFrame:
    one = around[middle].changed
    image, before = as_floats(one.image), as_floats(one.frame.image)
    for track, face in one.faces.items():
        first, last = _stretch([other.changed.faces for other in around], middle, track)
        row = around[first:last]
        image = even_out(
            before,
            image,
            [other.changes[track] for other in row],
            [other.changed.frame.seconds for other in row],
            middle - first,
            face,
            mask,
            layout,
        )
    return dataclasses.replace(one, image=as_bytes(image))


def as_floats(
    image: UInt8[np.ndarray, "height width 3"],
) -> Float[np.ndarray, "height width 3"]:
    """Return a frame's levels in [0, 1]."""
    return image.astype(np.float32) / np.float32(255)


def as_bytes(image: Float[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
    """Return a frame's levels from 0 to 255."""
    return np.rint(255 * image).astype(np.uint8)


def _stretch(around: Sequence[Mapping[Track, Face]], middle: int, track: Track) -> tuple[int, int]:
    """Return the first of the frames through which a face is followed, and the one after them."""
    first, end = middle, middle + 1
    while first > 0 and track in around[first - 1]:
        first -= 1
    while end < len(around) and track in around[end]:
        end += 1
    return first, end
