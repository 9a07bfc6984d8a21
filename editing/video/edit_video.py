"""Editing faces through a video: ``uvface edit-video``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from ...core.face_choice import FaceChoice, check_choice
from ...core.geometry.layout import UVLayout
from ...core.io.photos import Origin, PhotoLike
from ...core.io.sidecar import input_roles
from ...core.io.video import VideoReader
from ...core.reconstruct import Model, read_texture
from ...core.traced import blank, keep_traced
from ...core.types import Face
from ..amounts import Amounts, ColoredAmounts
from ..edit import EditConfig, RgbImage
from ..finder import FaceFinder, FoundReference
from ..photos import paint_face, shape_faces, unseen
from ..references import References, find_reference
from ..request import EditRequest, describe_edit, edit_request
from ..reshape.teeth import Whites, find_whites, remember_whites
from .files import VideoResult, missing_faces, video_task, write_video
from .frames import (
    ChangedFrame,
    FaceChange,
    as_bytes,
    as_floats,
    change_faces,
    follow_faces,
)
from .tracking import Track, Tracker

__all__ = ["edit_video"]


def edit_video(
    video: str | Path,
    output: str | Path,
    *,
    model: Model | None = None,
    regions: str | Sequence[str] = (),
    reference: References | None = None,
    strength: float = EditConfig.strength,
    feather: float = EditConfig.feather,
    recolor: str | None = None,
    retouch: Amounts | None = None,
    makeup: ColoredAmounts | None = None,
    reshape: Amounts | None = None,
    light: Amounts | None = None,
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
    """Edit faces in each frame of a video, as `edit` does those of a photo.

    A face is followed from frame to frame, and chosen anew after cuts and where it was lost.
    Frames without one stay as they are; the sound is the video's.

    Args:
        video: of any format that FFmpeg reads; it is changed.
        output: file to write, ``.mp4``, ``.m4v`` or ``.mov``.
        model: from `uvface.load`; by default the embedded weights.
        regions: names of regions of the model's layout, as for `edit`, and so on to ``light``.
        reference: photo, several of one person, or face file that the regions come from.
        strength: 0 keeps the video, 1 is the full edit.
        feather: width of the regions' soft border, in texels of 256, up to 64.
        recolor: colour for the regions.
        retouch: what is retouched how much.
        makeup: make-up, how much of it, and its colours.
        reshape: which expressions and proportions change, and how much.
        light: how the light on the face changes.
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
    finder = FaceFinder(model, recognition=recognition)
    layout = finder.model.layout
    request = edit_request(
        layout,
        regions=regions,
        reference=reference,
        strength=strength,
        feather=feather,
        recolor=recolor,
        retouch=retouch,
        makeup=makeup,
        reshape=reshape,
        light=light,
        faces=faces,
        like=like,
        reference_face=reference_face,
        reference_like=reference_like,
    )
    check_choice(faces)
    finder.require_likes(like, reference_like)
    task = video_task(
        video,
        output,
        operation=request.operation,
        quality=quality,
        metadata=metadata,
        sidecar=sidecar,
        progress=progress,
    )
    if like is not None:
        finder.read_person(like)
    with VideoReader(task.target) as opened:
        found: FoundReference | None = None
        if request.references:
            found = find_reference(finder, request.references, request.reference)
        inputs = _inputs(task.target, request, found)
        task.spare(inputs)
        settings = describe_edit(task.target, request, finder)
        tracker = Tracker(finder, [request.target])
        frames = follow_faces(opened, tracker, layout)
        if request.paints:
            frames = change_faces(frames, _change(request, found, layout), layout.mask, layout)
        if request.reshape or request.light:
            frames = _shaped(frames, request, layout)
        written = write_video(task, opened, frames, tracker)
        warnings = [
            *opened.warnings,
            *(() if found is None else found.warnings),
            *written.warnings,
            *missing_faces(written),
            *unseen(request, written.difference / 255),
        ]
    return task.finish(written, settings=settings, warnings=warnings, inputs=inputs)


def _change(request: EditRequest, found: FoundReference | None, layout: UVLayout) -> FaceChange:
    def change(image: RgbImage, face: Face, _: int) -> RgbImage:
        return paint_face(image, face, request, found, layout)

    return change


def _shaped(
    frames: Iterator[ChangedFrame], request: EditRequest, layout: UVLayout
) -> Iterator[ChangedFrame]:
    """Go through frames with shapes and light changed as well.

    Both follow positions, which are steady. What a shape makes anew (the inside of a mouth, closed
    lids) takes its colours from the frame, but teeth theirs from whites that are remembered.
    """
    known: dict[Track, Whites] = {}
    seconds = 0.0
    for one in frames:
        image = as_floats(one.image)
        if request.reshape:
            passed, seconds = one.frame.seconds - seconds, one.frame.seconds
            known = {
                track: remember_whites(
                    _whites(image, face, layout), known.get(track), seconds=passed
                )
                for track, face in one.faces.items()
            }
        faces, whites = [*one.faces.values()], [*known.values()]
        image, _, _ = shape_faces(image, None, faces, request, layout, whites=whites)
        yield dataclasses.replace(one, image=as_bytes(image))


def _whites(image: RgbImage, face: Face, layout: UVLayout) -> Whites:
    """Return what a frame, whose colours are edited, shows of the whites of a face's eyes."""
    texture = read_texture(image, face.position_map)
    return _find_whites(dataclasses.replace(face, texture=texture), layout)


@partial(keep_traced, key="find whites", like=blank(Whites))
def _find_whites(face: Face, layout: UVLayout) -> Whites:
    return find_whites(face, layout)


def _inputs(video: Path, request: EditRequest, found: FoundReference | None) -> dict[str, Origin]:
    """Return role -> what the video is made of, and what is looked at."""
    used, unused = ((), ()) if found is None else (found.photos, found.left_out)
    return input_roles(video, references=used, likes=request.likes, left_out=unused)
