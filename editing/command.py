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

if TYPE_CHECKING:
    from .outputs import MadePicture

__all__ = ["edit", "texture"]


def edit(
    photo: Annotated[str, typer.Argument(help="Photo that is changed, a folder or a glob.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Image file to write; of several, a folder.")
    ],
    region: Annotated[
        list[str] | None, typer.Option(help="Region to change, or several: lips,eyes.")
    ] = None,
    reference: Annotated[
        Path | None, typer.Option("--from", help="Photo or face file that the region comes from.")
    ] = None,
    strength: Annotated[
        float, typer.Option(min=0, max=1, help="0 keeps the photo, 1 is the full edit.")
    ] = 1.0,
    feather: Annotated[
        float, typer.Option(min=0, help="Soft border of the region, texels of 256, up to 64.")
    ] = 3.0,
    recolor: Annotated[
        str | None, typer.Option(help="Colour for the region: #RRGGBB or a name.")
    ] = None,
    retouch: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=AMOUNT",
            help="What to retouch, 0 to 1: skin=0.5,spots=1; also tone, shine, eye_bags, teeth, "
            "eyes.",
        ),
    ] = None,
    makeup: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=AMOUNT:COLOUR",
            help="Make-up, 0 to 1, in a colour that suits or one that is named: "
            "lipstick=0.8:crimson,blush=0.5; also contour, highlight, eye_shadow, eyeliner, brows.",
        ),
    ] = None,
    reshape: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=AMOUNT",
            help="Expression or proportion to change, -1 to 1: smile=0.5,nose_width=-0.3.",
        ),
    ] = None,
    light: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=AMOUNT",
            help="Light to change, -1 to 1: left=0.5 is a lamp at the left, -0.5 at the right; "
            "also above, bright, warm.",
        ),
    ] = None,
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
    if reference is None and recolor is None and not (retouch or makeup or reshape or light):
        raise typer.BadParameter(
            "nothing to do; give --from PHOTO, --recolor '#RRGGBB', or --retouch, --makeup, "
            "--reshape or --light NAME=AMOUNT"
        )
    if not region and not (reference is None and recolor is None):
        raise typer.BadParameter("no region given; say by --region what to change")
    if reference is None and (reference_face != "largest" or reference_like is not None):
        raise typer.BadParameter("a face of the reference is chosen; give it by --from PHOTO")
    if reference_face == "all":
        raise typer.BadParameter("--reference-face all; a reference is one face: name it")
    check_recognition(recognition, like, reference_like)
    from ..core.reconstruct import load
    from .batch_command import wrong_skipping
    from .finder import LIKE, FaceFinder
    from .output_names import is_many as names_many
    from .photos import edit_request

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
