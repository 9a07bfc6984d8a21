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
    Sidecar,
    SkipExisting,
    Weights,
    check_recognition,
    face_choice,
    open_boxes,
    set_up,
    usage_errors,
)
from ..core.commands.progress import tell_of_compiling
from .options import Blend, Color, Complete, Keep, Map, Occlusion, Shape, Sharpness, Strength

__all__ = ["benchmark", "swap"]


def swap(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Image file to write; of a batch, the folder."),
    ],
    target: Annotated[
        str | None,
        typer.Argument(help="Photo that is changed; a folder or a quoted glob makes a batch."),
    ] = None,
    references: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[REFERENCE]...",
            help="Photo or face file that the face comes from; several photos are fused.",
        ),
    ] = None,
    listing: Annotated[
        Path | None,
        typer.Option(
            "--list",
            metavar="FILE.csv",
            help="Batch, in place of TARGET and REFERENCE: columns target,reference and perhaps "
            "output (a name in the folder); several references separated by ;.",
        ),
    ] = None,
    keep: Keep = "eyeballs,mouth_interior",
    color: Color = "light",
    blend: Blend = "poisson",
    complete: Complete = "auto",
    occlusion: Occlusion = "on",
    mask: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png",
            help="Picture of TARGET's size, white where pixels may change, in place of "
            "--occlusion; of a batch, a folder of them, each with its target's name.",
        ),
    ] = None,
    sharpness: Sharpness = "match",
    strength: Strength = 1.0,
    shape: Shape = 1.0,
    preset: Annotated[
        Literal["uvface", "prnet"],
        typer.Option(help="prnet pastes as PRNet's own code does, for comparison."),
    ] = "uvface",
    faces: Faces = "largest",
    reference_face: ReferenceFace = "largest",
    like: Like = None,
    reference_like: ReferenceLike = None,
    mapping: Map = None,
    report: Annotated[
        Path | None,
        typer.Option(
            help="FILE.html: pictures of each stage, numbers and warnings. Of a batch, FILE.csv or "
            "FILE.json: a row for every input, failures included \\[default: swaps.csv in OUT]."
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Exit with 1 after any warning; the output is written."),
    ] = False,
    skip_existing: SkipExisting = False,
    recognition: Recognition = None,
    boxes: Boxes = None,
    metadata: Metadata = True,
    sidecar: Sidecar = True,
    sign: Annotated[
        Path | None,
        typer.Option(
            metavar="CERT.pem",
            help="Sign the output (C2PA) with a certificate chain; needs --key and the package "
            "c2pa-python.",
        ),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="KEY.pem", help="The certificate's private key.")
    ] = None,
    weights: Weights = "prn-lite",
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Put the face of REFERENCE into TARGET."""
    set_up(device)
    from .command_run import Run, check_usage

    run = Run(
        target=target,
        references=tuple(references or ()),
        listing=listing,
        mapping=mapping,
        faces=faces,
        like=like,
        reference_face=reference_face,
        reference_like=reference_like,
        recognition=recognition,
        boxes=boxes,
        preset=preset,
        output=output,
        mask=mask,
        report=report,
        strict=strict,
        skip_existing=skip_existing,
        metadata=metadata,
        sidecar=sidecar,
        certificate=sign,
        key=key,
        quiet=quiet,
        as_json=as_json,
    )
    check_usage(run)
    check_recognition(recognition, like, reference_like)
    from ..core.io.boxes import as_boxes
    from ..core.reconstruct import load
    from ..editing.finder import FaceFinder, Selection
    from .request import swap_options
    from .swap import check_swap

    model = load(weights)
    with usage_errors():
        chosen = Selection(faces=face_choice(faces), like=like)
        reference = Selection(faces=face_choice(reference_face), like=reference_like)
        options = swap_options(
            keep=keep,
            color=color,
            blend=blend,
            complete=complete,
            occlusion=occlusion,
            sharpness=sharpness,
            strength=strength,
            shape=shape,
            preset=preset,
        )
        check_swap(model.layout, options.config)
    given = as_boxes(open_boxes(boxes, run.photos))
    finder = FaceFinder(model, boxes=given, recognition=recognition)
    tell_of_compiling(quiet=quiet)
    run.start(finder, options, target=chosen, reference=reference)


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
    """Time the stages of a swap of two photos, in milliseconds: warm, and cold (its first call).

    Later rows are less cold: earlier ones have loaded some of what they need.
    """
    set_up(device)
    from rich.console import Console
    from rich.table import Table

    from ..core.network.peers import parse_peers, require_peers
    from ..core.reconstruct import load
    from .benchmark import benchmark as run

    with usage_errors():
        peers = parse_peers(against)
    require_peers(peers)
    timings = run(target, reference, model=load(weights), repeats=repeats, against=peers)
    if as_json:
        for timing in timings:
            typer.echo(json.dumps(dataclasses.asdict(timing)))
        return
    table = Table("stage", "warm, median", "quartiles", "cold")
    for row in timings:
        quartiles = f"{row.low:.1f} to {row.high:.1f}"
        table.add_row(row.stage, f"{row.median:.1f}", quartiles, f"{row.cold:.0f}")
    Console().print(table)
