"""Swapping a face through a video: ``uvface swap-video``.

Data flow, a few frames at a time, whatever the length of the video::

    frames --tracking--> a face in each --steady--> what it and its neighbours tell
    frame + face + reference --swap--> frame --flicker--> what it and its neighbours changed
    frames --video--> file, with the sound of the target
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float, UInt8

from ..core.arguments import OnOff, as_number
from ..core.blending.composite import BlendMethod
from ..core.errors import InputError, NoFaceError
from ..core.geometry.layout import UVLayout
from ..core.io.photos import PhotoLike
from ..core.io.provenance import Provenance
from ..core.io.sidecar import remove_sidecar, write_sidecar
from ..core.io.video import Frame, VideoReader, VideoWriter, check_video_name
from ..core.reconstruct import FaceChoice, Model, check_choice
from ..core.types import Face
from ..editing.complete import Completion
from ..editing.finder import FaceFinder, FoundReference, Selection
from ..editing.finish import SharpnessMatch
from ..editing.light import ColorMatch
from ..editing.references import References, find_reference, reference_list
from .flicker import Change, change_of, even_out
from .request import SwapRequest, describe, swap_options
from .steady import REACH, steady_face
from .swap import SwapConfig, check_swap, swap_masks, swap_reference
from .tracking import Tracker

__all__ = ["VideoResult", "swap_video"]

_OPERATION = "swap"
_Thing = TypeVar("_Thing")
_Tracked = tuple[Frame, Mapping[int, Face]]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Swapped:
    """A frame with its faces swapped, each by itself."""

    frame: Frame
    image: UInt8[np.ndarray, "height width 3"]  # with the new faces
    faces: Mapping[int, Face]
    changes: Mapping[int, Change]


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
    reference: References,
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
        reference: as for `swap`: a photo, several of one person, or a face file.
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
    check_choice(faces)
    request = SwapRequest(
        references=reference_list(reference),
        target=Selection(faces=faces, like=like),
        reference=Selection(faces=reference_face, like=reference_like),
    )
    target, output = Path(target), Path(output)
    check_video_name(output)
    finder = FaceFinder(model, recognition=recognition)
    check_swap(finder.model.layout, options.config)
    with VideoReader(target) as video:
        found = find_reference(finder, request.references, request.reference)
        inputs = _inputs(target, found, request)
        if output.resolve() in {path.resolve() for path in inputs.values()}:
            raise InputError(f"{output} would overwrite an input; choose another name")
        layout = finder.model.layout
        tracked = _tracked(video, Tracker(finder, request.target))
        swap = partial(_swapped, found=found, layout=layout, config=options.config)
        made = (swap(around, middle) for around, middle in _with_neighbours(tracked))
        done = swapped = 0
        told = Provenance(operation=_OPERATION) if metadata else None
        with VideoWriter(output, video, quality=crf, provenance=told) as writer:
            for row, middle in _with_neighbours(made):
                writer.write(_evened(row, middle, layout, options.config))
                done, swapped = done + 1, swapped + bool(row[middle].faces)
                if progress is not None:
                    progress(done)
            if not swapped:
                raise NoFaceError(f"no face found in any of the {done} frames of {target.name}")
        warnings = (*video.warnings, *found.warnings, *writer.warnings)
    if done > swapped:
        warnings += (f"{done - swapped} of {done} frames show no face; they stay as they are",)
    record = {
        "operation": _OPERATION,
        "settings": describe(target, request, options, finder) | {"quality": crf},
        "frames": done,
        "swapped": swapped,
        "warnings": list(warnings),
    }
    if metadata and sidecar:
        write_sidecar(output, record, inputs=inputs)
    else:
        remove_sidecar(output)
    return VideoResult(
        output=output,
        frames=done,
        swapped=swapped,
        warnings=warnings,
        record={"image": str(output), "photo": str(target), **record},
    )


def _inputs(target: Path, found: FoundReference, request: SwapRequest) -> dict[str, Path]:
    references = {f"reference {i}": path for i, path in enumerate(found.photos)}
    likes = {f"like {i}": path for i, path in enumerate(request.likes)}
    return {"target": target, **references, **likes}


def _tracked(video: VideoReader, tracker: Tracker) -> Iterator[_Tracked]:
    for frame in video.frames():
        yield frame, tracker.look(frame.image)


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


def _swapped(
    around: Sequence[_Tracked],
    middle: int,
    *,
    found: FoundReference,
    layout: UVLayout,
    config: SwapConfig,
) -> _Swapped:
    frame, followed = around[middle]
    image = frame.image.astype(np.float32) / np.float32(255)
    mask = swap_masks(layout, config).mask
    faces: dict[int, Face] = {}
    changes: dict[int, Change] = {}
    for number in followed:
        row, place = _run([tracked for _, tracked in around], middle, number)
        face = faces[number] = steady_face(row, place, image, layout)
        swapped = swap_reference(image, face, found.reference, layout, config=config)
        changes[number] = change_of(image, swapped, face, mask)
        image = swapped
    return _Swapped(frame=frame, image=_bytes(image), faces=faces, changes=changes)


def _evened(row: Sequence[_Swapped], middle: int, layout: UVLayout, config: SwapConfig) -> Frame:
    one = row[middle]
    image = one.image.astype(np.float32) / np.float32(255)
    before = one.frame.image.astype(np.float32) / np.float32(255)
    mask = swap_masks(layout, config).mask
    for number, face in one.faces.items():
        changes, place = _run([swapped.changes for swapped in row], middle, number)
        image = even_out(before, image, changes, place, face, mask, layout)
    return dataclasses.replace(one.frame, image=_bytes(image))


def _bytes(image: Float[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
    return np.rint(255 * image).astype(np.uint8)


def _run(
    around: Sequence[Mapping[int, _Thing]], middle: int, number: int
) -> tuple[list[_Thing], int]:
    """Return what there is of a face in the frames through which it is followed.

    Returns:
        Of consecutive frames, and which of them is the middle one.
    """
    first = last = middle
    while first > 0 and number in around[first - 1]:
        first -= 1
    while last + 1 < len(around) and number in around[last + 1]:
        last += 1
    return [around[k][number] for k in range(first, last + 1)], middle - first
