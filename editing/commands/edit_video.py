"""``uvface edit-video``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ...core.arguments import name_list
from ...core.commands.options import (
    Device,
    Faces,
    Json,
    Like,
    Metadata,
    Quality,
    Quiet,
    Recognition,
    ReferenceFace,
    ReferenceLike,
    Sidecar,
    VideoOutput,
    Weights,
    check_recognition,
    face_choice,
    report,
    set_up,
    spare_sidecars,
    usage_errors,
    warn,
)
from ...core.commands.progress import count_up, tell_of_compiling
from .options import (
    Feather,
    Light,
    Makeup,
    Recolor,
    ReferencePhoto,
    Region,
    Reshape,
    Retouch,
    Strength,
    wrong_edit,
)

__all__ = ["edit_video"]


def edit_video(
    video: Annotated[Path, typer.Argument(help="Video that is changed.")],
    output: VideoOutput,
    region: Region = None,
    reference: ReferencePhoto = None,
    strength: Strength = 1.0,
    feather: Feather = 3.0,
    recolor: Recolor = None,
    retouch: Retouch = None,
    makeup: Makeup = None,
    reshape: Reshape = None,
    light: Light = None,
    faces: Faces = "largest",
    reference_face: ReferenceFace = "largest",
    like: Like = None,
    reference_like: ReferenceLike = None,
    recognition: Recognition = None,
    quality: Quality = 18,
    metadata: Metadata = True,
    sidecar: Sidecar = True,
    weights: Weights = "prn-lite",
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    r"""Change a face in each frame of a video, as 'edit' does; needs 'uvface\[video]' (PyAV).

    A face is followed from frame to frame, and chosen anew after cuts. Sound is kept.
    """
    set_up(device)
    wrong = wrong_edit(
        region=region,
        reference=reference,
        recolor=recolor,
        amounts=[retouch, makeup, reshape, light],
        reference_face=reference_face,
        reference_like=reference_like,
    )
    if wrong:
        raise typer.BadParameter(wrong)
    check_recognition(recognition, like, reference_like)
    from ...core.files import InputFiles
    from ...core.io.video import count_frames, import_av
    from ...core.io.video_writer import check_video_name
    from ...core.reconstruct import load
    from ..request import edit_request
    from ..video.edit_video import edit_video as run

    with usage_errors():
        InputFiles([video, reference, like, reference_like]).spare(output)
        spare_sidecars([output], metadata=metadata, sidecar=sidecar)
    import_av()
    model = load(weights)
    with usage_errors():
        check_video_name(output)
        given: dict[str, Any] = {
            "regions": [name for one in region or () for name in name_list(one, "regions")],
            "reference": reference,
            "strength": strength,
            "feather": feather,
            "recolor": recolor,
            "retouch": retouch,
            "makeup": makeup,
            "reshape": reshape,
            "light": light,
            "faces": face_choice(faces),
            "like": like,
            "reference_face": face_choice(reference_face),
            "reference_like": reference_like,
        }
        done = ", ".join(edit_request(model.layout, **given).names)
    tell_of_compiling(quiet=quiet)
    total = count_frames(video)
    with count_up(total, title="edit-video", quiet=quiet or as_json) as tell:
        result = run(
            video,
            output,
            model=model,
            **given,
            recognition=recognition,
            quality=quality,
            metadata=metadata,
            sidecar=sidecar,
            progress=tell,
        )
    warn(result.warnings)
    line = f"{output}: {result.frames} frames, edited {done} in {result.changed}"
    report(result.record, line, quiet, as_json)
