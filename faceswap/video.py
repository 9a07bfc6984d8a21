"""Swapping a face through a video: ``uvface swap-video``.

Data flow, a few frames at a time, whatever the length of the video::

    frames --tracking--> a face in each --steady--> what it and its neighbours tell
    frame + face + reference --swap--> frame --flicker--> what it and its neighbours changed
    frames --video--> file, with the sound of the target
"""

from __future__ import annotations

import dataclasses
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jax import Array
from jaxtyping import Float, UInt8

from ..core.arguments import OnOff, as_number
from ..core.blending.composite import BlendMethod
from ..core.errors import NoFaceError
from ..core.files import InputFiles
from ..core.geometry.layout import UVLayout
from ..core.io.photos import Origin, PhotoLike, photo_path
from ..core.io.provenance import Provenance
from ..core.io.sidecar import remove_sidecar, spare_sidecar, write_sidecar
from ..core.io.video import Frame, VideoReader
from ..core.io.video_writer import VideoWriter, check_video_name
from ..core.reconstruct import FaceChoice, Model, check_choice
from ..core.types import Face
from ..editing.complete import Completion
from ..editing.finder import FaceFinder, FoundReference
from ..editing.finish import SharpnessMatch
from ..editing.light import ColorMatch
from ..editing.references import References, find_reference
from .flicker import Change, change_of, even_out
from .request import SwapRequest, describe, swap_options, swap_request
from .steady import REACH, steady_face
from .swap import SwapConfig, check_swap, swap_masks, swap_reference
from .tracking import Track, Tracker

__all__ = ["VideoResult", "swap_video"]

_OPERATION = "swap"
_Thing = TypeVar("_Thing")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _ReadFrame:
    """A frame and the faces that are followed through it."""

    frame: Frame
    faces: Mapping[Track, Face]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _SwappedFrame:
    """A frame with its faces swapped, by itself."""

    frame: Frame
    image: UInt8[np.ndarray, "height width 3"]  # with the new faces
    faces: Mapping[Track, Face]
    changes: Mapping[Track, Change]


@dataclasses.dataclass(frozen=True, kw_only=True)
class VideoResult:
    """What became of a video.

    Attributes:
        output: the file.
        frames: frames of it.
        swapped: those in which a face was replaced.
        warnings: one line each.
        record: what was done, as the sidecar has it.
    """

    output: Path
    frames: int
    swapped: int
    warnings: tuple[str, ...]
    record: dict[str, Any]


def swap_video(
    target: str | Path,
    reference: References | None,
    output: str | Path,
    *,
    model: Model | None = None,
    keep: str | Sequence[str] = SwapConfig.keep,
    color: ColorMatch = SwapConfig.color,
    blend: BlendMethod = "poisson",
    complete: Completion = SwapConfig.complete,
    occlusion: OnOff = SwapConfig.occlusion,
    sharpness: SharpnessMatch = SwapConfig.sharpness,
    strength: float = 1.0,
    shape: float = SwapConfig.shape,
    faces: FaceChoice = "largest",
    like: PhotoLike | None = None,
    reference_face: FaceChoice = "largest",
    reference_like: PhotoLike | None = None,
    mapping: Mapping[FaceChoice, References] | None = None,
    recognition: str | Path | None = None,
    quality: int = 18,
    metadata: bool = True,
    sidecar: bool = True,
    progress: Callable[[int], None] | None = None,
) -> VideoResult:
    """Put the face of ``reference`` into each frame of a video.

    A face is followed from frame to frame, and chosen anew after cuts and where it was lost.
    Frames without one stay as they are; the sound is the target's.

    Args:
        target: video, of any format that FFmpeg reads.
        reference: as for `swap`: a photo, several of one person, or a face file; None with
            ``mapping``.
        output: file to write, ``.mp4``, ``.m4v`` or ``.mov``.
        model: from `uvface.load`; by default the embedded weights.
        keep: as for `swap`, and so on to ``shape``.
        color: how colours follow the target.
        blend: how the face is put in.
        complete: what stands in for skin that the reference hides.
        occlusion: leave what covers the target's face on top.
        sharpness: give the face the frame's blur and grain.
        strength: 0 keeps the target, 1 is the full swap.
        shape: 0 keeps the shape of the target's face, 1 takes the reference's.
        faces: which faces, whenever they are looked for: at the start, after cuts, when lost.
        like: a photo of the person in the video whose face is changed, in place of ``faces``.
        reference_face: which face of the reference is taken.
        reference_like: a photo of the person whose face is taken.
        mapping: a reference for each face, as for `swap`; who is meant is decided whenever faces
            are looked for, and a face that is followed keeps its reference. A scene need not show
            all of them.
        recognition: network that likeness is measured by, an ``.onnx`` file.
        quality: constant rate factor of H.264, 0 (best, largest) to 51.
        metadata: say in the file that it is synthetic.
        sidecar: write ``output.json`` with hashes and options; only with ``metadata``.
        progress: called with the number of frames that are done.

    Raises:
        InputError: unusable file or option, or PyAV is missing.
        NoFaceError: the reference, or every frame of the video, shows no face.
        AssetError: likeness is asked for and no recognition network is there.
    """
    options = swap_options(
        keep=keep,
        color=color,
        blend=blend,
        complete=complete,
        occlusion=occlusion,
        sharpness=sharpness,
        strength=strength,
        shape=shape,
    )
    crf = int(as_number("quality", quality, 0, 51, is_whole=True))
    request = swap_request(
        reference,
        mapping=mapping,
        faces=faces,
        like=like,
        reference_face=reference_face,
        reference_like=reference_like,
    )
    request.check()
    selections, references = zip(*request.pairs, strict=True)
    for selection in selections:
        check_choice(selection.faces)
    target, output = Path(target), Path(output)
    check_video_name(output)
    finder = FaceFinder(model, recognition=recognition)
    check_swap(finder.model.layout, options.config)
    if like is not None:
        finder.read_person(like)
    with VideoReader(target) as video:
        found = [find_reference(finder, given, request.reference) for given in references]
        inputs = _inputs(target, found, request)
        InputFiles(map(photo_path, inputs.values())).spare(output)
        if metadata and sidecar:
            spare_sidecar(output)
        told = Provenance(operation=_OPERATION) if metadata else None
        tracker = Tracker(finder, selections)
        frames = _swap_frames(video, tracker, found, finder.model.layout, options.config)
        with VideoWriter(output, video, quality=crf, provenance=told) as writer:
            shown = Counter(_write(frames, writer, progress))
            done = shown.total()
            changed = done - shown[frozenset()]
            if not changed:
                line = f"no face found in any of the {done} frames of {target.name}"
                raise tracker.complaint or NoFaceError(line)
            remove_sidecar(output)  # that of an older video would tell of it
        notes = dict.fromkeys(line for one in found for line in one.warnings)
        warnings = [*video.warnings, *notes, *writer.warnings, *_absences(request, shown)]
    record = {
        "operation": _OPERATION,
        "settings": describe(target, request, options, finder) | {"quality": crf},
        "frames": done,
        "swapped": changed,
        "warnings": warnings,
    }
    if metadata and sidecar:
        write_sidecar(output, record, inputs=inputs)
    return VideoResult(
        output=output,
        frames=done,
        swapped=changed,
        warnings=tuple(warnings),
        record={"image": str(output), "photo": str(target), **record},
    )


def _write(
    frames: Iterator[tuple[Frame, frozenset[int]]],
    writer: VideoWriter,
    progress: Callable[[int], None] | None,
) -> Iterator[frozenset[int]]:
    """Write frames; go through the references that they show."""
    for done, (frame, choices) in enumerate(frames, start=1):
        writer.write(frame)
        if progress is not None:
            progress(done)
        yield choices


def _absences(request: SwapRequest, shown: Counter[frozenset[int]]) -> list[str]:
    """Return in how many frames faces are not there, of a map for each of its faces."""
    done = shown.total()
    if not request.mapping:
        absent = shown[frozenset()]
        told = f"{absent} of {done} frames show no face; they stay as they are"
        return [told] if absent else []
    counts = [
        sum(n for choices, n in shown.items() if k in choices) for k in range(len(request.mapping))
    ]
    named = zip(request.mapping, counts, strict=True)
    return [f"face {face} is swapped in {n} of {done} frames" for face, n in named if n < done]


def _inputs(
    target: Path, found: Sequence[FoundReference], request: SwapRequest
) -> dict[str, Origin]:
    used = dict.fromkeys(photo for one in found for photo in one.photos)
    unused = dict.fromkeys(photo for one in found for photo in one.left_out)
    roles = {"reference": used, "left out": unused, "like": request.likes}
    numbered = [(f"{role} {i}", one) for role, ones in roles.items() for i, one in enumerate(ones)]
    return {"target": target, **dict(numbered)}


def _swap_frames(
    video: VideoReader,
    tracker: Tracker,
    found: Sequence[FoundReference],
    layout: UVLayout,
    config: SwapConfig,
) -> Iterator[tuple[Frame, frozenset[int]]]:
    """Go through the frames of the new video, and which of the references each shows."""
    mask = swap_masks(layout, config).mask
    followed = (
        _ReadFrame(frame=frame, faces=tracker.look(frame.image)) for frame in video.frames()
    )
    swapped = (
        _swap_frame(around, middle, found, mask, layout, config)
        for around, middle in _with_neighbours(followed)
    )
    for around, middle in _with_neighbours(swapped):
        choices = frozenset(track.choice for track in around[middle].faces)
        yield _evened(around, middle, mask, layout), choices


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


def _swap_frame(
    around: Sequence[_ReadFrame],
    middle: int,
    found: Sequence[FoundReference],
    mask: Array,
    layout: UVLayout,
    config: SwapConfig,
) -> _SwappedFrame:
    one = around[middle]
    image = _as_floats(one.frame.image)
    faces: dict[Track, Face] = {}
    changes: dict[Track, Change] = {}
    for track in one.faces:
        first, last = _stretch([other.faces for other in around], middle, track)
        row = around[first:last]
        face = faces[track] = steady_face(
            [other.faces[track] for other in row],
            [other.frame.seconds for other in row],
            middle - first,
            image,
            layout,
        )
        reference = found[track.choice].reference
        new = swap_reference(image, face, reference, layout, config=config)
        changes[track] = change_of(image, new, face, mask)
        image = new
    return _SwappedFrame(frame=one.frame, image=_as_bytes(image), faces=faces, changes=changes)


def _evened(around: Sequence[_SwappedFrame], middle: int, mask: Array, layout: UVLayout) -> Frame:
    one = around[middle]
    image, before = _as_floats(one.image), _as_floats(one.frame.image)
    for track, face in one.faces.items():
        first, last = _stretch([other.faces for other in around], middle, track)
        row = around[first:last]
        image = even_out(
            before,
            image,
            [other.changes[track] for other in row],
            [other.frame.seconds for other in row],
            middle - first,
            face,
            mask,
            layout,
        )
    return dataclasses.replace(one.frame, image=_as_bytes(image))


def _as_floats(
    image: UInt8[np.ndarray, "height width 3"],
) -> Float[np.ndarray, "height width 3"]:
    return image.astype(np.float32) / np.float32(255)


def _as_bytes(image: Float[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
    return np.rint(255 * image).astype(np.uint8)


def _stretch(around: Sequence[Mapping[Track, Face]], middle: int, track: Track) -> tuple[int, int]:
    """Return the first of the frames through which a face is followed, and the one after them."""
    first, end = middle, middle + 1
    while first > 0 and track in around[first - 1]:
        first -= 1
    while end < len(around) and track in around[end]:
        end += 1
    return first, end
