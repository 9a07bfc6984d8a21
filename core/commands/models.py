"""``uvface models``: weights of other makers."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from .options import Quiet, usage_errors

__all__ = ["import_prnet", "models"]

models = typer.Typer(help="Weights of other makers.", no_args_is_help=True)


@models.callback()
def _common() -> None:
    """Weights of other makers."""


@models.command("import-prnet")
def import_prnet(
    checkpoint: Annotated[Path, typer.Argument(help="Released checkpoint, without .index.")],
    folder: Annotated[Path, typer.Argument(help="PRNet's checkout, for its UV data.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Weights file to write: *.safetensors.")
    ],
    quiet: Quiet = False,
) -> None:
    """Turn the released PRNet weights into a file for --weights."""
    from ..network.prnet_checkpoint import import_prnet as run
    from ..network.weights_file import check_weights_name

    with usage_errors():
        check_weights_name(output)
    run(checkpoint, folder, output)
    if not quiet:
        typer.echo(f"{output}: use it with --weights {shlex.quote(str(output))}")
