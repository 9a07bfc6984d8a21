"""``uvface exchange``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.commands.options import (
    Boxes,
    Device,
    Json,
    Metadata,
    Quiet,
    Sidecar,
    Weights,
    check_folder,
    open_boxes,
    report,
    set_up,
    spare_sidecars,
    usage_errors,
    warn,
)
from ..core.commands.progress import tell_of_compiling
from .options import Blend, Color, Complete, Keep, Occlusion, Shape, Sharpness, Strength

if TYPE_CHECKING:
    from .photos import SwapResult

__all__ = ["exchange"]


def exchange(
    photo: Annotated[Path, typer.Argument(help="Photo that shows both faces, or one of two.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Image file to write; of two photos, the folder."),
    ],
    other: Annotated[
        Path | None, typer.Argument(help="A second photo; the face of each goes into the other.")
    ] = None,
    keep: Keep = "eyeballs,mouth_interior",
    color: Color = "light",
    blend: Blend = "poisson",
    complete: Complete = "auto",
    occlusion: Occlusion = "on",
    sharpness: Sharpness = "match",
    strength: Strength = 1.0,
    shape: Shape = 1.0,
    faces: Annotated[
        str,
        typer.Option(
            metavar="FACE,FACE",
            help="The two faces of PHOTO: numbers from the left, or left, right, centre, largest, "
            "smallest; largest alone is the two largest. Of two photos, the face of each: one "
            "word or number for both, or two.",
        ),
    ] = "largest",
    boxes: Boxes = None,
    metadata: Metadata = True,
    sidecar: Sidecar = True,
    weights: Weights = "prn-lite",
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Let two faces change places, within PHOTO or between it and OTHER."""
    set_up(device)
    from ..core.reconstruct import load
    from .exchange import check_photos, read_pair
    from .exchange import exchange as run
    from .photos import prepare_swap
    from .request import SwapRequest, swap_options
    from .swap import check_swap

    photos = [photo] if other is None else [photo, other]
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
    with usage_errors():
        check_photos(photo, other)
        outputs = _outputs(output, photos)
        spare_sidecars(outputs, metadata=metadata, sidecar=sidecar)
        read_pair(faces, is_one_photo=other is None)
        options = swap_options(**given)
    model = load(weights)
    with usage_errors():
        check_swap(model.layout, options.config)
    tell_of_compiling(quiet=quiet)
    request = SwapRequest(references=(photo,))
    Thread(target=prepare_swap, args=(model.layout, request, options)).start()
    made = run(photo, other, model=model, **given, faces=faces, boxes=open_boxes(boxes, photos))
    results = [*made] if isinstance(made, tuple) else [made]
    _save(outputs, results, metadata=metadata, sidecar=sidecar)
    _tell(outputs, results, quiet=quiet, as_json=as_json)


def _outputs(output: Path, photos: Sequence[Path]) -> list[Path]:
    """Return the picture that is made of each photo.

    Raises:
        InputError, BadParameter: it cannot be written there.
    """
    from ..core.files import InputFiles
    from ..core.io.images import check_image_name
    from ..editing.output_names import output_name

    if len(photos) == 1:
        InputFiles(photos).spare(output)
        check_image_name(output)
        return [output]
    if os.path.isfile(output):
        raise typer.BadParameter(f"output {output} is a file; of two photos it is a folder")
    check_folder(output)
    outputs = [output / output_name(path) for path in photos]
    if len({*outputs}) < len(outputs):
        names = " and ".join(map(str, photos))
        raise typer.BadParameter(f"{names} would both be {outputs[0]}; rename one")
    for path in outputs:
        InputFiles(photos).spare(path, advice="choose another folder")
    return outputs


def _save(
    outputs: Sequence[Path], results: Sequence[SwapResult], *, metadata: bool, sidecar: bool
) -> None:
    from ..editing.result import save_together

    if len(results) == 1:
        results[0].save(outputs[0], metadata=metadata, sidecar=sidecar)
        return
    named = {path.name: result for path, result in zip(outputs, results, strict=True)}
    save_together(outputs[0].parent, named, metadata=metadata, sidecar=sidecar)


def _tell(
    outputs: Sequence[Path], results: Sequence[SwapResult], *, quiet: bool, as_json: bool
) -> None:
    for path, result in zip(outputs, results, strict=True):
        record = result.record(path)
        title = f"{path.name}: " * (len(results) > 1)
        warn(f"{title}{line}" for line in record["warnings"])
        report(record, f"{record['photo']} -> {path}", quiet, as_json)
