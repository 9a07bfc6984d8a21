"""``uvface reconstruct``."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from .options import (
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
from .progress import tell_of_compiling, track

if TYPE_CHECKING:
    from ..batch import Item

__all__ = ["reconstruct"]


def reconstruct(
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO...", help="Files, folders or globs.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")],
    save: Annotated[
        str,
        typer.Option(
            help="all, or a list of: landmarks, pose, mesh, colors, frontal, canonical, ply, mat, "
            "texture, visibility, depth, normals, pncc, posmap, overlay, photo."
        ),
    ] = "landmarks,mesh,texture,overlay",
    frontal: Annotated[
        bool, typer.Option("--frontal", help="Also save the mesh laid onto the mean face.")
    ] = False,
    canonical: Annotated[
        bool, typer.Option("--canonical", help="Also save the mesh with its pose undone.")
    ] = False,
    texture_size: Annotated[
        int | None,
        typer.Option(
            min=64,
            max=8192,
            help="Texels per side of textures, read from the photo: texture, visibility, and those "
            "of mesh, frontal and canonical.",
        ),
    ] = None,
    mask_hidden: Annotated[
        bool,
        typer.Option(
            "--mask-hidden", help="Make hidden texels transparent in texture, black on meshes."
        ),
    ] = False,
    boxes: Boxes = None,
    cropped: Annotated[
        bool, typer.Option("--cropped", help="Pictures are crops around one face: no detection.")
    ] = False,
    contact_sheet: Annotated[
        Path | None, typer.Option(help="Picture of all faces with their landmarks.")
    ] = None,
    skip_existing: Annotated[
        bool,
        typer.Option(
            "--skip-existing",
            help="Leave photos alone whose results are whole, as they were written; make anew what "
            "was changed.",
        ),
    ] = False,
    faces: Faces = "all",
    weights: Weights = "prn-lite",
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Write landmarks, mesh, texture, visibility, depth and pose of every face."""
    set_up(device)
    from ..batch import check_textures, output_names
    from ..batch import reconstruct as run
    from ..io.images import check_image_name
    from ..reconstruct import load

    if cropped and boxes is not None:
        raise typer.BadParameter("a cropped picture has no boxes; give --cropped or --boxes")
    check_folder(output)
    with usage_errors():
        extra = {"frontal": frontal, "canonical": canonical}
        chosen = output_names(save, also=[name for name, is_wanted in extra.items() if is_wanted])
        check_textures(chosen, texture_size=texture_size, mask_hidden=mask_hidden)
        if contact_sheet is not None:
            check_image_name(contact_sheet)
    files = name_photos(photos)
    if contact_sheet is not None:
        _check_sheet(contact_sheet, output, files)
    tell_of_compiling(quiet=quiet)
    items = run(
        files,
        output,
        model=load(weights),
        save=chosen,
        boxes=open_boxes(boxes, files),
        cropped=cropped,
        faces=face_choice(faces),
        texture_size=texture_size,
        mask_hidden=mask_hidden,
        skip_existing=skip_existing,
    )
    if {"mesh", "frontal", "canonical", "ply"} & set(chosen):
        Thread(target=_import_trimesh).start()
    records, failed = [], 0
    for item in track(items, total=len(files), title="reconstruct", quiet=quiet or as_json):
        records.append(item.record)
        failed += item.error is not None
        _tell(item, output, quiet=quiet, as_json=as_json)
    if contact_sheet is not None:
        from ..io.contact_sheet import write_contact_sheet

        write_contact_sheet(contact_sheet, records)
    if failed:
        raise typer.Exit(1)


def _check_sheet(sheet: Path, output: Path, files: Sequence[Path]) -> None:
    """Refuse a contact sheet that would take the place of a photo or of a result."""
    from ..files import InputFiles
    from ..io.existing import is_result
    from ..io.results import is_result_name

    if os.path.isdir(sheet):
        raise typer.BadParameter(f"{sheet} is a folder; name a picture")
    if sheet in InputFiles(files):
        raise typer.BadParameter(f"{sheet} is one of the photos; name another picture")
    is_beside = os.path.realpath(sheet.parent) == os.path.realpath(output)
    if is_result(sheet) or (is_beside and any(is_result_name(sheet.name, one) for one in files)):
        raise typer.BadParameter(f"{sheet} is the name of a result; name another picture")


def _import_trimesh() -> None:
    """Import what writes meshes; beside the network's work, since it takes as long as a face."""
    with suppress(ImportError):  # whoever needs it will say so
        import_module("trimesh")


def _tell(item: Item, output: Path, *, quiet: bool, as_json: bool) -> None:
    """Print what became of a photo."""
    if item.error is not None:
        complain(item.error)
    warn(item.warnings)
    if as_json:
        typer.echo(json.dumps(item.record))
    elif not quiet and item.error is None:
        kept = " (kept)" if item.is_old else ""
        typer.echo(f"{item.photo}: {item.count} face{'s' * (item.count != 1)} -> {output}{kept}")
