"""``uvface edit`` and ``uvface texture``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.arguments import name_list
from ..core.commands.options import (
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
    check_folder,
    check_recognition,
    face_choice,
    name_photos,
    open_boxes,
    report,
    set_up,
    spare_sidecars,
    usage_errors,
    warn,
)
from ..core.commands.progress import tell_of_compiling, track
from ..core.io.video_packet import names_a_video
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

if TYPE_CHECKING:
    from .outputs import MadePicture

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
    from ..core.reconstruct import load
    from .batch_command import wrong_skipping
    from .finder import LIKE, FaceFinder
    from .output_names import is_many as names_many
    from .request import edit_request

    is_many = names_many(photo)
    photos = name_photos([photo]) if is_many else [Path(photo)]
    others = [path for path in (reference, like, reference_like) if path is not None]
    outputs = _outputs(output, photos, others, is_many=is_many)
    if not is_many:  # of a batch each photo fails by itself
        spare_sidecars(outputs, metadata=metadata, sidecar=sidecar)
    skipping = wrong_skipping(
        skip_existing,
        batch="a folder or a glob",
        is_batch=is_many,
        metadata=metadata,
        sidecar=sidecar,
    )
    if skipping:
        raise typer.BadParameter(skipping)
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
    finder = FaceFinder(model, boxes=open_boxes(boxes, [*photos, *others]), recognition=recognition)
    likes = [like, reference_like]
    finder.require_boxes({"photo": photos, "reference": [reference], LIKE: likes})
    if is_many:
        from .many import edit_many

        items = edit_many(
            photos,
            outputs,
            request,
            finder=finder,
            metadata=metadata,
            sidecar=sidecar,
            skip_existing=skip_existing,
        )
        _make(items, total=len(photos), quiet=quiet, as_json=as_json)
        return
    from ..core.io.images import read_photo
    from .photos import edit_photo

    result = edit_photo(read_photo(photos[0]), request, finder)
    result.save(output, metadata=metadata, sidecar=sidecar)
    warn(result.warnings)
    done = ", ".join(request.names)
    report(result.record(output), f"{output}: edited {done}", quiet, as_json)


def _outputs(
    output: Path, photos: Sequence[Path], others: Sequence[Path], *, is_many: bool
) -> list[Path]:
    """Return the picture that is made of each photo; refuse what cannot be written."""
    from ..core.files import InputFiles
    from ..core.io.images import check_image_name
    from .batch_command import wrong_folder
    from .output_names import outputs_in

    wrong = wrong_folder(output) if is_many else None
    if wrong:
        raise typer.BadParameter(wrong)
    with usage_errors():
        if not is_many:
            InputFiles([*photos, *others]).spare(output)
            check_image_name(output)
            return [output]
        check_folder(output)
        return outputs_in(output, photos)


def _make(items: Iterable[MadePicture], *, total: int, quiet: bool, as_json: bool) -> None:
    """Make the pictures of a batch and tell of each; a failure exits with 1."""
    from .batch_command import tell_picture

    failed = False
    for item in track(items, total=total, title="edit", quiet=quiet or as_json):
        tell_picture(item, quiet=quiet, as_json=as_json)
        failed |= item.error is not None
    if failed:
        raise typer.Exit(1)


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
    from ..core.io.face_files import check_face_file_name
    from ..core.reconstruct import load
    from .finder import Selection
    from .texture import texture as run

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
