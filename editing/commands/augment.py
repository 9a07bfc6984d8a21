"""``uvface augment``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...core.commands.options import (
    Boxes,
    Device,
    Faces,
    Json,
    Quiet,
    Weights,
    check_folder,
    complain,
    face_choice,
    name_photos,
    open_boxes,
    set_up,
    usage_errors,
    warn,
)
from ...core.commands.progress import track

if TYPE_CHECKING:
    from ...core.batch import Item

__all__ = ["augment"]


def augment(
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO...", help="Files, folders or globs.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the pictures.")],
    count: Annotated[
        int, typer.Option("--count", "-n", min=1, max=100_000, help="Pictures of each face.")
    ] = 8,
    seed: Annotated[int, typer.Option(help="Same seed, same pictures.")] = 0,
    vary: Annotated[
        str,
        typer.Option(
            help="What changes: a list of pose, expression, shape, light, color, occluder, quality."
        ),
    ] = "pose,expression,shape,light,color,occluder,quality",
    max_yaw: Annotated[
        float, typer.Option(min=0, max=75, help="Degrees by which a head is turned aside at most.")
    ] = 45.0,
    donors: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PHOTO",
            help="File, folder or quoted glob: half of the pictures get parts of such a face. "
            "May be given again.",
        ),
    ] = None,
    boxes: Boxes = None,
    skip_existing: Annotated[
        bool,
        typer.Option("--skip-existing", help="Keep complete pictures of the same options."),
    ] = False,
    faces: Faces = "largest",
    weights: Weights = "prn-lite",
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make labelled variations of faces: pose, expression, shape, light, colour, occluders."""
    check_folder(output)
    set_up(device)
    from ...core.reconstruct import load
    from ..augment.files import augment as run
    from ..augment.recipe import check_yaw, subjects

    if os.path.isfile(output):
        raise typer.BadParameter(f"output {output} is a file; name a folder for the pictures")
    with usage_errors():
        chosen = subjects(vary)
        check_yaw(max_yaw, chosen)
    files, lenders = name_photos(photos), name_photos(donors) if donors else None
    items = run(
        files,
        output,
        model=load(weights),
        count=count,
        seed=seed,
        vary=chosen,
        max_yaw=max_yaw,
        donors=lenders,
        boxes=open_boxes(boxes, [*files, *(lenders or ())]),
        faces=face_choice(faces),
        skip_existing=skip_existing,
    )
    failed = 0
    for item in track(items, total=len(files), title="augment", quiet=quiet or as_json):
        failed += item.error is not None
        _tell(item, output, count=count, quiet=quiet, as_json=as_json)
    if failed:
        raise typer.Exit(1)


def _tell(item: Item, output: Path, *, count: int, quiet: bool, as_json: bool) -> None:
    """Print what became of a photo."""
    if item.error is not None:
        complain(item.error)
    warn(item.warnings)
    if as_json:
        typer.echo(json.dumps(item.record))
    elif not quiet and item.error is None:
        kept = " (kept)" if item.is_old else ""
        made = f"{item.count} face{'s' * (item.count != 1)}, {count * item.count} pictures"
        typer.echo(f"{item.photo}: {made} -> {output}{kept}")
