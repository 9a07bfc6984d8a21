"""``uvface synthesize`` and ``uvface train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Device, Quiet, Weights, set_up

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
    seed: Annotated[int, typer.Option(help="Same seed, same pictures.")] = 0,
    pool: Annotated[bool, typer.Option("--pool", help="Write shards for uvface train.")] = False,
    photo_skins: Annotated[Path | None, typer.Option(help="Folder of skins from photos.")] = None,
    weights: Weights = "prn-lite",
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Make labelled faces: pictures, position maps, landmarks, visibility.

    They are drawn from a head model (--assets), or photos turned with all that surrounds the face
    (--photos; --weights reads their faces).
    """
    if assets is None and photos is None:
        raise typer.BadParameter("give --assets (a head model), or --photos (a folder of photos)")
    set_up(device)
    if photos is not None:
        from ..reconstruct import load
        from ..synthesis.photo_files import synthesize_photos

        synthesize_photos(
            count,
            output,
            photos=photos,
            model=load(weights),
            seed=seed,
            pool=pool,
            assets=assets,
            photo_skins=photo_skins,
        )
    else:
        from ..synthesis.files import synthesize as write_files
        from ..synthesis.files import synthesize_pool as write_shards

        assert assets is not None
        run = write_shards if pool else write_files
        run(count, output, seed=seed, assets=assets, photo_skins=photo_skins)
    if not quiet:
        typer.echo(f"{output}: {count} pictures")


def train(
    pool: Annotated[
        list[Path], typer.Option(help="Folder of rendered samples; may be given several times.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run.")],
    minutes: Annotated[
        float, typer.Option(min=0, help="Wall-clock length of the schedule.")
    ] = 60.0,
    network: Annotated[str, typer.Option(help="prn-lite or prn.")] = "prn-lite",
    initial: Annotated[Path | None, typer.Option(help="Weights to start from.")] = None,
    negatives: Annotated[
        Path | None, typer.Option(help="Folder of JPEG pictures without faces.")
    ] = None,
    devices: Annotated[int, typer.Option(min=1, help="Devices that share each batch.")] = 1,
    precision: Annotated[str, typer.Option(help="float32, or bfloat16 for GPUs.")] = "float32",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint.")
    ] = False,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Train a network on rendered samples."""
    set_up(device)
    from ..training.config import TrainConfig
    from ..training.loop import train as run

    config = TrainConfig(
        pool=pool[0],
        more_pools=tuple(pool[1:]),
        output=output,
        minutes=minutes,
        network=network,
        initial=None if initial is None else str(initial),
        negatives=negatives,
        devices=devices,
        precision=precision,
    )
    weights = run(config, resume=resume, report=None if quiet else _show_progress)
    typer.echo(str(weights))


def _show_progress(progress: Any) -> None:
    errors = "".join(f", {name} {100 * value:.2f} %" for name, value in progress.validation.items())
    typer.echo(
        f"{100 * progress.share:5.1f} %  step {progress.step}  loss {progress.loss:.4f}"
        f"  {progress.images_per_second:.0f} images/s{errors}"
    )
