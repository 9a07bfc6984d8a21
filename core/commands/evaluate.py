"""``uvface evaluate``: errors of the weights on pictures whose faces are known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from .options import Device, Quiet, Weights, complain, set_up
from .progress import count_up

__all__ = ["evaluate"]

_WORDS = ("aflw2000", "synthetic")  # as in training.photos.PROTOCOLS, without its imports


def evaluate(
    folder: Annotated[
        list[str],  # a Path of "./synthetic" would be the protocol's name
        typer.Argument(
            metavar="[aflw2000|synthetic] FOLDER...",
            help="Folders of NAME.jpg with NAME.mat (aflw2000), or one pool (synthetic).",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for errors.csv, cumulative.png, worst.png and summary.json.",
        ),
    ] = None,
    weights: Weights = "prn-lite",
    detect: Annotated[bool, typer.Option("--detect", help="Boxes from the detector.")] = False,
    whole: Annotated[
        bool, typer.Option("--all", help="Every picture of the pool, not its validation part.")
    ] = False,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Measure landmark errors on pictures with known landmarks (NME, in %).

    The figures are printed as JSON. By default the boxes come from the true landmarks. A picture
    that cannot be read is named and left out, and the exit code is 1.
    """
    protocol = folder[0] if folder[0] in _WORDS else None
    folders = [Path(name) for name in (folder[1:] if protocol else folder)]
    if not folders:
        raise typer.BadParameter(f"{protocol} of which folder? give one or more")
    set_up(device)
    from ..reconstruct import load
    from ..training.labelled import is_pool
    from ..training.photos import evaluate as run

    is_one_pool = protocol is None and len(folders) == 1 and is_pool(folders[0])
    if whole and protocol != "synthetic" and not is_one_pool:
        raise typer.BadParameter("--all is for one pool; of photos all are measured, leave it out")
    figures = run(
        folders,
        model=load(weights),
        detect=detect,
        protocol=protocol,
        whole=whole,
        output=output,
        track=lambda numbers: _counted([*numbers], quiet=quiet),
    )
    if output is not None:
        del figures["faces"]  # they stand in errors.csv
    typer.echo(json.dumps(figures, indent=2, allow_nan=False))
    for name, reason in figures["failed"].items():
        complain(f"{name}: {reason}")
    if figures["failed"]:
        raise typer.Exit(1)


def _counted(numbers: Sequence[int], *, quiet: bool) -> Iterator[int]:
    """Pass the numbers of the pictures on, and show meanwhile how many have been measured."""
    with count_up(len(numbers), title="evaluate", quiet=quiet) as tell:
        for done, number in enumerate(numbers, start=1):
            yield number
            tell(done)
