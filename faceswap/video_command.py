"""``uvface swap-video``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.commands.options import (
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
from ..core.commands.progress import count_up, tell_of_compiling
from .options import (
    Blend,
    Color,
    Complete,
    Keep,
    Map,
    Occlusion,
    Shape,
    Sharpness,
    Strength,
    wrong_map,
)

__all__ = ["swap_video"]


def swap_video(
    target: Annotated[Path, typer.Argument(help="Video that is changed.")],
    output: VideoOutput,
    references: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[REFERENCE]...",
            help="Photo or face file that the face comes from; several photos are fused.",
        ),
    ] = None,
    keep: Keep = "eyeballs,mouth_interior",
    color: Color = "light",
    blend: Blend = "poisson",
    complete: Complete = "auto",
    occlusion: Occlusion = "on",
    sharpness: Sharpness = "match",
    strength: Strength = 1.0,
    shape: Shape = 1.0,
    faces: Faces = "largest",
    reference_face: ReferenceFace = "largest",
    like: Like = None,
    reference_like: ReferenceLike = None,
    mapping: Map = None,
    recognition: Recognition = None,
    quality: Quality = 18,
    metadata: Metadata = True,
    sidecar: Sidecar = True,
    weights: Weights = "prn-lite",
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    r"""Put the face of REFERENCE into each frame of a video; needs 'uvface\[video]' (PyAV).

    A face is followed from frame to frame, keeps its reference, and is chosen anew after cuts.
    Sound is kept.
    """
    set_up(device)
    from ..core.files import InputFiles
    from ..core.io.video import count_frames, import_av
    from ..core.io.video_writer import check_video_name
    from ..core.reconstruct import load
    from .mapping import read_map
    from .request import swap_options
    from .swap import check_swap
    from .video import swap_video as run

    given: dict[str, Any] = {
        "keep": keep,
        "color": color,
        "blend": blend,
        "complete": complete,
        "occlusion": occlusion,
        "sharpness": sharpness,
        "strength": strength,
        "shape": shape,
    }
    if wrong := wrong_map(mapping, references or (), faces, like):
        raise typer.BadParameter(wrong)
    with usage_errors():
        mapped = None if mapping is None else read_map(mapping)
        photos = [photo for given in (mapped or {}).values() for photo in given]
        files = [target, *(references or ()), *photos, mapping, like, reference_like]
        InputFiles(files).spare(output)
        spare_sidecars([output], metadata=metadata, sidecar=sidecar)
    if reference_face == "all":
        raise typer.BadParameter("--reference-face all; a reference is one face: name it")
    check_recognition(recognition, like, reference_like)
    import_av()
    model = load(weights)
    with usage_errors():
        check_video_name(output)
        check_swap(model.layout, swap_options(**given).config)
        chosen, reference = face_choice(faces), face_choice(reference_face)
    tell_of_compiling(quiet=quiet)
    total = count_frames(target)
    with count_up(total, title="swap-video", quiet=quiet or as_json) as tell:
        result = run(
            target,
            references or None,
            output,
            model=model,
            **given,
            faces=chosen,
            like=like,
            reference_face=reference,
            reference_like=reference_like,
            mapping=mapped,
            recognition=recognition,
            quality=quality,
            metadata=metadata,
            sidecar=sidecar,
            progress=tell,
        )
    warn(result.warnings)
    line = f"{output}: {result.frames} frames, a face swapped in {result.changed}"
    report(result.record, line, quiet, as_json)
