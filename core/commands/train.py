"""``uvface synthesize`` and ``uvface train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..synthesis.request import synthesis_request
from ..training.config import NetworkKind, Precision
from ..training.request import train_request
from .options import (
    Device,
    Quiet,
    Weights,
    check_folder,
    complain,
    set_up,
    tell_left_out,
    usage_errors,
    warn,
)
from .progress import count_up

__all__ = ["synthesize", "train"]


def synthesize(
    count: Annotated[int, typer.Option("-n", min=1, help="Number of pictures.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the pictures.")],
    assets: Annotated[
        Path | None,
        typer.Option(help="Folder with ICT-FaceKit (OBJ folder FaceXModel, or data pack)."),
    ] = None,
    photos: Annotated[
        Path | None, typer.Option(help="Turn the faces of these photos, in place of drawing some.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Same seed, same pictures.")] = 0,
    pool: Annotated[bool, typer.Option("--pool", help="Write shards for uvface train.")] = False,
    photo_skins: Annotated[Path | None, typer.Option(help="Folder of skins from photos.")] = None,
    weights: Weights = "prn-lite",
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Make labelled faces: pictures, position maps, landmarks, visibility.

    They are drawn from a head model (--assets), or photos turned with all that surrounds the face
    (--photos; --weights reads their faces). Photos that cannot be read are named, and the exit code
    is 1; those without a face are named and left out.
    """
    given: dict[str, Any] = {
        "assets": assets,
        "photos": photos,
        "seed": seed,
        "pool": pool,
        "photo_skins": photo_skins,
    }
    with usage_errors():
        synthesis_request(count, output, **given, has_weights=weights != "prn-lite")
    set_up(device)
    check_folder(output)
    from ..errors import NoFaceError
    from ..find_photos import left_out as heic_in
    from ..reconstruct import load
    from ..synthesize import synthesize as run

    failed: list[Exception] = []

    def left_out(error: Exception) -> None:
        if isinstance(error, NoFaceError):
            warn([str(error)])
        else:
            failed.append(error)
            complain(str(error))

    if photos is not None:
        tell_left_out(heic_in(photos))
    with count_up(count, title="synthesize", quiet=quiet) as done:
        model = None if photos is None else load(weights)
        run(count, output, **given, model=model, report=done, left_out=left_out)
    if not quiet:
        typer.echo(f"{output}: {count} pictures")
    if failed:
        raise typer.Exit(1)


def train(
    pool: Annotated[
        list[Path], typer.Option(help="Folder of rendered samples; may be given several times.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run.")],
    minutes: Annotated[
        float | None,
        typer.Option(
            help="Length of the schedule; compilation does not count. By default 60, or with "
            "--resume what the run had."
        ),
    ] = None,
    network: Annotated[NetworkKind, typer.Option(help="What is trained.")] = "prn-lite",
    initial: Annotated[
        list[str] | None,
        typer.Option(
            help="Weights to start from: a name, or a file. With --draw it may be given several "
            "times: all learn from the same faces."
        ),
    ] = None,
    rate: Annotated[
        list[float] | None,
        typer.Option(min=0, max=1, help="Highest learning rate; with --draw one per --initial."),
    ] = None,
    negatives: Annotated[
        Path | None, typer.Option(help="Folder of JPEG pictures without faces.")
    ] = None,
    devices: Annotated[int, typer.Option(min=1, help="Devices that share each batch of 32.")] = 1,
    precision: Annotated[Precision, typer.Option(help="bfloat16 is for GPUs.")] = "float32",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint.")
    ] = False,
    draw: Annotated[
        Path | None,
        typer.Option(
            metavar="ASSETS",
            help="For GPUs: draw faces from these while training; a tenth of the crops is the "
            "pool's.",
        ),
    ] = None,
    photo_skins: Annotated[
        Path | None, typer.Option(help="Folder of skins from photos, for --draw.")
    ] = None,
    large: Annotated[
        bool,
        typer.Option("--large", help="With --draw: train a larger network, grown from --initial."),
    ] = False,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Train a network on rendered samples, or on faces that are drawn meanwhile (--draw)."""
    given: dict[str, Any] = {
        "minutes": minutes,
        "network": network,
        "initial": initial,
        "rate": rate,
        "negatives": negatives,
        "devices": devices,
        "precision": precision,
        "resume": resume,
        "draw": draw,
        "photo_skins": photo_skins,
        "large": large,
    }
    with usage_errors():
        train_request(pool, output, **given)
    set_up(device)
    from ..training.train import train as run

    show = _show_progress if draw is None else _show_losses
    for weights in run(pool, output, **given, report=None if quiet else show):
        typer.echo(str(weights))


def _show_losses(row: dict[str, float]) -> None:
    losses = ", ".join(f"{k} {v:.4f}" for k, v in row.items() if k.endswith((" loss", " points")))
    typer.echo(f"{100 * row['share']:5.1f} %  step {row['step']:.0f}  {losses}")


def _show_progress(progress: Any) -> None:
    errors = "".join(f", {name} {100 * value:.2f} %" for name, value in progress.validation.items())
    speed = f"  loss {progress.loss:.4f}  {progress.images_per_second:.0f} images/s"
    # Between validations there are losses, at them errors.
    typer.echo(f"{100 * progress.share:5.1f} %  step {progress.step}{errors or speed}")
