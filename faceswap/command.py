"""``uvface swap`` and ``uvface benchmark``."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Literal

import typer

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
    Weights,
    face_choice,
    names,
    open_boxes,
    report,
    set_up,
    usage_errors,
    warn,
)

__all__ = ["benchmark", "swap"]


def swap(
    target: Annotated[Path, typer.Argument(help="Photo that is changed.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Image file to write.")],
    references: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="REFERENCE...",
            help="Photo or face file that the face comes from; several photos are fused.",
        ),
    ] = None,
    keep: Annotated[
        str, typer.Option(help="Regions that stay the target's own, or none.")
    ] = "eyeballs,mouth_interior",
    color: Annotated[
        Literal["light", "match", "none"], typer.Option(help="How colours follow the target.")
    ] = "light",
    blend: Annotated[
        Literal["poisson", "feather", "none"], typer.Option(help="How the face is put in.")
    ] = "poisson",
    faces: Faces = "largest",
    reference_face: ReferenceFace = "largest",
    like: Like = None,
    reference_like: ReferenceLike = None,
    mapping: Annotated[
        str | None,
        typer.Option(
            "--map",
            metavar="FACE=PHOTO,...",
            help="A reference for each face, in place of REFERENCE: 0=anna.jpg,1=ben.jpg (numbers "
            'from the left, or left, right, ...), a JSON file {"0": "anna.jpg"}, or a CSV file '
            "with the columns face and reference. All other faces stay as they are.",
        ),
    ] = None,
    recognition: Recognition = None,
    boxes: Boxes = None,
    metadata: Metadata = True,
    weights: Weights = "prn-lite",
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Put the face of REFERENCE into TARGET."""
    set_up(device)
    from ..core.reconstruct import load
    from .mapping import read_map
    from .photos import swap as run

    if bool(references) == bool(mapping):
        raise typer.BadParameter("give either REFERENCE, or --map FACE=PHOTO,...")
    with usage_errors():
        faces_to_photos = read_map(mapping) if mapping else None
    mapped = [photo for photos in (faces_to_photos or {}).values() for photo in photos]
    result = run(
        target,
        references,
        model=load(weights),
        keep=names(keep),
        color=color,
        blend=blend,
        faces=face_choice(faces),
        like=like,
        reference_face=face_choice(reference_face),
        reference_like=reference_like,
        mapping=faces_to_photos,
        recognition=recognition,
        boxes=open_boxes(boxes, [target, *(references or mapped)]),
    )
    result.save(output, metadata=metadata)
    warn(result.warnings)
    report(result.record(output), f"{output}: swapped {len(result.faces)} face(s)", quiet, as_json)


def benchmark(
    target: Annotated[Path, typer.Argument(help="Photo with a face.")],
    reference: Annotated[Path, typer.Argument(help="Another one.")],
    repeats: Annotated[int, typer.Option(min=3, help="Warm calls of each stage.")] = 15,
    against: Annotated[
        str, typer.Option(help="Also time the paper's network in these: onnxruntime,torch.")
    ] = "none",
    weights: Weights = "prn-lite",
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Time the stages of a swap of two photos, cold and warm, in milliseconds."""
    set_up(device)
    from rich.console import Console
    from rich.table import Table

    from ..core.network.peers import require_peers
    from ..core.reconstruct import load
    from .benchmark import benchmark as run
    from .benchmark import compare_networks

    peers = names(against)
    require_peers(peers)
    timings = run(target, reference, model=load(weights), repeats=repeats)
    timings += compare_networks(peers, repeats=repeats) if peers else []
    if as_json:
        for timing in timings:
            typer.echo(json.dumps(dataclasses.asdict(timing)))
        return
    table = Table("stage", "warm, median", "quartiles", "cold")
    for row in timings:
        quartiles = f"{row.low:.1f} to {row.high:.1f}"
        table.add_row(row.stage, f"{row.median:.1f}", quartiles, f"{row.cold:.0f}")
    Console().print(table)
