"""``uvface inspect``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .options import warn

__all__ = ["inspect"]


def inspect(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Picture, video or face file.")],
) -> None:
    """Print how a picture or video was made, as JSON: its metadata, and its sidecar FILE.json.

    Of a picture that says nothing about it, as a photo, null is printed, and a note on stderr.
    """
    from ..io.inspection import inspect as run

    found = run(path)
    typer.echo(json.dumps(found.record(), indent=2))
    warn(found.warnings)
    if not found.has_provenance:
        typer.echo(f"no provenance: nothing in {path} says that it is synthetic", err=True)
