"""Swapping a face through a video: ``uvface swap-video``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..core.arguments import OnOff
from ..core.blending.composite import BlendMethod
from ..core.face_choice import FaceChoice, check_choice
from ..core.geometry.layout import UVLayout
from ..core.io.photos import Origin, PhotoLike
from ..core.io.sidecar import input_roles
from ..core.io.video import VideoReader
from ..core.reconstruct import Model
from ..core.types import Face
from ..editing.complete import Completion
from ..editing.detail.finish import SharpnessMatch
from ..editing.edit import RgbImage
from ..editing.finder import FaceFinder, FoundReference
from ..editing.light import ColorMatch
from ..editing.references import References, find_reference
from ..editing.video.files import (
    VideoResult,
    WrittenFrames,
    missing_faces,
    video_task,
    write_video,
)
from ..editing.video.frames import FaceChange, change_faces, follow_faces
from ..editing.video.tracking import Tracker
from .request import SwapRequest, describe, swap_options, swap_request
from .swap import SwapConfig, check_swap, swap_masks, swap_reference

__all__ = ["swap_video"]


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
    task = video_task(
        target,
        output,
        operation="swap",
        quality=quality,
        metadata=metadata,
        sidecar=sidecar,
        progress=progress,
    )
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
    finder = FaceFinder(model, recognition=recognition)
    finder.require_likes(like, reference_like)
    layout = finder.model.layout
    check_swap(layout, options.config)
    if like is not None:
        finder.read_person(like)
    with VideoReader(task.target) as video:
        found = [find_reference(finder, given, request.reference) for given in references]
        inputs = _inputs(task.target, found, request)
        task.spare(inputs)
        settings = describe(task.target, request, options, finder)
        tracker = Tracker(finder, selections)
        change = _change(found, options.config, layout)
        mask = swap_masks(layout, options.config).mask
        frames = change_faces(follow_faces(video, tracker, layout), change, mask, layout)
        written = write_video(task, video, frames, tracker)
        notes = dict.fromkeys(line for one in found for line in one.warnings)
        warnings = [*video.warnings, *notes, *written.warnings, *_absences(request, written)]
    return task.finish(written, settings=settings, warnings=warnings, inputs=inputs)


def _change(found: Sequence[FoundReference], config: SwapConfig, layout: UVLayout) -> FaceChange:
    def change(image: RgbImage, face: Face, choice: int) -> RgbImage:
        return swap_reference(image, face, found[choice].reference, layout, config=config)

    return change


def _absences(request: SwapRequest, written: WrittenFrames) -> list[str]:
    """Return in how many frames faces are not there, of a map for each of its faces."""
    if not request.mapping:
        return missing_faces(written)
    done, shown = written.frames, written.shown
    counts = [
        sum(n for choices, n in shown.items() if k in choices) for k in range(len(request.mapping))
    ]
    named = zip(request.mapping, counts, strict=True)
    return [f"face {face} is swapped in {n} of {done} frames" for face, n in named if n < done]


def _inputs(
    target: Path, found: Sequence[FoundReference], request: SwapRequest
) -> dict[str, Origin]:
    """Return role -> what the video is made of, and what is looked at."""
    used = dict.fromkeys(photo for one in found for photo in one.photos)
    unused = dict.fromkeys(photo for one in found for photo in one.left_out)
    return input_roles(target, references=used, likes=request.likes, left_out=unused)
