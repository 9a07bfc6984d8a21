"""Command line: parse, load, call one library function, save, report.

The only place that prints or exits. Every command has a Python function of the same name.
"""

import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

app = typer.Typer(
    name="uvface",
    help="Faces as images in UV space: reconstruct, swap and edit them, all on your machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Boxes = Annotated[
    Path | None, typer.Option(help='JSON {"STEM": [[left, top, right, bottom]]}: skips detection.')
]
Faces = Annotated[str, typer.Option(help="largest, all, or a number counted from the left.")]
Weights = Annotated[str, typer.Option(help="Embedded weights' name, or a .safetensors file.")]
Device = Annotated[str, typer.Option(help="auto, cpu or gpu.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print errors only.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per item.")]
Metadata = Annotated[bool, typer.Option(help="Mark the output as synthetically edited.")]


@app.callback()
def _common() -> None:
    """Start every command with compiled code of earlier runs at hand."""


@app.command()
def reconstruct(
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO...", help="Files, folders or globs.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")],
    save: Annotated[
        str,
        typer.Option(
            help="all, or a list of: landmarks,pose,mesh,texture,visibility,depth,posmap,overlay."
        ),
    ] = "landmarks,mesh,texture,overlay",
    boxes: Boxes = None,
    faces: Faces = "all",
    weights: Weights = "prn-lite",
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Write landmarks, mesh, texture, visibility, depth and pose of every face."""
    _set_up(device)
    from uvface.core.batch import reconstruct as run
    from uvface.core.reconstruct import load

    failed = False
    for item in run(
        photos,
        output,
        model=load(weights),
        save=save,
        boxes=_read_boxes(boxes),
        faces=_face_choice(faces),
    ):
        failed |= item.error is not None
        if item.error is not None:
            _complain(item.error)
        for warning in item.warnings:
            typer.echo(f"warning: {warning}", err=True)
        if as_json:
            typer.echo(json.dumps(item.record))
        elif not quiet and item.error is None:
            typer.echo(f"{item.photo}: {item.count} face{'s' * (item.count != 1)} -> {output}")
    if failed:
        raise typer.Exit(1)


@app.command()
def swap(
    target: Annotated[Path, typer.Argument(help="Photo that is changed.")],
    reference: Annotated[Path, typer.Argument(help="Photo that the face comes from.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Image file to write.")],
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
    reference_face: Annotated[str, typer.Option(help="Which face of REFERENCE.")] = "largest",
    boxes: Boxes = None,
    metadata: Metadata = True,
    weights: Weights = "prn-lite",
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Put the face of REFERENCE into TARGET."""
    _set_up(device)
    from uvface.core.reconstruct import load
    from uvface.faceswap.swap import swap as run

    result = run(
        target,
        reference,
        model=load(weights),
        keep=_names(keep),
        color=color,
        blend=blend,
        faces=_face_choice(faces),
        reference_face=_face_choice(reference_face),
        boxes=_read_boxes(boxes),
    )
    result.save(output, metadata=metadata)
    _report(result.record(output), f"{output}: swapped {len(result.faces)} face(s)", quiet, as_json)


@app.command()
def edit(
    photo: Annotated[Path, typer.Argument(help="Photo that is changed.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Image file to write.")],
    region: Annotated[
        list[str], typer.Option(help="Region to change; may be given several times.")
    ],
    reference: Annotated[
        Path | None, typer.Option("--from", help="Photo that the region comes from.")
    ] = None,
    strength: Annotated[
        float, typer.Option(min=0, max=1, help="0 keeps the photo, 1 is the full edit.")
    ] = 1.0,
    feather: Annotated[
        float, typer.Option(min=0, help="Soft border of the region, in texels.")
    ] = 3.0,
    recolor: Annotated[str | None, typer.Option(help="Colour for the region: #RRGGBB.")] = None,
    faces: Faces = "largest",
    reference_face: Annotated[
        str, typer.Option(help="Which face of the --from photo.")
    ] = "largest",
    boxes: Boxes = None,
    metadata: Metadata = True,
    weights: Weights = "prn-lite",
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Change parts of a face: take them from another photo, or recolour them."""
    _set_up(device)
    if reference is None and recolor is None:
        raise typer.BadParameter("nothing to do; give --from PHOTO or --recolor '#RRGGBB'")
    from uvface.core.reconstruct import load
    from uvface.editing.edit import edit as run

    result = run(
        photo,
        model=load(weights),
        regions=tuple(region),
        reference=reference,
        strength=strength,
        feather=feather,
        recolor=recolor,
        faces=_face_choice(faces),
        reference_face=_face_choice(reference_face),
        boxes=_read_boxes(boxes),
    )
    result.save(output, metadata=metadata)
    _report(result.record(output), f"{output}: edited {', '.join(region)}", quiet, as_json)


@app.command()
def inspect(photo: Path) -> None:
    """Print what a picture's metadata says about its making, as JSON."""
    from uvface.core.io.provenance import read_provenance

    found = read_provenance(photo)
    typer.echo(json.dumps(None if found is None else dataclasses.asdict(found), indent=2))


@app.command()
def synthesize(
    count: Annotated[int, typer.Option("-n", min=1, help="Number of pictures.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the pictures.")],
    assets: Annotated[
        Path, typer.Option(help="Folder with ICT-FaceKit (OBJ folder or data pack).")
    ],
    seed: Annotated[int, typer.Option(help="Same seed, same pictures.")] = 0,
    pool: Annotated[bool, typer.Option("--pool", help="Write shards for uvface train.")] = False,
    photo_skins: Annotated[Path | None, typer.Option(help="Folder of skins from photos.")] = None,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Render labelled synthetic faces: pictures, position maps, landmarks, visibility."""
    _set_up(device)
    from uvface.core.synthesis.files import synthesize as write_files
    from uvface.core.synthesis.files import synthesize_pool as write_shards

    run = write_shards if pool else write_files
    run(count, output, seed=seed, assets=assets, photo_skins=photo_skins)
    if not quiet:
        typer.echo(f"{output}: {count} pictures")


@app.command()
def train(
    pool: Annotated[Path, typer.Option(help="Folder of rendered samples.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run.")],
    minutes: Annotated[
        float, typer.Option(min=0, help="Wall-clock length of the schedule.")
    ] = 60.0,
    network: Annotated[str, typer.Option(help="prn-lite or prn.")] = "prn-lite",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint.")
    ] = False,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Train a network on rendered samples."""
    _set_up(device)
    from uvface.core.training.config import TrainConfig
    from uvface.core.training.loop import train as run

    config = TrainConfig(pool=pool, output=output, minutes=minutes, network=network)
    weights = run(config, resume=resume, report=None if quiet else _show_progress)
    typer.echo(str(weights))


@app.command()
def evaluate(
    folder: Annotated[
        list[Path], typer.Argument(help="AFLW2000-style folders: photos with .mat files.")
    ],
    weights: Weights = "prn-lite",
    detect: Annotated[bool, typer.Option("--detect", help="Boxes from the detector.")] = False,
    device: Device = "auto",
) -> None:
    """Measure landmark errors on photos with known landmarks (NME, in %)."""
    _set_up(device)
    from uvface.core.reconstruct import load
    from uvface.core.training.photos import evaluate as run

    typer.echo(json.dumps(run(folder, model=load(weights), detect=detect), indent=2))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code (0 done, 1 failed, 2 wrong usage)."""
    from uvface.core.errors import UvfaceError

    try:
        app(args=None if argv is None else list(argv), prog_name="uvface")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except UvfaceError as error:
        _complain(str(error))
        return 1
    return 0


def _set_up(device: str) -> None:
    """Choose the device and keep compiled code on disk, before JAX is imported."""
    if device not in ("auto", "cpu", "gpu"):
        raise typer.BadParameter(f"device {device!r}; choose auto, cpu or gpu")
    if device != "auto":
        os.environ["JAX_PLATFORMS"] = {"cpu": "cpu", "gpu": "cuda"}[device]
    from uvface.core.compilation import keep_compiled_code

    keep_compiled_code()


def _read_boxes(path: Path | None) -> dict[str, list[list[float]]] | None:
    from uvface.core.io.boxes import read_boxes

    return None if path is None else read_boxes(path)


def _face_choice(text: str) -> Any:
    if text in ("all", "largest"):
        return text
    if text.isdigit():
        return int(text)
    raise typer.BadParameter(f"faces {text!r}; choose largest, all or a number from 0")


def _names(text: str) -> tuple[str, ...]:
    return () if text == "none" else tuple(name.strip() for name in text.split(",") if name.strip())


def _report(record: dict[str, Any], line: str, quiet: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(record))
    elif not quiet:
        typer.echo(line)


def _show_progress(progress: Any) -> None:
    errors = "".join(f", {name} {100 * value:.2f} %" for name, value in progress.validation.items())
    typer.echo(
        f"{100 * progress.share:5.1f} %  step {progress.step}  loss {progress.loss:.4f}"
        f"  {progress.images_per_second:.0f} images/s{errors}"
    )


def _complain(message: str) -> None:
    typer.echo(f"error: {message}", err=True)


if __name__ == "__main__":
    sys.exit(main())
