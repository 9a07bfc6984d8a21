"""``uvface reconstruct`` and ``uvface inspect``."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from .options import (
    Boxes,
    Device,
    Faces,
    Json,
    Quiet,
    Weights,
    complain,
    face_choice,
    open_boxes,
    set_up,
)

__all__ = ["inspect", "reconstruct"]


def reconstruct(
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO...", help="Files, folders or globs.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")],
    save: Annotated[
        str,
        typer.Option(
            help="all, or a list of: landmarks, pose, mesh, frontal, ply, mat, texture, "
            "visibility, depth, normals, pncc, posmap, overlay."
        ),
    ] = "landmarks,mesh,texture,overlay",
    texture_size: Annotated[
        int | None, typer.Option(min=64, max=8192, help="Texels per side, read from the photo.")
    ] = None,
    mask_hidden: Annotated[
        bool, typer.Option("--mask-hidden", help="Make hidden texels transparent.")
    ] = False,
    boxes: Boxes = None,
    faces: Faces = "all",
    weights: Weights = "prn-lite",
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Write landmarks, mesh, texture, visibility, depth and pose of every face."""
    set_up(device)
    from ..batch import reconstruct as run
    from ..reconstruct import load

    failed = False
    for item in run(
        photos,
        output,
        model=load(weights),
        save=save,
        boxes=open_boxes(boxes),
        faces=face_choice(faces),
        texture_size=texture_size,
        mask_hidden=mask_hidden,
    ):
        failed |= item.error is not None
        if item.error is not None:
            complain(item.error)
        for warning in item.warnings:
            typer.echo(f"warning: {warning}", err=True)
        if as_json:
            typer.echo(json.dumps(item.record))
        elif not quiet and item.error is None:
            typer.echo(f"{item.photo}: {item.count} face{'s' * (item.count != 1)} -> {output}")
    if failed:
        raise typer.Exit(1)


def inspect(photo: Path) -> None:
    """Print what a picture's metadata says about its making, as JSON."""
    from ..io.provenance import read_provenance

    found = read_provenance(photo)
    typer.echo(json.dumps(None if found is None else dataclasses.asdict(found), indent=2))
