"""``uvface edit`` and ``uvface texture``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...core.arguments import name_list
from ...core.commands.options import (
    Boxes,
    Device,
    Faces,
    Json,
    Like,
    Metadata,
    Quiet,
    Recognition,
    ReferenceFace,
    ReferenceLike,
    Sidecar,
    SkipExisting,
    Weights,
    check_recognition,
    face_choice,
    name_photos,
    open_boxes,
    report,
    set_up,
    usage_errors,
    warn,
)
from ...core.commands.progress import tell_of_compiling
from ...core.io.video_packet import names_a_video
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

__all__ = ["edit", "texture"]


def edit(
    photo: Annotated[str, typer.Argument(help="Photo that is changed, a folder or a glob.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Image file to write; of several, a folder.")
    ],
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
    boxes: Boxes = None,
    skip_existing: SkipExisting = False,
    metadata: Metadata = True,
    sidecar: Sidecar = True,
    weights: Weights = "prn-lite",
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Change a face: other parts or colours, retouching, make-up, expression, shape, light."""
    set_up(device)
    wrong = wrong_edit(
        region=region,
        reference=reference,
        recolor=recolor,
        amounts=[retouch, makeup, reshape, light],
        reference_face=reference_face,
        reference_like=reference_like,
    )
    if names_a_video(photo):
        wrong = f"{photo} is a video; use uvface edit-video"
    if wrong:
        raise typer.BadParameter(wrong)
    check_recognition(recognition, like, reference_like)
    from ...core.io.boxes import as_boxes
    from ...core.reconstruct import load
    from ..finder import FaceFinder
    from ..request import edit_request
    from .edit_run import Run

    run = Run(
        photo=photo,
        output=output,
        reference=reference,
        like=like,
        reference_like=reference_like,
        skip_existing=skip_existing,
        metadata=metadata,
        sidecar=sidecar,
        quiet=quiet,
        as_json=as_json,
    )
    run.check_usage()
    model = load(weights)
    with usage_errors():
        request = edit_request(
            model.layout,
            regions=[name for given in region or () for name in name_list(given, "regions")],
            reference=reference,
            strength=strength,
            feather=feather,
            recolor=recolor,
            retouch=retouch,
            makeup=makeup,
            reshape=reshape,
            light=light,
            faces=face_choice(faces),
            like=like,
            reference_face=face_choice(reference_face),
            reference_like=reference_like,
        )
    tell_of_compiling(quiet=quiet)
    given = as_boxes(open_boxes(boxes, [*run.photos, *run.others]))
    run.start(request, FaceFinder(model, boxes=given, recognition=recognition))


def texture(
    photos: Annotated[
        list[str],
        typer.Argument(metavar="PHOTO...", help="Photos of one person: files, folders or globs."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Face file to write: *.uvface.")],
    faces: Annotated[
        str, typer.Option(help="Which face of each photo: largest, left, ..., or a number.")
    ] = "largest",
    like: Like = None,
    size: Annotated[
        int | None,
        typer.Option(min=64, max=4096, help="Texels per side; default: what the photos fill."),
    ] = None,
    recognition: Recognition = None,
    boxes: Boxes = None,
    weights: Weights = "prn-lite",
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Fuse photos of one person into a face file that swap and edit take in place of a photo."""
    set_up(device)
    from ...core.io.face_files import check_face_file_name
    from ...core.reconstruct import load
    from ..finder import Selection
    from ..texture import texture as run

    if faces == "all":
        raise typer.BadParameter("faces 'all'; a face file holds one person: name one face")
    check_recognition(recognition, like)
    with usage_errors():
        check_face_file_name(output)
        Selection(faces=face_choice(faces), like=like)
    files = name_photos(photos)
    tell_of_compiling(quiet=quiet)
    face, warnings = run(
        files,
        model=load(weights),
        faces=face_choice(faces),
        like=like,
        size=size,
        recognition=recognition,
        boxes=open_boxes(boxes, [*files, like]),
    )
    face.save(output)
    warn(warnings)
    used, texels = len(face.sources), face.texture.shape[0]
    record = {"file": str(output), "photos": used, "texels": texels, "warnings": list(warnings)}
    line = f"{output}: {used} photo{'s' * (used != 1)}, {texels} x {texels} texels"
    report(record, line, quiet, as_json)
