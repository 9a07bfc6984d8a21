"""``uvface synthesize`` and ``uvface train``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ..synthesis.request import synthesis_request
from .options import Device, Quiet, Weights, check_folder, complain, set_up, usage_errors, warn
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
    from ..reconstruct import load
    from ..synthesize import synthesize as run

    failed: list[Exception] = []

    def left_out(error: Exception) -> None:
        if isinstance(error, NoFaceError):
            warn([str(error)])
        else:
            failed.append(error)
            complain(str(error))

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
        float, typer.Option(help="Length of the schedule; compilation does not count.")
    ] = 60.0,
    network: Annotated[
        Literal["prn-lite", "prn"], typer.Option(help="What is trained.")
    ] = "prn-lite",
    initial: Annotated[
        list[str] | None,
        typer.Option(
            help="Weights to start from: a name, or a file. With --draw it may be given several "
            "times: all learn from the same faces."
        ),
    ] = None,
    rate: Annotated[
        list[float] | None,
        typer.Option(min=0, help="Highest learning rate; with --draw one per --initial."),
    ] = None,
    negatives: Annotated[
        Path | None, typer.Option(help="Folder of JPEG pictures without faces.")
    ] = None,
    devices: Annotated[int, typer.Option(min=1, help="Devices that share each batch.")] = 1,
    precision: Annotated[
        Literal["float32", "bfloat16"], typer.Option(help="bfloat16 is for GPUs.")
    ] = "float32",
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
    starts, rates = initial or [], rate or []
    if rates and len(rates) != max(1, len(starts)):
        raise typer.BadParameter(
            f"got {len(rates)} --rate for {len(starts)} --initial; give each one, or none"
        )
    set_up(device)
    from ..training.config import TrainConfig, check_budget

    with usage_errors():
        check_budget(minutes, None)
    config = TrainConfig(
        pool=pool[0],
        more_pools=tuple(pool[1:]),
        output=output,
        minutes=minutes,
        network=network,
        initial=starts[0] if starts else None,
        negatives=negatives,
        devices=devices,
        precision=precision,
    )
    if draw is not None:
        if resume or negatives is not None or devices > 1 or len(pool) > 1 or network != "prn-lite":
            raise typer.BadParameter(
                "--draw takes one --pool, and none of --resume, --negatives, --devices, --network"
            )
        if large and len(starts) > 1:
            raise typer.BadParameter(f"--large grows one network; got {len(starts)} --initial")
        starts = starts or ["prn-lite"]
        loaded = {_stem(name): _start(name, config.layout, is_large=large) for name in starts}
        networks = {name: network for name, (network, _) in loaded.items()}
        learnt = [training for _, training in loaded.values()]
        if len(networks) < len(starts):
            raise typer.BadParameter("two --initial have the same name; rename one of the files")
        by_name = dict(zip(networks, rates, strict=False))
        _train_drawing(config, networks, learnt, by_name, draw, photo_skins, quiet)
        return
    if large or photo_skins is not None or len(starts) > 1:
        raise typer.BadParameter("--large, --photo-skins and a second --initial need --draw")
    if rates:
        config = dataclasses.replace(config, learning_rate=rates[0])
    from ..training.loop import train as run

    weights = run(config, resume=resume, report=None if quiet else _show_progress)
    typer.echo(str(weights))


def _stem(weights: str) -> str:
    """Return the name of a network and of its file: that of the weights it starts from."""
    return Path(weights).stem if weights.endswith(".safetensors") else weights


def _start(weights: str, layout: str, *, is_large: bool) -> tuple[Any, dict[str, Any]]:
    """Return a network with its first weights, or a larger one grown from them, and their data."""
    from ..errors import InputError
    from ..geometry.layout import load_layout
    from ..network.prn_lite import LARGE
    from ..network.weights import load_weights
    from ..training.grow import grow_network

    loaded: tuple[Any, Any] = load_weights(weights, layout=load_layout(layout))
    network, header = loaded
    if header.network != "prn-lite":
        raise InputError(
            f"{weights} is a {header.network!r} network; --draw trains the kind of prn-lite, "
            "give such weights"
        )
    return (grow_network(network, LARGE) if is_large else network), header.training


def _train_drawing(
    config: Any,
    networks: dict[str, Any],
    learnt: list[dict[str, Any]],
    rates: dict[str, float],
    assets: Path,
    photo_skins: Path | None,
    quiet: bool,
) -> None:
    """Train on faces that are drawn on the device, with the settings of the embedded weights."""
    from ..geometry.layout import load_layout
    from ..synthesis.generator import load_generator
    from ..synthesis.origin import drawn_origin, merge_origins
    from ..synthesis.sources import find_sources
    from ..synthesis.surface import bind_texels
    from ..training.on_device import drawn_from_pool, train_on_device
    from ..training.pool import Pool
    from ..training.stream import Sources

    layout = load_layout(config.layout)
    pool = Pool(config.pool)
    photos = drawn_from_pool(pool, layout)
    head, folder = find_sources(assets)
    generator = load_generator(head, folder=folder, photo_skins=photo_skins)
    backdrops = generator.bank.backdrops
    origin = drawn_origin(head, folder=folder, photo_skins=photo_skins)
    weights = train_on_device(
        networks,
        Sources(generator=generator, binding=bind_texels(generator.surface, layout.size)),
        photos,
        backdrops[: max(1, len(backdrops) // 4)],  # the sharp ones
        dataclasses.replace(
            config, batch=128, learning_rate=1e-3, cooldown=0.6, report_minutes=2.5
        ),
        layout=layout,
        made_of=merge_origins([*learnt, dataclasses.asdict(origin), pool.header]),
        rates=rates,
        report=None if quiet else _show_losses,
    )
    for path in weights.values():
        typer.echo(str(path))


def _show_losses(row: dict[str, float]) -> None:
    losses = ", ".join(f"{k} {v:.4f}" for k, v in row.items() if k.endswith((" loss", " points")))
    typer.echo(f"{100 * row['share']:5.1f} %  step {row['step']:.0f}  {losses}")


def _show_progress(progress: Any) -> None:
    errors = "".join(f", {name} {100 * value:.2f} %" for name, value in progress.validation.items())
    speed = f"  loss {progress.loss:.4f}  {progress.images_per_second:.0f} images/s"
    # Between validations there are losses, at them errors.
    typer.echo(f"{100 * progress.share:5.1f} %  step {progress.step}{errors or speed}")
